//! `whoami`.

use super::AccountShow;

/// Show who is signed in, and why this account is used.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt whoami\n  \
    azt whoami --account alice@contoso.example\n  \
    azt whoami --query user.name -o tsv")]
#[command(mut_arg("output", super::global::without_default))]
pub(crate) struct Whoami {
    /// The options of `account show`.
    #[command(flatten)]
    pub(crate) show: AccountShow,
    /// Show the application of AZURE_TENANT_ID and AZURE_CLIENT_ID
    #[arg(long)]
    pub(crate) identity_from_env: bool,
}
