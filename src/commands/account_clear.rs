//! `account clear`.

use super::cache::stored;
use super::{Answer, counted};
use crate::accounts::Context;
use crate::broker;
use crate::error::Result;
use crate::interop::secret_files_of_az;
use crate::settings::{Profile, Subscription};

/// Removes every account of this configuration folder: the vault with its key, the subscriptions,
/// and az's secret files, which az's own `account clear` removes too.
///
/// Works without the vault's key, so it can repair a folder whose key is lost.
pub(super) fn run(context: &Context<'_>) -> Result<Answer> {
    let folder = context.dir.folder();
    let removed = removed(context);
    context.put_aside_damaged()?;
    Profile::try_out_change(&context.dir, Profile::clear)?;
    let clear_az = || secret_files_of_az().try_for_each(|name| folder.remove(&name).map(drop));
    // az's files are removed before the vault, because a concurrent token request would copy
    // sign-ins from them into the vault, and again after it, because a concurrent refresh may have
    // shared its new refresh token with az.
    clear_az()?;
    broker::forget_everything(context.system, &context.dir)?;
    clear_az()?;
    Profile::update(&context.dir, |profile| {
        profile.clear();
        Ok(())
    })?;
    // Lists with names and ids of the accounts.
    for name in ["found.json", "names", "recent.json"] {
        context.dir.azt().remove(name)?;
    }
    // Temporary files of processes that were killed.
    for folder in [folder, context.dir.azt()] {
        folder.remove_temporaries(None)?;
    }
    context.system.say(&removed);
    Ok(Answer::none())
}

/// What there is to remove, in a sentence. What cannot be read is not counted: this command is there
/// to repair it.
fn removed(context: &Context<'_>) -> String {
    let profile = Profile::load(&context.dir).unwrap_or_default();
    let mut names: Vec<&str> = Vec::new();
    for name in profile.all().iter().map(Subscription::user_name) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut parts = Vec::new();
    if !names.is_empty() {
        parts.push(format!("{} ({})", counted(names.len(), "account"), names.join(", ")));
        parts.push(counted(profile.all().len(), "subscription"));
    }
    parts.extend(stored(context));
    match parts.as_slice() {
        [] => "Nobody was signed in.".to_owned(),
        parts => format!("Removed: {}.", parts.join("; ")),
    }
}
