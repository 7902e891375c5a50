//! `account show`.

use super::{Answer, Context};
use crate::cli::AccountShow;
use crate::error::Result;
use crate::settings::Profile;

/// The profile's entry as it stands, members that nobody knows included.
pub(super) fn run(request: &AccountShow, context: &Context<'_>) -> Result<Answer> {
    let profile = Profile::load(&context.dir)?;
    let cloud = &context.cloud().name;
    let found = profile.find(context.system.program, cloud, request.subscription.as_deref())?;
    Ok(Answer::of(found.value()))
}
