//! `account show`.

use serde_json::Value;

use super::Answer;
use crate::accounts::{Context, Selection, client_account};
use crate::cli::AccountShow;
use crate::error::Result;
use crate::settings::Profile;

/// Prints the entry as in the profile, including unknown members; for an account of another client
/// than az's, its entry in `account list` in that form.
pub(super) fn run(request: &AccountShow, context: &Context<'_>) -> Result<Answer> {
    let selection = Selection {
        subscription: request.subscription.as_deref(),
        account: request.account.as_deref(),
        tenant: request.tenant.as_deref(),
        client_id: request.client_id.as_deref(),
        authority: request.authority.as_deref(),
    };
    if let Some((account, _)) = selection.client_account(context)? {
        let mut entry = client_account::entry(context, &account);
        if let Value::Object(members) = &mut entry
            && let Some(cloud) = members.remove("cloudName")
        {
            members.insert("environmentName".to_owned(), cloud);
        }
        return Ok(Answer::of(entry));
    }
    let profile = Profile::load(&context.dir)?;
    let found = selection.of(&profile, context)?;
    Ok(Answer::of(found.value()))
}
