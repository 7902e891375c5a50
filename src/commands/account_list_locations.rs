//! `account list-locations`.

use serde_json::Value;

use super::{Answer, rows};
use crate::accounts::{Context, Selection, arm_token};
use crate::arm;
use crate::cli::AccountListLocations;
use crate::error::Result;
use crate::settings::Profile;

/// Lists the locations of the default subscription with one request, plus one if the token must be
/// refreshed.
pub(super) fn run(request: &AccountListLocations, context: &Context<'_>) -> Result<Answer> {
    let profile = Profile::load(&context.dir)?;
    let selection = Selection { account: request.account.as_deref(), ..Selection::default() };
    let subscription = selection.of(&profile, context)?;
    let resource_manager = &context.cloud().resource_manager()?;
    let (id, extended) = (subscription.id(), request.include_extended_locations.unwrap_or(false));
    let locations = arm_token::ask(subscription, context, &async |token| {
        arm::locations(context.system, resource_manager, id, extended, token).await
    })?;
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
