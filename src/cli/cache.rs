//! `cache …`.

use std::path::PathBuf;

use clap::Subcommand;

use super::Global;

/// Commands of `cache`.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum CacheCommand {
    /// Remove access tokens, or with --all every sign-in
    Clear(CacheClear),
    /// Export everything stored to a file or a pipe, in plain text
    Export(CacheExport),
    /// Import a file of `export`, an MSAL cache, or the cache that Azure SDKs share
    Import(CacheImport),
    /// List what is stored, without secrets
    #[command(after_help = "Examples:\n  \
        azt cache list -o table")]
    List {
        /// Options of every command.
        #[command(flatten)]
        global: Global,
    },
    /// Copy the sign-ins of the real az, including those of versions before 2.30
    Migrate(CacheMigrate),
    /// Copy users' sign-ins to the cache that Azure SDKs share
    Publish(CachePublish),
    /// Re-encrypt everything with a new key
    #[command(after_help = "Examples:\n  \
        azt cache rekey")]
    Rekey {
        /// Options of every command.
        #[command(flatten)]
        global: Global,
    },
    /// Show what is stored, where, and which files hold plain-text secrets
    #[command(after_help = "Examples:\n  \
        azt cache status")]
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

/// Remove access tokens, or with --all every sign-in.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt cache clear          access tokens: the next call gets a new one\n  \
    azt cache clear --all    every sign-in")]
pub(crate) struct CacheClear {
    /// Remove users and applications too; subscriptions stay listed
    #[arg(long)]
    pub(crate) all: bool,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Export everything stored to a file or a pipe, in plain text.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt cache export --file sign-ins.json\n  \
    azt cache export --account alice@contoso.example | ssh build azt cache import --file -")]
pub(crate) struct CacheExport {
    /// The file to write, readable only by you [default: standard output, unless it is a terminal]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Only this user name or client id
    #[arg(long, value_name = "NAME")]
    pub(crate) account: Option<String>,
    /// Include applications that sign in with certificate files, commands or pipelines
    #[arg(long)]
    pub(crate) with_sources: bool,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Import a file of `export`, an MSAL cache, or the cache that Azure SDKs share.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt cache import                          from the cache that Azure SDKs share\n  \
    azt cache import --file sign-ins.json")]
pub(crate) struct CacheImport {
    /// The file to read, or - for standard input [default: the cache that Azure SDKs share]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Name of the shared cache [default: msal.cache]
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    pub(crate) name: Option<String>,
    /// Cloud of applications for which neither the file nor the profile names one
    #[arg(long, value_name = "NAME")]
    pub(crate) cloud: Option<String>,
    /// Accept applications that sign in with files, commands or pipelines named in the file,
    /// without asking
    #[arg(long, requires = "file")]
    pub(crate) with_sources: bool,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Copy the sign-ins of the real az, including those of versions before 2.30.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt cache migrate --dry-run\n  \
    azt cache migrate\n  \
    azt cache migrate --remove")]
pub(crate) struct CacheMigrate {
    /// Show what would be copied, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Remove az's files once the vault has every sign-in in them
    #[arg(long)]
    pub(crate) remove: bool,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Copy users' sign-ins to the cache that Azure SDKs share.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt cache publish\n  \
    azt cache publish --account alice@contoso.example")]
pub(crate) struct CachePublish {
    /// Only this user
    #[arg(long, value_name = "NAME")]
    pub(crate) account: Option<String>,
    /// Name of the shared cache [default: msal.cache]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Also write plain text, for machines without a keyring
    #[arg(long)]
    pub(crate) allow_unencrypted: bool,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}
