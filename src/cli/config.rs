//! `config …`.

use clap::Subcommand;

use super::Global;

/// Commands of `config`.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum ConfigCommand {
    /// Show settings
    Get(ConfigGet),
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
            Self::Set(command) => &command.global,
            Self::Unset(command) => &command.global,
        }
    }
}

/// Show settings.
#[derive(Debug, clap::Args)]
pub struct ConfigGet {
    /// Setting (section.name) or section [default: all]
    #[arg(value_name = "KEY")]
    pub key: Option<String>,
    /// Settings of the working directory only
    #[arg(long)]
    pub local: bool,
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
}

/// Change settings.
#[derive(Debug, clap::Args)]
pub struct ConfigSet {
    /// Settings with their values: section.name=value
    #[arg(value_name = "KEY_VALUE", required = true)]
    pub key_value: Vec<String>,
    /// Keep them with the working directory
    #[arg(long)]
    pub local: bool,
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
}

/// Remove settings.
#[derive(Debug, clap::Args)]
pub struct ConfigUnset {
    /// Settings: section.name
    #[arg(value_name = "KEY", required = true)]
    pub key: Vec<String>,
    /// Those of the working directory
    #[arg(long)]
    pub local: bool,
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
}
