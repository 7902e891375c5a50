//! `exec`.

use std::ffi::OsString;

use super::{ActingAccount, Global};

/// Run a program that can get tokens
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt exec -- python job.py\n  \
    azt exec --resource vault --resource storage -- ./sync.sh\n  \
    azt exec --account ci@contoso.example -- terraform plan\n  \
    azt exec --for postgres=db.postgres.database.azure.com -- psql -d app\n  \
    azt exec --for feeds --no-endpoint -- npm ci\n  \
    azt exec --timeout 10m -- npm test\n\n\
    Every Azure SDK finds the tokens: the program and the programs that it starts see a managed\n\
    identity of Azure App Service on this machine (IDENTITY_ENDPOINT, IDENTITY_HEADER), and azd an\n\
    external sign-in (AZD_AUTH_ENDPOINT, AZD_AUTH_KEY). It ends with the program.")]
pub(crate) struct Exec {
    /// Set what a program reads: postgres=HOST, mysql=HOST, redis=HOST, databricks=HOST, feeds,
    /// terraform, azcopy, or any host or service; may be repeated
    #[arg(long = "for", value_name = "WHAT", action = clap::ArgAction::Append)]
    pub(crate) targets: Vec<String>,
    /// Resource that tokens may be for, as in `azt token WHAT`; may be repeated [default: every one]
    #[arg(long, value_name = "RESOURCE", action = clap::ArgAction::Append)]
    pub(crate) resource: Vec<String>,
    /// Set variables only: no endpoint, and the program replaces azt
    #[arg(long)]
    pub(crate) no_endpoint: bool,
    /// End the program after this time (90s, 20m, 1h30m): exit code 124
    #[arg(long, value_name = "TIME")]
    pub(crate) timeout: Option<String>,
    /// Write a line for each token that is handed out to this file, or to the `journal`
    #[arg(long, value_name = "FILE")]
    pub(crate) audit: Option<String>,
    /// The account.
    #[command(flatten)]
    pub(crate) account: ActingAccount,
    /// The program and its arguments, after `--`
    #[arg(value_name = "PROGRAM", num_args = 1.., required = true, value_parser = clap::builder::OsStringValueParser::new())]
    pub(crate) program: Vec<OsString>,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}
