//! `ci …`.

use clap::{Args, ValueEnum};

use super::Global;

/// Print a snippet that signs a CI job, an image or a pod in.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    azt ci github > .github/workflows/azure.yml\n  \
    azt ci azure-pipelines\n  \
    azt ci gitlab\n  \
    azt ci docker > Dockerfile\n  \
    azt ci kubernetes")]
#[command(mut_arg("output", super::global::without_default))]
pub(crate) struct Ci {
    /// Where the snippet is for
    #[arg(value_name = "WHERE", ignore_case = true)]
    pub(crate) place: Place,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}

/// A place that `ci` has a snippet for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Place {
    /// A job of GitHub Actions
    Github,
    /// Steps of Azure Pipelines
    AzurePipelines,
    /// A job of GitLab
    Gitlab,
    /// A Dockerfile
    Docker,
    /// A pod of Kubernetes
    #[value(alias = "k8s")]
    Kubernetes,
}
