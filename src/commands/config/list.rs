//! `config list`: every setting, set or not, with its meaning.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::super::{Answer, rows};
use crate::accounts::Context;
use crate::cli::ConfigList;
use crate::error::Result;
use crate::foreign::Sentence;
use crate::output::{WIDTH, wrapped};
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
    let found = found(&config)?;
    let terminal = &context.system.terminal;
    let flaws = known::ALL.iter().filter_map(|setting| config.check(setting).err());
    let global = &request.global;
    let is_format_chosen =
        global.output.is_some() || global.query.is_some() || config.find(&known::OUTPUT)?.is_some();
    let answer = if terminal.stdout_is_tty() && !is_format_chosen {
        terminal.result(&shown(&found))?;
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

/// The settings of the table, then the others that are set.
fn found(config: &Config<'_>) -> Result<Vec<Row>> {
    let of_table = known::ALL.iter().map(|setting| {
        let set = config.find(setting)?.map(|item| (item.value, item.source));
        let (value, source) = set.unwrap_or_else(|| (setting.default(), DEFAULT.to_owned()));
        Ok(Row { name: setting.key(), value, source, about: setting.about })
    });
    let mut found = of_table.collect::<Result<Vec<_>>>()?;
    let mut sections: Vec<&str> = vec![known::CORE];
    sections.extend(config.sections().filter(|section| *section != known::CORE));
    for section in sections {
        for item in config.items(section)? {
            if known::find(section, &item.name).is_some() {
                continue;
            }
            let about = match known::unknown(section, &item.name) {
                Some(_) => "Neither azt nor az has such a setting.",
                None if section == known::CORE => "A setting of az that azt ignores.",
                None => "Not read by azt: a setting of az, of an extension or of another program.",
            };
            let name = format!("{section}.{}", item.name);
            found.push(Row { name, value: item.value, source: item.source, about });
        }
    }
    Ok(found)
}

fn to_value(row: &Row) -> Value {
    json!({"name": row.name, "value": row.value, "source": row.source, "about": row.about})
}

/// The rows as text for a terminal: two lines or more each.
fn shown(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        // A value may have line breaks.
        let (name, value) = (Sentence::new(&row.name), Sentence::new(&row.value));
        let line = format!("{name:<26} {value:<10} {}", row.source);
        if line.chars().count() <= WIDTH {
            let _ = writeln!(text, "{line}");
        } else {
            let _ = writeln!(text, "{name:<26} {value}\n    from {}", row.source);
        }
        text.push_str(&wrapped(row.about, 4));
    }
    text
}
