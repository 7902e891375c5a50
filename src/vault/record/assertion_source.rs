//! The source of an application's assertions.

use serde::{Deserialize, Deserializer, Serialize};

/// A source that provides a new assertion (RFC 7523) for each request.
///
/// The record stores the source, because most pipelines' assertions live for only five or ten
/// minutes. A stored assertion would be useless, or stolen, after that.
///
/// Has no `Deserialize`, for the same reason as [`super::ServicePrincipal`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum AssertionSource {
    /// A file that another program keeps current (Kubernetes' workload identity).
    File {
        /// Its path, absolute.
        path: String,
    },
    /// The output of a command that the system's shell runs.
    Command {
        /// The command line.
        command: String,
    },
    /// The current GitHub Actions job.
    GithubActions {
        /// The `aud` to request.
        audience: String,
    },
    /// The current Azure Pipelines job.
    AzurePipelines {
        /// The service connection's id (GUID).
        service_connection_id: String,
    },
}

/// Deserializes a source; the compiler checks that the variants match.
#[derive(Deserialize)]
#[serde(remote = "AssertionSource", tag = "kind", rename_all = "kebab-case")]
enum Mirror {
    File { path: String },
    Command { command: String },
    GithubActions { audience: String },
    AzurePipelines { service_connection_id: String },
}

/// Deserializes the optional source of a sealed record.
pub(super) fn optional<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<AssertionSource>, D::Error> {
    #[derive(Deserialize)]
    struct Present(#[serde(with = "Mirror")] AssertionSource);

    let source = Option::<Present>::deserialize(deserializer)?;
    Ok(source.map(|Present(source)| source))
}
