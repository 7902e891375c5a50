//! `config list`: every setting, set or not, with its meaning.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::super::{Answer, is_for_people, rows};
use crate::accounts::Context;
use crate::cli::ConfigList;
use crate::error::{Error, Result};
use crate::foreign::Sentence;
use crate::output::wrapped;
use crate::settings::{Config, known};

/// The source of a value that nothing sets.
const DEFAULT: &str = "default";

struct Row {
    /// `section.name`.
    name: String,
    value: String,
    /// The path of the file, the name of the variable, or [`DEFAULT`].
    source: String,
    about: &'static str,
}

pub(super) fn list(request: &ConfigList, context: &Context<'_>) -> Result<Answer> {
    let config = Config::load(context.system, &context.dir)?;
    let (found, flaws) = found(&config);
    let terminal = &context.system.terminal;
    let answer = if is_for_people(&request.global, context) {
        terminal.result(&shown(&found, terminal.text_width()))?;
        Answer::none()
    } else {
        let columns = |list: &Value| {
            rows(list, &[("Name", "name"), ("Value", "value"), ("Source", "source")])
        };
        Answer::with_columns(found.iter().map(to_value).collect(), columns)
    };
    for flaw in flaws {
        terminal.warn(flaw.message());
    }
    Ok(answer)
}

/// The settings of the table, then the others that are set, and what is wrong with values.
fn found(config: &Config<'_>) -> (Vec<Row>, Vec<Error>) {
    let mut flaws: Vec<Error> =
        known::ALL.iter().filter_map(|setting| config.check(setting).err()).collect();
    let of_table = known::ALL.iter().map(|setting| {
        let items = config.readable_items(setting.section);
        let set = items.into_iter().find(|(item, _)| item.name == setting.name);
        let set = set.map(|(item, _)| (item.value, item.source));
        let (value, source) = set.unwrap_or_else(|| (setting.default(), DEFAULT.to_owned()));
        Row { name: setting.key(), value, source, about: setting.about }
    });
    let mut found: Vec<Row> = of_table.collect();
    let mut sections: Vec<&str> = vec![known::CORE];
    sections.extend(config.sections().filter(|section| *section != known::CORE));
    for section in sections {
        for (item, flaw) in config.readable_items(section) {
            if known::find(section, &item.name).is_some() {
                continue;
            }
            flaws.extend(flaw);
            let about = match known::unknown(section, &item.name) {
                Some(_) => "Neither azt nor az has such a setting.",
                None if section == known::CORE => "A setting of az that azt ignores.",
                None => "Not read by azt: a setting of az, of an extension or of another program.",
            };
            let name = format!("{section}.{}", item.name);
            found.push(Row { name, value: item.value, source: item.source, about });
        }
    }
    (found, flaws)
}

fn to_value(row: &Row) -> Value {
    json!({"name": row.name, "value": row.value, "source": row.source, "about": row.about})
}

/// The rows as text for a terminal: two lines or more each.
fn shown(rows: &[Row], width: usize) -> String {
    let mut text = String::new();
    for row in rows {
        // A value may have line breaks.
        let (name, value) = (Sentence::new(&row.name), Sentence::new(&row.value));
        let line = format!("{name:<26} {value:<10} {}", row.source);
        if line.chars().count() <= width {
            let _ = writeln!(text, "{line}");
        } else {
            let _ = writeln!(text, "{name:<26} {value}\n    from {}", row.source);
        }
        text.push_str(&wrapped(row.about, 4, width));
    }
    text
}
