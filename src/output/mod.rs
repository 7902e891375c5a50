//! What goes to stdout: every `--output` format and `--query`, to the byte as az 2.91 prints them.
//!
//! A command answers with a [`serde_json::Value`] whose keys stand in the order in which az builds them; a [`Render`]
//! applies the query and writes the format. The formats are those of knack 0.14, with the libraries that it calls:
//!
//! | file | stands in for |
//! |---|---|
//! | [`mod@format`] | the choices of `--output` |
//! | `json`, `colour` | `json.dumps` and pygments (`jsonc`) |
//! | `yaml`, `yaml_scalar`, `yaml_resolver` | PyYAML's `safe_dump` (`yaml`, `yamlc`) |
//! | `table` | knack's choice of columns, tabulate's layout |
//! | `tsv` | knack's rows |
//! | [`query`] | jmespath.py (`--query`) |
//! | `failure` | nothing of az's: a failure as JSON, on stderr |
//! | `datum`, `python` | Python's values and how it writes them |
//!
//! The text may hold an access token: it is built in memory that is wiped ([`zeroize`]), and strings are borrowed
//! from the answer until they are printed.

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

use datum::Datum;
use sink::Sink;

/// How one answer is to be printed.
#[derive(Clone, Copy, Default)]
pub struct Render<'a> {
    /// The format of `--output`.
    pub format: Format,
    /// The query of `--query`, if one was given.
    pub query: Option<&'a Query>,
    /// What the command shows as a table: rows with the wanted columns in the wanted order. Not asked when there is a
    /// query, which chooses its own columns.
    pub table: Option<fn(&Value) -> Value>,
    /// Whether stdout takes colour. Without it `jsonc` is `json`; `yamlc` is `yaml` in any case.
    pub colour: bool,
}

impl Render<'_> {
    /// The exact text for stdout, with its last newline. Empty where az prints nothing: for null in every format, for
    /// [`Format::None`], and for an empty list as tsv.
    ///
    /// The buffer is wiped when it is dropped.
    ///
    /// # Errors
    ///
    /// A query that cannot be run on this answer, also when the format is [`Format::None`].
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
