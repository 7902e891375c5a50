//! `cache …`.

use std::path::PathBuf;

use clap::Subcommand;

use super::Global;

/// Commands of `cache`.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum CacheCommand {
    /// Forget access tokens, or with --all every sign-in
    Clear(CacheClear),
    /// Write everything stored to a file or a pipe, in plain text
    Export(CacheExport),
    /// Take over a file of `export`, of any MSAL, or what other programs share
    Import(CacheImport),
    /// List what is stored, without secrets
    List {
        /// Options of every command.
        #[command(flatten)]
        global: Global,
    },
    /// Take over the sign-ins of the real az, of today and of before 2.30
    Migrate(CacheMigrate),
    /// Give people's sign-ins to the cache that Azure SDKs share
    Publish(CachePublish),
    /// Seal everything anew, with a new key
    Rekey {
        /// Options of every command.
        #[command(flatten)]
        global: Global,
    },
    /// Show what is stored, where, and which plain text lies around
    Status {
        /// Options of every command.
        #[command(flatten)]
        global: Global,
    },
}

impl CacheCommand {
    /// Options of every command.
    pub(super) fn global(&self) -> &Global {
        match self {
            Self::Clear(command) => &command.global,
            Self::Export(command) => &command.global,
            Self::Import(command) => &command.global,
            Self::Migrate(command) => &command.global,
            Self::Publish(command) => &command.global,
            Self::List { global } | Self::Rekey { global } | Self::Status { global } => global,
        }
    }
}

/// Forget.
#[derive(Debug, clap::Args)]
pub(crate) struct CacheClear {
    /// Forget people and applications too; subscriptions stay listed
    #[arg(long)]
    pub(crate) all: bool,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Write out.
#[derive(Debug, clap::Args)]
pub(crate) struct CacheExport {
    /// The file to write, readable by you alone [default: standard output, if that is no terminal]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Only what belongs to this user name or client id
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// With the certificate files, commands and pipelines that applications sign in with
    #[arg(long)]
    pub(crate) with_sources: bool,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Read in.
#[derive(Debug, clap::Args)]
pub(crate) struct CacheImport {
    /// The file to read, or - for standard input [default: the cache that Azure SDKs share]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Name of the shared cache [default: msal.cache]
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    pub(crate) name: Option<String>,
    /// The cloud of applications of which neither the file nor the profile says it
    #[arg(long, value_name = "NAME")]
    pub(crate) cloud: Option<String>,
    /// Let applications sign in with the files, commands and pipelines that the file names, without
    /// asking
    #[arg(long, requires = "file")]
    pub(crate) with_sources: bool,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Take over from az.
#[derive(Debug, clap::Args)]
pub(crate) struct CacheMigrate {
    /// Say what would be taken over, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Remove accessTokens.json when everything in it is safe (core.remove_migrated)
    #[arg(long)]
    pub(crate) remove: bool,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Give to SDKs.
#[derive(Debug, clap::Args)]
pub(crate) struct CachePublish {
    /// Only this person
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// Name of the shared cache [default: msal.cache]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Write plain text where there is no keyring to encrypt with
    #[arg(long)]
    pub(crate) allow_unencrypted: bool,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}
