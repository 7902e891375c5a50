//! `config get`, `config set`, `config unset`.

mod core_settings;

pub(crate) use core_settings::default_format;
pub(super) use core_settings::{SWITCHES, names, time_limit_of};

use super::Answer;
use crate::accounts::Context;
use crate::cli::{ConfigCommand, ConfigGet, ConfigSet, ConfigUnset};
use crate::error::{Error, Kind, Result};
use crate::foreign::Name;
use crate::program::Program;
use crate::settings::Config;
use crate::sys::Folder;

pub(super) fn run(command: &ConfigCommand, context: &Context<'_>) -> Result<Answer> {
    if context.system.program == Program::Az {
        context.system.terminal.warn("Command group 'config' is experimental and under development. Reference and support levels: https://aka.ms/CLI_refstatus");
    }
    match command {
        ConfigCommand::Get(request) => get(request, context),
        ConfigCommand::Set(request) => set(request, context),
        ConfigCommand::Unset(request) => unset(request, context),
    }
}

fn get(request: &ConfigGet, context: &Context<'_>) -> Result<Answer> {
    let load = if request.local { Config::load_with_local } else { Config::load };
    let config = load(context.system, &context.dir)?;
    Ok(Answer::of(config.listing(request.key.as_deref())?))
}

fn set(request: &ConfigSet, context: &Context<'_>) -> Result<Answer> {
    let folder = folder(request.local, context)?;
    // Parses all pairs before storing the first.
    let pairs = request.key_value.iter().map(|pair| split(pair)).collect::<Result<Vec<_>>>()?;
    for (section, option, value) in pairs {
        Config::set(&context.dir, &folder, section, option, value)?;
        if context.system.program == Program::Azt && section == "core" {
            doubt(option, value, context);
        }
    }
    Ok(Answer::none())
}

/// Warns about an unknown setting or an invalid value. It is stored anyway, because other programs
/// and other versions have settings too.
fn doubt(option: &str, value: &str, context: &Context<'_>) {
    let option = option.to_lowercase();
    let terminal = &context.system.terminal;
    if let Some(error) = core_settings::flaw_of_value(&option, value) {
        terminal.warn(&format!("{} It was stored anyway.", error.message()));
        for line in error.remedy_lines() {
            terminal.plain(line);
        }
    } else if !core_settings::is_known(&option) {
        let guess = core_settings::nearest(&option);
        let guess = guess.map_or_else(String::new, |guess| format!(" Did you mean core.{guess}?"));
        terminal
            .warn(&format!("core.{} is not a setting of azt or az.{guess}", Name::new(&option)));
    }
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
    for key in &request.key {
        let (section, option) = key
            .split_once('.')
            .ok_or_else(|| Error::new(Kind::Inapplicable, "usage error: [section].[name]"))?;
        for folder in config.folders() {
            if Config::unset(&context.dir, folder, section, option)? {
                break;
            }
        }
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
