//! Formats results for stdout: every `--output` format and `--query`, to the byte as az 2.91 prints
//! them.
//!
//! A command returns a [`serde_json::Value`] with its keys in az's order; a [`Render`] applies the
//! query and writes the format. The formats are those of knack 0.14 and its libraries:
//!
//! | file | replaces |
//! |---|---|
//! | [`mod@format`] | the choices of `--output` |
//! | `json`, `colour` | `json.dumps` and pygments (`jsonc`) |
//! | `yaml`, `yaml_scalar`, `yaml_resolver` | PyYAML's `safe_dump` (`yaml`, `yamlc`) |
//! | `table` | knack's choice of columns, tabulate's layout |
//! | `tsv` | knack's rows |
//! | [`query`] | jmespath.py (`--query`) |
//! | `failure` | nothing in az: an error as JSON, on stderr |
//! | `wrap` | nothing in az: text for people, in lines |
//! | `datum`, `python` | Python's values and their text forms |
//!
//! The text may hold an access token. It is therefore built in memory that is wiped ([`zeroize`]),
//! and strings are borrowed from the answer instead of copied.

pub(crate) mod format;
pub(crate) mod query;

mod colour;
mod datum;
mod failure;
mod json;
mod python;
mod sink;
mod table;
mod tsv;
mod wrap;
mod yaml;
mod yaml_resolver;
mod yaml_scalar;

use serde_json::Value;
use table::Columns;
use zeroize::Zeroizing;

pub(crate) use failure::failure;
pub use format::Format;
pub(crate) use query::QUERY_REFERENCE;
pub use query::{Query, QueryError};
pub(crate) use wrap::wrapped;

use datum::Datum;
use sink::Sink;

/// How to print an answer.
#[derive(Clone, Copy, Default)]
pub struct Render<'a> {
    /// The format of `--output`.
    pub format: Format,
    /// The query of `--query`, if one was given.
    pub query: Option<&'a Query>,
    /// Makes the table's rows, with the columns in order, from the answer. Not used with a query,
    /// which chooses its own columns.
    pub table: Option<fn(&Value) -> Value>,
    /// True if stdout takes colour. Otherwise `jsonc` equals `json`. `yamlc` always equals `yaml`.
    pub colour: bool,
}

impl Render<'_> {
    /// Returns the exact text for stdout, including the last line feed. It is empty if az prints
    /// nothing: for null in every format, for [`Format::None`], and for an empty list as tsv.
    ///
    /// The text is wiped on drop.
    ///
    /// # Errors
    ///
    /// The query cannot be evaluated on this answer, also for [`Format::None`].
    pub fn render(&self, answer: &Value) -> Result<Zeroizing<String>, QueryError> {
        let result = match self.query {
            Some(query) => query.run(answer)?,
            None => answer.into(),
        };
        let mut sink = Sink::default();
        if !matches!(result, Datum::Null) {
            self.write(answer, &result, &mut sink);
        }
        Ok(sink.finish())
    }

    fn write(&self, answer: &Value, result: &Datum<'_>, sink: &mut Sink) {
        match self.format {
            Format::Jsonc if self.colour => {
                let mut json = Sink::default();
                json::write(result, &mut json);
                colour::write_json(json.as_str(), sink);
            }
            Format::Json | Format::Jsonc => json::write(result, sink),
            Format::Yaml | Format::Yamlc => yaml::write(result, sink),
            Format::Table => match (self.query, self.table) {
                (Some(_), _) => table::write(result, Columns::AsGiven, sink),
                (None, Some(shown)) => {
                    table::write(&(&shown(answer)).into(), Columns::AsGiven, sink);
                }
                (None, None) => table::write(result, Columns::Sorted, sink),
            },
            Format::Tsv => tsv::write(result, sink),
            Format::None => {}
        }
    }
}
