//! Options of every command.

use clap::Arg;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::output::Format;

/// Names of the output formats, in az's order.
const FORMATS: [&str; 7] = ["json", "jsonc", "yaml", "yamlc", "table", "tsv", "none"];

/// `--output` of a command that prints a text for people unless a format is named.
pub(super) fn without_default(output: Arg) -> Arg {
    output.help(format!("{} [default: text]", FORMATS.join(", ")))
}

// Options of every command. No doc comment, because clap would show it as the help of each command.
#[allow(
    missing_docs,
    clippy::struct_excessive_bools,
    reason = "see above; and they are independent flags"
)]
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// json, jsonc, yaml, yamlc, table, tsv or none [default: json]
    #[arg(long, short, ignore_case = true, hide_possible_values = true,
          value_name = "FORMAT",
          value_parser = PossibleValuesParser::new(FORMATS).try_map(|name| name.parse::<Format>()))]
    pub(crate) output: Option<Format>,
    /// JMESPath expression to select from the result (see jmespath.org)
    #[arg(long, value_name = "JMESPATH")]
    pub(crate) query: Option<String>,
    /// Format of errors on standard error: text or json [default: text]
    #[arg(long, ignore_case = true, hide_possible_values = true, value_name = "FORMAT",
          value_parser = ["text", "json"])]
    pub(crate) error_format: Option<String>,
    /// Hide warnings
    #[arg(long)]
    pub(crate) only_show_errors: bool,
    /// Show progress messages
    #[arg(long)]
    pub(crate) verbose: bool,
    /// Show debug messages
    #[arg(long)]
    pub(crate) debug: bool,
    /// Accepted for compatibility with az; has no effect
    #[arg(long, hide = true)]
    pub(crate) acquire_policy_token: bool,
    /// Accepted for compatibility with az; has no effect
    #[arg(long, hide = true)]
    pub(crate) change_reference: Option<String>,
}
