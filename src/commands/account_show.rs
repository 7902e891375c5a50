//! `account show`.

use super::Answer;
use crate::accounts::{Context, Selection, client_account};
use crate::cli::AccountShow;
use crate::error::Result;
use crate::program::Program;
use crate::settings::Profile;

/// Prints the entry as in the profile, including unknown members; for an account of another client
/// than az's, its entry in `account list`.
pub(super) fn run(request: &AccountShow, context: &Context<'_>) -> Result<Answer> {
    let selection = Selection {
        subscription: request.subscription.as_deref(),
        account: request.account.as_deref(),
        tenant: None,
        client_id: request.client_id.as_deref(),
        authority: request.authority.as_deref(),
    };
    // az knows no such account.
    if context.system.program == Program::Azt
        && let Some(account) = selection.client_account(context)?
    {
        return Ok(Answer::of(client_account::entry(context, &account)));
    }
    let profile = Profile::load(&context.dir)?;
    let found = selection.of(&profile, context)?;
    Ok(Answer::of(found.value()))
}
