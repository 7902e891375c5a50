//! `serve`.

use std::path::PathBuf;

use clap::ValueEnum;

use super::{ActingAccount, Global};

/// Hand out tokens to programs on this machine until stopped
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt serve --resource arm --resource vault\n  \
    azt serve --any-resource --socket ~/azt.sock\n  \
    azt serve --resource storage --socket ~/azt.sock --confirm --audit ~/azt-audit.log\n  \
    azt serve --any-resource --socket ~/azt.sock --print docker\n\n\
    First prints what clients need, then serves. Without --socket it is a managed identity of Azure\n\
    App Service on a port of 127.0.0.1, whose key is new each time. For this shell:\n\
    eval \"$(azt serve --resource arm &)\"")]
pub(crate) struct Serve {
    /// Resource that tokens may be for, as in `azt token WHAT`; may be repeated
    #[arg(long, value_name = "RESOURCE", action = clap::ArgAction::Append, required_unless_present = "any_resource")]
    pub(crate) resource: Vec<String>,
    /// Hand out tokens for every resource
    #[arg(long, conflicts_with = "resource")]
    pub(crate) any_resource: bool,
    /// Listen on a Unix socket instead of a port: for azt in a container (AZT_BROKER) and for ssh -R
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
    /// User (number) who may ask at the socket besides this one; may be repeated
    #[arg(long, value_name = "UID", action = clap::ArgAction::Append, requires = "socket")]
    pub(crate) allow_uid: Vec<u32>,
    /// Ask at this terminal before the first token of each resource
    #[arg(long)]
    pub(crate) confirm: bool,
    /// What to print for clients
    #[arg(long, value_name = "SHAPE", ignore_case = true, default_value = "env")]
    pub(crate) print: Shown,
    /// Write a line for each token that is handed out to this file, or to the `journal`
    #[arg(long, value_name = "FILE")]
    pub(crate) audit: Option<String>,
    /// The account.
    #[command(flatten)]
    pub(crate) account: ActingAccount,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}

/// What `serve` prints for its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shown {
    /// Lines for a POSIX shell
    Env,
    /// The variables as JSON
    Json,
    /// Members of devcontainer.json
    Devcontainer,
    /// A docker command
    Docker,
    /// A service of compose.yaml
    Compose,
    /// A pod of Kubernetes
    Kubernetes,
}
