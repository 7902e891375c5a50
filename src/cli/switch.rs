//! `switch`.

use super::Global;

/// Change the default subscription: from a list, by words, or back.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt switch                   choose from a list\n  \
    azt switch payments prod     the one whose name, tenant, user or id has these words\n  \
    azt switch -                 back to the one before")]
pub(crate) struct Switch {
    /// Id, name, or words that only one subscription has; - for the one before
    #[arg(value_name = "NAME", num_args = 0..)]
    pub(crate) name: Vec<String>,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}
