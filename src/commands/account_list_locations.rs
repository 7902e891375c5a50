//! `account list-locations`.

use serde_json::Value;

use super::selection::Selection;
use super::{Answer, Context, arm_token, rows};
use crate::arm;
use crate::cli::AccountListLocations;
use crate::error::Result;
use crate::settings::{Endpoint, Profile};
use crate::sys::block_on;

/// The locations of the default subscription: one request, a second where the token must be
/// renewed.
pub(super) fn run(request: &AccountListLocations, context: &Context<'_>) -> Result<Answer> {
    let profile = Profile::load(&context.dir)?;
    let selection = Selection { account: request.account.as_deref(), ..Selection::default() };
    let subscription = selection.of(&profile, context)?;
    let token = arm_token::of(subscription, context)?;
    let locations = block_on(arm::locations(
        context.system,
        context.cloud().endpoint(Endpoint::ResourceManager)?,
        subscription.id(),
        request.include_extended_locations.unwrap_or(false),
        &token,
    ))??;
    Ok(Answer::with_columns(Value::Array(locations), columns))
}

fn columns(list: &Value) -> Value {
    rows(
        list,
        &[
            ("DisplayName", "displayName"),
            ("Name", "name"),
            ("RegionalDisplayName", "regionalDisplayName"),
        ],
    )
}
