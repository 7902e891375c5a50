//! `token`.

use clap::ValueEnum;

use super::{GetAccessToken, Global};

/// The shape of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TokenFormat {
    /// The token alone
    Token,
    /// Authorization: Bearer TOKEN
    Header,
    /// Bearer TOKEN
    Bearer,
    /// The JSON of `azt account get-access-token`
    Json,
    /// Variables for a POSIX shell
    Env,
    /// Variables for fish
    Fish,
    /// Variables for PowerShell
    Powershell,
    /// Variables as lines of a .env file
    Dotenv,
    /// Lines of a netrc file
    Netrc,
    /// The token alone, as a password
    Password,
    /// The AUTH command of Redis
    Redis,
    /// The bytes of ODBC's SQL_COPT_SS_ACCESS_TOKEN
    Odbc,
    /// The answer to Google's client libraries (executable-sourced credentials)
    GoogleExecutable,
    /// The answer to Bazel (credential helper), which asks on standard input
    Bazel,
}

/// Print an access token.
#[allow(clippy::struct_excessive_bools, reason = "the flags are independent")]
#[derive(Debug, clap::Args)]
#[command(after_help = super::TOKEN_EXAMPLES)]
#[command(mut_arg("output", super::global::without_default))]
pub(crate) struct Token {
    /// What the token is for: a service (arm, graph, vault, storage, sql, postgres, devops, aks, …),
    /// the URL of one, a resource, or a scope that ends with /.default [default: arm]
    #[arg(value_name = "WHAT")]
    pub(crate) what: Option<String>,
    /// What the token is for, as WHAT, but only a host that gets tokens (see `azt hosts`), a service,
    /// or a program: postgres=HOST, mysql=HOST, redis=HOST, databricks=HOST, feeds
    #[arg(long = "for", value_name = "WHAT", conflicts_with = "what")]
    pub(crate) target: Option<String>,
    /// The shape to print it in [default: token]
    #[arg(long, value_name = "FORMAT", ignore_case = true)]
    pub(crate) format: Option<TokenFormat>,
    /// Print the HTTP header: Authorization: Bearer TOKEN
    #[arg(long)]
    pub(crate) header: bool,
    /// Print JSON, as `azt account get-access-token` does
    #[arg(long)]
    pub(crate) json: bool,
    /// Print the token's claims instead of the token; they are not verified
    #[arg(long)]
    pub(crate) decode: bool,
    /// Get a new token if the cached one is valid for less than this (90s, 20m, 1h30m)
    #[arg(long, value_name = "TIME")]
    pub(crate) min_lifetime: Option<String>,
    /// Get a new token
    #[arg(long)]
    pub(crate) force_refresh: bool,
    /// The options of `account get-access-token`.
    #[command(flatten)]
    pub(crate) request: GetAccessToken,
}

impl Token {
    /// Options of every command.
    pub(super) fn global(&self) -> &Global {
        &self.request.global
    }
}
