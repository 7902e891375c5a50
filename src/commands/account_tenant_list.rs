//! `account tenant list`.

use serde_json::Value;

use super::Answer;
use crate::accounts::{Context, Selection, arm_token};
use crate::arm;
use crate::error::Result;
use crate::settings::Profile;

/// Lists the tenants of the default account in the format of az's `account` extension.
pub(super) fn run(context: &Context<'_>) -> Result<Answer> {
    let profile = Profile::load(&context.dir)?;
    let subscription = Selection::default().of(&profile, context)?;
    let resource_manager = &context.cloud().resource_manager()?;
    let tenants = arm_token::ask(subscription, context, &async |token| {
        arm::tenant_ids(context.system, resource_manager, token).await
    })?;
    Ok(Answer::of(Value::Array(tenants)))
}
