//! `whoami`.

use super::AccountShow;

/// Show who is signed in, and why this account is used.
#[derive(Debug, clap::Args)]
pub(crate) struct Whoami {
    /// The options of `account show`.
    #[command(flatten)]
    pub(crate) show: AccountShow,
    /// Show the application of AZURE_TENANT_ID and AZURE_CLIENT_ID
    #[arg(long)]
    pub(crate) identity_from_env: bool,
}
