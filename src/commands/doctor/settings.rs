//! Checks the settings and variables that commands depend on, with the errors of those commands.

use super::check::{Check, Topic};
use super::fix::Fix;
use crate::accounts::{Context, Selection};
use crate::broker::{self, EnvironmentIdentity};
use crate::error::{Error, Kind, Result};
use crate::settings::{Clouds, Config, Profile, Setting, known};
use crate::shell::quoted;
use crate::vault::Vault;

/// One check per invalid or unknown setting, or one passed check.
pub(super) fn settings(context: &Context<'_>, vault: &Result<Option<Vault<'_>>>) -> Vec<Check> {
    let (system, dir, config) = (context.system, &context.dir, &context.config);
    let mut errors: Vec<(Error, Option<Fix>)> = Vec::new();
    errors.extend(flaw(context).map(|error| (error, None)));
    errors.extend(known::ALL.into_iter().filter_map(|it| {
        let error = config.check(it).err()?;
        Some((error, is_in_file(it, context).then_some(Fix::Unset(it))))
    }));
    // Opens an existing vault again, with the checks of a sign-in.
    if matches!((vault, broker::is_memory_only(config)), (Ok(Some(_)), Ok(false))) {
        let made = broker::make_vault_quietly(system, dir, config);
        errors.extend(made.err().map(|error| (error, None)));
    }
    if matches!(config.is_on(&known::IDENTITY_FROM_ENV), Ok(true)) {
        errors.extend(EnvironmentIdentity::read(system).err().map(|error| (error, None)));
    }
    let is_valid = errors.is_empty();
    // Both the setting and what reads it may have reported the same.
    let vault_error = vault.as_ref().err().map(|error| error.message().to_owned());
    let mut told: Vec<String> = vault_error.into_iter().collect();
    let mut checks = Vec::new();
    for (error, fix) in errors {
        if told.iter().all(|it| it != error.message()) {
            told.push(error.message().to_owned());
            checks.push(Check::of_error(Topic::Settings, &error).fixed_by(fix));
        }
    }
    checks.extend(unknown(context));
    if is_valid && checks.is_empty() {
        checks.push(Check::ok(Topic::Settings, "all valid"));
    }
    checks.extend(selection(context));
    checks
}

/// True if `config` has the value of `setting`; false for a variable.
fn is_in_file(setting: &Setting, context: &Context<'_>) -> bool {
    let found = context.config.find(setting).ok().flatten();
    found.is_some_and(|it| it.source == Config::path(&context.dir).display().to_string())
}

/// Warns about names in `core` that neither azt nor az has: they have no effect.
fn unknown(context: &Context<'_>) -> Vec<Check> {
    let path = Config::path(&context.dir).display().to_string();
    // `flaw` reports an unreadable file.
    let items = context.config.items(known::CORE).unwrap_or_default();
    let found = items.into_iter().filter_map(|item| {
        let unknown = known::unknown(known::CORE, &item.name)?;
        let text = format!("{} It is set in {}.", unknown.text, item.source);
        let check = Check::warning(Topic::Settings, text);
        let key = quoted(&format!("{}.{}", known::CORE, item.name));
        let remove = format!("{} config unset {key}", context.system.program);
        Some(match unknown.guess {
            _ if item.source != path => check.remedy(format!("Unset {}.", item.source)),
            Some(_) => check.cured_by(remove),
            // Another program may read it.
            None => check.remedy(format!("If nothing else reads it, run: {remove}")),
        })
    });
    found.collect()
}

/// Why `config` or `clouds.config` cannot be read; `None` if they can.
pub(super) fn flaw(context: &Context<'_>) -> Option<Error> {
    let config = Config::load(context.system, &context.dir);
    config.and_then(|config| Clouds::load(&context.dir, &config).map(drop)).err()
}

/// Checks that commands without options find their profile entry. `None` if they do, or if there
/// are no accounts.
fn selection(context: &Context<'_>) -> Option<Check> {
    // The accounts check reports an unreadable profile.
    let profile = Profile::load(&context.dir).ok()?;
    let selection = Selection::default();
    let error = match selection.client_account(context) {
        Ok(None) => {
            profile.all().first()?;
            selection.of(&profile, context).err()?
        }
        Ok(Some(_)) => return None,
        // The vault's check reports a vault that cannot be opened.
        Err(error) if error.kind() == Kind::Vault => return None,
        Err(error) => error,
    };
    Some(Check::of_error(Topic::Selection, &error))
}
