//! The command line as data: clap types, one file per command group.
//!
//! `parse` converts an argument vector into these types with clap and argparse's rules, as in az.

mod account;
mod acting_account;
mod argparse;
mod at_file;
mod cache;
mod ci;
mod circle;
mod cloud;
mod completion;
mod config;
mod exec;
mod expected;
mod global;
mod habits;
mod help;
mod hosts;
mod hot;
mod login;
mod parse;
mod rest;
mod serve;
mod shim;
mod switch;
mod token;
mod topic;
mod tree;
mod vault;
mod whoami;

use std::convert::Infallible;

use clap::{Parser, Subcommand};

pub(crate) use account::{
    AccountCommand, AccountList, AccountListLocations, AccountSet, AccountShow, GetAccessToken,
    TenantCommand,
};
pub(crate) use acting_account::ActingAccount;
pub(crate) use cache::{
    CacheClear, CacheCommand, CacheExport, CacheImport, CacheMigrate, CachePublish,
};
pub(crate) use ci::{Ci, Place};
pub(crate) use circle::without_circle;
pub(crate) use cloud::{CloudCommand, CloudDefinition, CloudRegister, CloudSet, CloudUpdate};
pub(crate) use completion::{Completion, Shell};
pub(crate) use config::{ConfigCommand, ConfigGet, ConfigList, ConfigSet, ConfigUnset};
pub(crate) use exec::Exec;
pub(crate) use expected::{Expected, expected, values_of};
pub(crate) use global::Global;
pub(crate) use hosts::Hosts;
pub(crate) use login::{Login, Logout, Pipeline};
pub(crate) use parse::{Invocation, Parsed, before_separator, parse, usage};
pub(crate) use rest::Rest;
pub(crate) use serve::{Serve, Shown};
pub(crate) use shim::{ShimChange, ShimCommand};
pub(crate) use switch::Switch;
pub(crate) use token::{Token, TokenFormat};
pub(crate) use topic::Topic;
pub(crate) use tree::{EXAMPLES, all_commands};
pub(crate) use vault::{Doctor, VaultCommand, VaultMove};
pub(crate) use whoami::Whoami;

use crate::secret::Secret;

/// Signs users, apps and workloads in to Microsoft Entra ID and issues their access tokens.
#[derive(Debug, Parser)]
#[command(
    name = "azt",
    disable_help_subcommand = true,
    disable_version_flag = true,
    subcommand_required = true,
    max_term_width = 100,
    after_help = "Sign in once with `azt login`; then every `azt account get-access-token` answers from an \
                  encrypted cache and refreshes tokens itself. Linked or copied as `az`, it stands in for the Azure CLI \
                  in scripts and SDKs.\n\n\
                  Run `azt <command> --help` for a command's arguments."
)]
pub(crate) struct Cli {
    /// The command to run.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The end of the help of `token`.
const TOKEN_EXAMPLES: &str = "Examples:\n  \
    azt token\n  \
    azt token graph\n  \
    azt token https://myvault.vault.azure.net/secrets/x\n  \
    azt token vault --header\n  \
    azt token --for postgres=db.postgres.database.azure.com --format env\n  \
    azt token arm --decode";

/// The command groups.
#[allow(clippy::large_enum_variant, reason = "there is one, and clap wants it unboxed")]
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    /// Sign in to Azure
    Login(Login),
    /// Sign out: remove an account's tokens and its subscriptions
    Logout(Logout),
    /// Show and choose subscriptions, get access tokens
    #[command(subcommand)]
    Account(AccountCommand),
    /// Change the default subscription: from a list, by words, or back
    Switch(Switch),
    /// Inspect, move, re-encrypt and share stored sign-ins
    #[command(subcommand)]
    Cache(CacheCommand),
    /// Print a snippet that signs a CI job, an image or a pod in
    Ci(Ci),
    /// Choose, add and change clouds: public, national, private
    #[command(subcommand)]
    Cloud(CloudCommand),
    /// Print a shell's completion script
    Completion(Completion),
    /// Read and change settings
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Check for problems and suggest repairs
    Doctor(Doctor),
    /// Run a program that can get tokens
    Exec(Exec),
    /// List the hosts that get tokens, or explain what one would get
    Hosts(Hosts),
    /// Answer azt on the other side of WSL: one line of JSON each way
    #[command(hide = true)]
    IdentityBroker {
        /// Options of every command.
        #[command(flatten)]
        global: Global,
    },
    /// Send a request to a service, with a token
    Rest(Rest),
    /// Hand out tokens to programs on this machine until stopped
    Serve(Serve),
    /// Stand in for `az`
    #[command(subcommand)]
    Shim(ShimCommand),
    /// Print an access token
    Token(Token),
    /// Move the vault's key
    #[command(subcommand)]
    Vault(VaultCommand),
    /// Show the version
    #[command(after_help = "Examples:\n  \
        azt version\n  \
        azt version --query azt -o tsv")]
    Version {
        /// Accepted for compatibility with az; warns if there is no such subscription
        #[arg(long, hide = true)]
        subscription: Option<String>,
        /// Options of every command.
        #[command(flatten)]
        global: Global,
    },
    /// Show who is signed in, and why this account is used
    #[command(visible_alias = "status")]
    Whoami(Whoami),
}

impl Command {
    /// The options of every command. Each leaf command has its own: az rejects them before the
    /// command.
    pub(crate) fn global(&self) -> &Global {
        match self {
            Self::Login(command) => &command.global,
            Self::Logout(command) => &command.global,
            Self::Account(command) => command.global(),
            Self::Cache(command) => command.global(),
            Self::Ci(command) => &command.global,
            Self::Cloud(command) => command.global(),
            Self::Completion(command) => &command.global,
            Self::Config(command) => command.global(),
            Self::Doctor(command) => &command.global,
            Self::Exec(command) => &command.global,
            Self::Hosts(command) => &command.global,
            Self::Rest(command) => &command.global,
            Self::Serve(command) => &command.global,
            Self::Shim(command) => command.global(),
            Self::Switch(command) => &command.global,
            Self::Token(command) => command.global(),
            Self::Vault(command) => command.global(),
            Self::Whoami(command) => &command.show.global,
            Self::Version { global, .. } | Self::IdentityBroker { global } => global,
        }
    }
}

/// The value parser of secret options.
#[allow(clippy::unnecessary_wraps, reason = "the signature that clap demands of a value parser")]
fn secret(text: &str) -> Result<Secret, Infallible> {
    Ok(Secret::new(text))
}
