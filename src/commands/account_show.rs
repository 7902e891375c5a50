//! `account show`.

use super::Answer;
use crate::accounts::{Context, Selection};
use crate::cli::AccountShow;
use crate::error::Result;
use crate::settings::Profile;

/// Prints the entry as in the profile, including unknown members.
pub(super) fn run(request: &AccountShow, context: &Context<'_>) -> Result<Answer> {
    let profile = Profile::load(&context.dir)?;
    let selection = Selection {
        subscription: request.subscription.as_deref(),
        account: request.account.as_deref(),
        tenant: None,
    };
    let found = selection.of(&profile, context)?;
    Ok(Answer::of(found.value()))
}
