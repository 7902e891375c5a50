//! `account clear`.

use super::Answer;
use crate::accounts::Context;
use crate::broker;
use crate::error::Result;
use crate::interop::secret_files_of_az;
use crate::settings::Profile;

/// Forgets every account of this configuration folder: the vault with its key, the subscriptions,
/// and what az keeps there, which az's own `account clear` removes too.
///
/// Works without the vault's key, so that it is the way out when that is lost.
pub(super) fn run(context: &Context<'_>) -> Result<Answer> {
    let folder = context.dir.folder();
    context.put_aside_damaged()?;
    Profile::try_out_change(&context.dir, Profile::clear)?;
    let clear_az = || secret_files_of_az().try_for_each(|name| folder.remove(&name).map(drop));
    // First: a call for a token takes over from there what the vault does not know. Again: a
    // renewal that ended in between has told az of its refresh token.
    clear_az()?;
    broker::forget_everything(context.system, &context.dir)?;
    clear_az()?;
    Profile::update(&context.dir, |profile| {
        profile.clear();
        Ok(())
    })?;
    // Of writers that were killed.
    for folder in [folder, context.dir.azt()] {
        folder.remove_temporaries(None)?;
    }
    Ok(Answer::none())
}
