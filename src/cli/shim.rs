//! `shim …`.

use std::path::PathBuf;

use clap::Subcommand;

use super::Global;

/// Commands of `shim`.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum ShimCommand {
    /// Install this program under the name az
    #[command(after_help = "Examples:\n  \
        azt shim install\n  \
        azt shim install --dir ~/bin --yes")]
    Install(ShimChange),
    /// Remove this program's az
    #[command(after_help = "Examples:\n  \
        azt shim remove\n  \
        azt shim remove --dir ~/bin")]
    Remove(ShimChange),
    /// List the az programs on PATH, and whether each is this program
    #[command(after_help = "Examples:\n  \
        azt shim status")]
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

// No doc comment, because clap would show it as the help of both commands.
#[allow(missing_docs, reason = "see above")]
#[derive(Debug, clap::Args)]
pub(crate) struct ShimChange {
    /// Folder for az [default: the folder of this program]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) dir: Option<PathBuf>,
    /// Do not ask for confirmation
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}
