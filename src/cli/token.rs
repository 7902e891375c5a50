//! `token`.

use super::{GetAccessToken, Global};

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
