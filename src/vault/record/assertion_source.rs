//! Where an application's assertions come from.

use serde::{Deserialize, Serialize};

/// A place that gives out a new assertion (RFC 7523) whenever one is wanted.
///
/// What is stored is the place. An assertion itself lives for five or ten minutes in most
/// pipelines, and would be useless, or stolen, afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
