//! `shim …`.

use std::path::PathBuf;

use clap::Subcommand;

use super::Global;

/// Commands of `shim`.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum ShimCommand {
    /// Make this program answer to the name az
    Install(ShimChange),
    /// Take the name az away again
    Remove(ShimChange),
    /// Show which az programs PATH has, and which of them is this one
    Status {
        /// Options of every command.
        #[command(flatten)]
        global: Global,
    },
}

impl ShimCommand {
    /// Options of every command.
    pub(super) fn global(&self) -> &Global {
        match self {
            Self::Install(command) | Self::Remove(command) => &command.global,
            Self::Status { global } => global,
        }
    }
}

/// Make or remove the name.
#[derive(Debug, clap::Args)]
pub(crate) struct ShimChange {
    /// Folder of the name [default: where this program is]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) dir: Option<PathBuf>,
    /// Do it without asking
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}
