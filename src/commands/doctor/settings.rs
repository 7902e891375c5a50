//! Checks the settings and variables that commands depend on, with the errors of those commands.

use super::super::config::{SWITCHES, default_format};
use super::super::login;
use super::check::{Check, Topic};
use crate::accounts::{Context, Selection};
use crate::broker::{self, EnvironmentIdentity};
use crate::error::{Error, Kind, Result};
use crate::settings::{Clouds, Config, Profile};
use crate::vault::Vault;

/// One failed check per invalid setting, or one passed check.
pub(super) fn settings(context: &Context<'_>, vault: &Result<Option<Vault<'_>>>) -> Vec<Check> {
    let (system, dir, config) = (context.system, &context.dir, &context.config);
    let is_on = |name: &str| config.get_bool("core", name, false);
    let mut errors: Vec<Error> = Vec::from_iter(flaw(context));
    errors.extend(SWITCHES.into_iter().filter_map(|it| is_on(it).err()));
    errors.extend(default_format(context).err());
    errors.extend(login::time_limit(context).err());
    // Opens an existing vault again, with the checks of a sign-in.
    if matches!((vault, broker::is_memory_only(config)), (Ok(Some(_)), Ok(false))) {
        errors.extend(broker::make_vault_quietly(system, dir, config).err());
    }
    if matches!(is_on("identity_from_env"), Ok(true)) {
        errors.extend(EnvironmentIdentity::read(system).err());
    }
    let mut checks: Vec<Check> =
        errors.iter().map(|error| Check::of_error(Topic::Settings, error)).collect();
    if checks.is_empty() {
        checks.push(Check::ok(Topic::Settings, "all valid"));
    }
    checks.extend(selection(context));
    checks
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
