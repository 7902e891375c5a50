//! Where an application's assertions come from.

use serde::{Deserialize, Deserializer, Serialize};

/// A place that gives out a new assertion (RFC 7523) whenever one is wanted.
///
/// What is stored is the place. An assertion itself lives for five or ten minutes in most
/// pipelines, and would be useless, or stolen, afterwards.
///
/// It has no `Deserialize`, for the reason that [`super::ServicePrincipal`] has none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum AssertionSource {
    /// A file that somebody keeps current (Kubernetes' workload identity).
    File {
        /// Its path, absolute.
        path: String,
    },
    /// What a command prints, run by the system's shell.
    Command {
        /// The command line.
        command: String,
    },
    /// The job of GitHub Actions that this runs in.
    GithubActions {
        /// The `aud` that is asked for.
        audience: String,
    },
    /// The job of Azure Pipelines that this runs in.
    AzurePipelines {
        /// The service connection's id (GUID).
        service_connection_id: String,
    },
}

/// How a source is read; the compiler keeps it in step.
#[derive(Deserialize)]
#[serde(remote = "AssertionSource", tag = "kind", rename_all = "kebab-case")]
enum Mirror {
    File { path: String },
    Command { command: String },
    GithubActions { audience: String },
    AzurePipelines { service_connection_id: String },
}

/// A source that may be absent, of a record that was sealed.
pub(super) fn optional<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<AssertionSource>, D::Error> {
    #[derive(Deserialize)]
    struct Present(#[serde(with = "Mirror")] AssertionSource);

    let source = Option::<Present>::deserialize(deserializer)?;
    Ok(source.map(|Present(source)| source))
}
