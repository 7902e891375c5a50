//! The command line as data: one file per command group, no behaviour.
//!
//! `parse` turns an argument vector into these types with az's habits (argparse's rules) laid over
//! clap; everything else here is clap's derive.

mod account;
mod argparse;
mod cache;
mod circle;
mod cloud;
mod config;
mod global;
mod hot;
mod login;
mod parse;
mod shim;
mod vault;

use std::convert::Infallible;

use clap::{Parser, Subcommand};

pub(crate) use account::{
    AccountCommand, AccountList, AccountListLocations, AccountSet, AccountShow, GetAccessToken,
    TenantCommand,
};
pub(crate) use cache::{
    CacheClear, CacheCommand, CacheExport, CacheImport, CacheMigrate, CachePublish,
};
pub(crate) use circle::without_circle;
pub(crate) use cloud::{CloudCommand, CloudDefinition, CloudRegister, CloudSet, CloudUpdate};
pub(crate) use config::{ConfigCommand, ConfigGet, ConfigSet, ConfigUnset};
pub(crate) use global::Global;
pub(crate) use login::{Login, Logout, Pipeline};
pub(crate) use parse::{Invocation, Parsed, before_separator, parse};
pub(crate) use shim::{ShimChange, ShimCommand};
pub(crate) use vault::{Doctor, VaultCommand, VaultMove};

use crate::secret::Secret;

/// Signs people, apps and workloads in to Microsoft Entra ID and hands out access tokens.
#[derive(Debug, Parser)]
#[command(
    name = "azt",
    disable_help_subcommand = true,
    disable_version_flag = true,
    subcommand_required = true,
    max_term_width = 100,
    after_help = "Sign in once with `azt login`; after that every `azt account get-access-token` answers from a \
                  sealed cache and renews on its own. Linked or copied as `az` it stands in for the Azure CLI \
                  wherever a script or an SDK asks that for tokens.\n\n\
                  Run `azt <command> --help` for a command's arguments."
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The command groups.
#[allow(clippy::large_enum_variant, reason = "there is one, and clap wants it unboxed")]
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    /// Sign in to Azure
    Login(Login),
    /// Sign out: forget an account's tokens and its subscriptions
    Logout(Logout),
    /// Show and choose subscriptions, get access tokens
    #[command(subcommand)]
    Account(AccountCommand),
    /// Look into what is stored; move it, seal it anew, share it
    #[command(subcommand)]
    Cache(CacheCommand),
    /// Choose and describe clouds: public, national, private
    #[command(subcommand)]
    Cloud(CloudCommand),
    /// Read and change settings
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Look for what is wrong, and say what to do
    Doctor(Doctor),
    /// Answer to the name az as well
    #[command(subcommand)]
    Shim(ShimCommand),
    /// Keep the vault's key somewhere else
    #[command(subcommand)]
    Vault(VaultCommand),
    /// Show the version
    Version {
        /// Accepted for az's sake: a warning says when there is no such subscription
        #[arg(long, hide = true)]
        subscription: Option<String>,
        /// Options of every command.
        #[command(flatten)]
        global: Global,
    },
}

impl Command {
    /// The options of every command, which sit on each leaf: az refuses them before the command.
    pub(crate) fn global(&self) -> &Global {
        match self {
            Self::Login(command) => &command.global,
            Self::Logout(command) => &command.global,
            Self::Account(command) => command.global(),
            Self::Cache(command) => command.global(),
            Self::Cloud(command) => command.global(),
            Self::Config(command) => command.global(),
            Self::Doctor(command) => &command.global,
            Self::Shim(command) => command.global(),
            Self::Vault(command) => command.global(),
            Self::Version { global, .. } => global,
        }
    }
}

/// The parser of options whose value is a secret.
#[allow(clippy::unnecessary_wraps, reason = "the signature that clap demands of a value parser")]
fn secret(text: &str) -> Result<Secret, Infallible> {
    Ok(Secret::new(text))
}
