//! Changes the default subscription.

use super::{Context, client_account, with_elsewhere, with_near_matches};
use crate::error::{Error, Result};
use crate::foreign::Typed;
use crate::program::Program;
use crate::settings::{Clouds, Profile, Recent, Subscription};

/// Makes the subscription of the active cloud with the id or name `wanted` the default, stores it
/// for the next `cloud set`, and says which variables override it. Returns its entry.
pub(crate) fn make_default(context: &Context<'_>, wanted: &str) -> Result<Subscription> {
    let cloud = context.cloud().name.as_str();
    let program = context.system.program;
    let changed = Profile::update(&context.dir, |profile| {
        // Reports that no account is signed in; az reports that the subscription does not exist.
        if program == Program::Azt && profile.visible(cloud).next().is_none() {
            profile.find(program, cloud, None)?;
        }
        let former = default_of(profile, cloud);
        profile.set_default(cloud, wanted)?;
        Ok((former, profile.find(program, cloud, None)?.clone()))
    });
    let (former, entry) = changed.map_err(|error| explained(error, context, wanted))?;
    Clouds::set_subscription(&context.dir, cloud, entry.id())?;
    note_default(context, former.as_deref(), entry.id());
    warn_of_variables(context, &entry);
    Ok(entry)
}

/// Adds to `error` what was probably meant. Outside of the profile's lock, because the vault may have
/// to be opened.
fn explained(error: Error, context: &Context<'_>, wanted: &str) -> Error {
    let program = context.system.program;
    if program == Program::Az {
        return error;
    }
    let profile = Profile::load_or_new(&context.dir).unwrap_or_default();
    client_account::not_a_default(context, wanted).unwrap_or_else(|| {
        let error = with_elsewhere(error, &profile, context);
        with_near_matches(error, program, profile.visible(&context.cloud().name), wanted)
    })
}

/// The id of the default subscription of `cloud`.
pub(crate) fn default_of(profile: &Profile, cloud: &str) -> Option<String> {
    let default = profile.visible(cloud).find(|entry| entry.is_default());
    default.map(|entry| entry.id().to_owned())
}

/// Notes for `switch -` and the order of the picker that the default changed from `former` to `now`.
pub(crate) fn note_default(context: &Context<'_>, former: Option<&str>, now: &str) {
    if let Err(error) = Recent::note(&context.dir, &context.cloud().name, former, now) {
        context.system.terminal.info(&format!("The former default is not remembered. {error}"));
    }
}

fn warn_of_variables(context: &Context<'_>, entry: &Subscription) {
    let system = context.system;
    let warn = |name: &str, value: &str| {
        let value = Typed(value);
        system.terminal.warn(&format!("{name} ('{value}') still decides in this shell."));
    };
    if let Some(own) = system.env.non_empty("AZT_SUBSCRIPTION")
        && !entry.is_called(&own.to_lowercase())
    {
        warn("AZT_SUBSCRIPTION", &own);
    }
    if let Some(own) = system.env.non_empty("AZT_ACCOUNT")
        && own.to_lowercase() != entry.user_name().to_lowercase()
    {
        warn("AZT_ACCOUNT", &own);
    }
}
