//! `account clear`.

use super::Answer;
use crate::accounts::Context;
use crate::broker;
use crate::error::Result;
use crate::interop::secret_files_of_az;
use crate::settings::Profile;

/// Removes every account of this configuration folder: the vault with its key, the subscriptions,
/// and az's secret files, which az's own `account clear` removes too.
///
/// Works without the vault's key, so it can repair a folder whose key is lost.
pub(super) fn run(context: &Context<'_>) -> Result<Answer> {
    let folder = context.dir.folder();
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
    // Temporary files of processes that were killed.
    for folder in [folder, context.dir.azt()] {
        folder.remove_temporaries(None)?;
    }
    Ok(Answer::none())
}
