//! `config get`, `config list`, `config set`, `config unset`.

mod list;

use serde_json::{Value, json};

use super::Answer;
use crate::accounts::Context;
use crate::broker;
use crate::cli::{ConfigCommand, ConfigGet, ConfigSet, ConfigUnset};
use crate::error::{Error, Kind, Result};
use crate::foreign::Typed;
use crate::hosts::check_setting;
use crate::output::Format;
use crate::program::Program;
use crate::settings::{Config, known};
use crate::sys::Folder;
use list::list;

/// The default output format.
pub(crate) fn default_format(context: &Context<'_>) -> Result<Format> {
    Ok(context.config.word(&known::OUTPUT)?.parse().unwrap_or_default())
}

pub(super) fn run(command: &ConfigCommand, context: &Context<'_>) -> Result<Answer> {
    if context.system.program == Program::Az {
        context.system.terminal.warn("Command group 'config' is experimental and under development. Reference and support levels: https://aka.ms/CLI_refstatus");
    }
    match command {
        ConfigCommand::Get(request) => get(request, context),
        ConfigCommand::List(request) => list(request, context),
        ConfigCommand::Set(request) => set(request, context),
        ConfigCommand::Unset(request) => unset(request, context),
    }
}

fn get(request: &ConfigGet, context: &Context<'_>) -> Result<Answer> {
    let load = if request.local { Config::load_with_local } else { Config::load };
    let config = load(context.system, &context.dir)?;
    let value = config.listing(request.key.as_deref())?;
    // az prints an empty line.
    let is_of_sections = request.key.as_deref().unwrap_or_default().is_empty();
    if is_of_sections && context.system.program == Program::Azt {
        return Ok(Answer::with_columns(value, rows_of_sections));
    }
    Ok(Answer::of(value))
}

/// The settings of all sections as rows of one table.
fn rows_of_sections(sections: &Value) -> Value {
    let row = |section: &str, item: &Value| {
        let text = |member| item.get(member).and_then(Value::as_str).unwrap_or_default();
        let key = format!("{section}.{}", text("name"));
        json!({"Name": key, "Value": text("value"), "Source": text("source")})
    };
    let sections = sections.as_object().into_iter().flatten();
    let rows = sections.flat_map(|(section, items)| {
        items.as_array().into_iter().flatten().map(move |item| row(section, item))
    });
    Value::Array(rows.collect())
}

fn set(request: &ConfigSet, context: &Context<'_>) -> Result<Answer> {
    let folder = folder(request.local, context)?;
    let pairs = request.key_value.iter().map(|pair| split(pair)).collect::<Result<Vec<_>>>()?;
    if context.system.program == Program::Azt {
        check(&pairs)?;
        check_key_source(&pairs, context)?;
    }
    Config::store(&context.dir, &folder, &pairs)?;
    Ok(Answer::none())
}

/// Refuses names in `core` that neither azt nor az knows, and invalid values. az stores them.
fn check(pairs: &[(&str, &str, &str)]) -> Result<()> {
    let flaw = |(section, option, value): &(&str, &str, &str)| {
        if let Some(checked) = check_setting(section, option) {
            return checked.err();
        }
        if let Some(unknown) = known::unknown(section, option) {
            return Some(Error::failed(unknown.text));
        }
        let setting = known::find(section, option)?;
        setting.check(value, || setting.key()).err()
    };
    let mut flaws = pairs.iter().filter_map(flaw);
    let Some(first) = flaws.next() else { return Ok(()) };
    let error = flaws.fold(first, |error, other| {
        let error = error.remedy(other.message());
        other.remedy_lines().iter().fold(error, Error::remedy)
    });
    Err(error
        .with_kind(Kind::Inapplicable)
        .remedy("Nothing was stored. All settings and their values: azt help settings"))
}

/// Refuses a key source beside a vault whose key is elsewhere: every later call would fail.
fn check_key_source(pairs: &[(&str, &str, &str)], context: &Context<'_>) -> Result<()> {
    let is_it = |section: &str, option: &str| {
        known::find(section, option).is_some_and(|it| it.key() == known::KEY_SOURCE.key())
    };
    let wanted = pairs.iter().rfind(|(section, option, _)| is_it(section, option));
    let Some(wanted) = wanted.map(|(.., value)| value.to_lowercase()) else { return Ok(()) };
    let inventory = broker::inventory(context.system, &context.dir).ok();
    let Some((source, _)) = inventory.and_then(|it| it.key) else { return Ok(()) };
    if wanted.is_empty() || wanted == "auto" || wanted == source.to_string() {
        return Ok(());
    }
    Err(Error::new(
        Kind::Inapplicable,
        format!("The vault key is kept in '{source}'. The setting alone does not move it."),
    )
    .remedy(format!("Nothing was stored. To move the key: azt vault move --to {wanted}"))
    .command(format!("azt vault move --to {wanted}")))
}

fn split(pair: &str) -> Result<(&str, &str, &str)> {
    pair.split_once('=')
        .and_then(|(key, value)| {
            let (section, option) = key.split_once('.')?;
            let value = if matches!(value, "''" | "\"\"") { "" } else { value };
            (!section.is_empty() && !option.is_empty()).then_some((section, option, value))
        })
        .ok_or_else(|| Error::new(Kind::Inapplicable, "usage error: [section].[name]=[value] ..."))
}

fn unset(request: &ConfigUnset, context: &Context<'_>) -> Result<Answer> {
    // Changes only the nearest file that has the setting, as az does.
    let load = if request.local { Config::load_with_local } else { Config::load };
    let config = load(context.system, &context.dir)?;
    let is_azt = context.system.program == Program::Azt;
    for key in &request.key {
        let (section, option) = key
            .split_once('.')
            .ok_or_else(|| Error::new(Kind::Inapplicable, "usage error: [section].[name]"))?;
        let mut was_set = false;
        for folder in config.folders() {
            was_set = Config::unset(&context.dir, folder, section, option)?;
            if was_set {
                break;
            }
        }
        // az says nothing; a setting that azt knows may well be unset already.
        if was_set || known::find(section, option).is_some() || !is_azt {
            continue;
        }
        if let Some(unknown) = known::unknown(section, option) {
            return Err(Error::new(Kind::Inapplicable, unknown.text)
                .remedy("All settings that are set: azt config get"));
        }
        context.system.terminal.plain(&format!("{} was not set.", Typed(key)));
    }
    Ok(Answer::none())
}

fn folder(local: bool, context: &Context<'_>) -> Result<Folder> {
    if local {
        Config::local_folder(context.system, &context.dir)
    } else {
        Ok(context.dir.folder().clone())
    }
}
