//! `config …`.

use clap::Subcommand;

use super::Global;

/// Commands of `config`.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum ConfigCommand {
    /// Show settings
    Get(ConfigGet),
    /// List all settings with value, source and meaning
    List(ConfigList),
    /// Change settings
    Set(ConfigSet),
    /// Remove settings
    Unset(ConfigUnset),
}

impl ConfigCommand {
    /// Options of every command.
    pub(super) fn global(&self) -> &Global {
        match self {
            Self::Get(command) => &command.global,
            Self::List(command) => &command.global,
            Self::Set(command) => &command.global,
            Self::Unset(command) => &command.global,
        }
    }
}

/// Show settings.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt config get\n  \
    azt config get core.output")]
pub(crate) struct ConfigGet {
    /// Setting (section.name) or section [default: all]
    #[arg(value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// Include settings of the working directory and its parents
    #[arg(long)]
    pub(crate) local: bool,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}

/// List all settings with value, source and meaning.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt config list")]
pub(crate) struct ConfigList {
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Change settings.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt config set core.output=table\n  \
    azt config set --local core.output=jsonc core.only_show_errors=yes")]
pub(crate) struct ConfigSet {
    /// Settings with their values: section.name=value
    #[arg(value_name = "KEY_VALUE", required = true)]
    pub(crate) key_value: Vec<String>,
    /// Store them in the working directory
    #[arg(long)]
    pub(crate) local: bool,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Remove settings.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt config unset core.output")]
pub(crate) struct ConfigUnset {
    /// Settings: section.name
    #[arg(value_name = "KEY", required = true)]
    pub(crate) key: Vec<String>,
    /// Search the working directory and its parents first
    #[arg(long)]
    pub(crate) local: bool,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}
