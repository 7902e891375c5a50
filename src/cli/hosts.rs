//! `hosts`.

use clap::{Args, ValueEnum};

use super::{ActingAccount, Global};

/// List the hosts that get tokens, or explain what one would get
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    azt hosts\n  \
    azt hosts explain https://myvault.vault.azure.net/secrets/x\n  \
    azt hosts explain dev.azure.com\n\n\
    A host of yours: azt config set host.*.corp.example.audience=api://gateway")]
#[command(mut_arg("output", super::global::without_default))]
pub(crate) struct Hosts {
    /// What to do instead of listing
    #[arg(
        value_name = "explain",
        ignore_case = true,
        hide_possible_values = true,
        requires = "url"
    )]
    pub(crate) action: Option<HostsAction>,
    /// The URL or host
    #[arg(value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The account.
    #[command(flatten)]
    pub(crate) account: ActingAccount,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}

/// What `hosts` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HostsAction {
    /// Say what would be sent to a host, and why
    Explain,
}
