//! `vault …`.

use clap::Subcommand;

use super::Global;

/// Commands of `vault`.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum VaultCommand {
    /// Forget the key that the kernel's keyring keeps, until `azt vault unlock`
    #[command(after_help = "Examples:\n  \
        azt vault lock")]
    Lock {
        /// Options of every command.
        #[command(flatten)]
        global: Global,
    },
    /// Move the vault's key, and re-encrypt everything
    Move(VaultMove),
    /// Ask for the passphrase, and keep the key in the kernel's keyring for a while
    #[command(after_help = "Examples:\n  \
        azt vault unlock")]
    Unlock {
        /// Options of every command.
        #[command(flatten)]
        global: Global,
    },
}

impl VaultCommand {
    /// Options of every command.
    pub(super) fn global(&self) -> &Global {
        match self {
            Self::Move(command) => &command.global,
            Self::Lock { global } | Self::Unlock { global } => global,
        }
    }
}

/// Move the vault's key, and re-encrypt everything.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt vault move --to keyring\n  \
    azt vault move --to passphrase    for a machine without a keyring")]
pub(crate) struct VaultMove {
    /// keyring, passphrase, kernel (until the machine restarts, which ends all sign-ins), env
    /// (AZT_VAULT_KEY) or file
    #[arg(long, value_name = "SOURCE")]
    pub(crate) to: String,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Check for problems and suggest repairs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt doctor\n  \
    azt doctor --offline\n  \
    azt doctor --query \"[?state!='ok']\"")]
#[command(mut_arg("output", super::global::without_default))]
pub(crate) struct Doctor {
    /// Do not use the network
    #[arg(long)]
    pub(crate) offline: bool,
    /// Show which problems azt can repair without losing anything, ask, repair them and check again
    #[arg(long)]
    pub(crate) fix: bool,
    /// With --fix: do not ask for confirmation
    #[arg(long, short, requires = "fix")]
    pub(crate) yes: bool,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}
