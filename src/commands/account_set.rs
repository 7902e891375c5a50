//! `account set`.

use super::Answer;
use crate::accounts::Context;
use crate::cli::AccountSet;
use crate::error::Result;
use crate::program::Program;
use crate::settings::{Clouds, Profile};

/// Makes a subscription the default, and stores it for the next `cloud set`.
pub(super) fn run(request: &AccountSet, context: &Context<'_>) -> Result<Answer> {
    let cloud = &context.cloud().name;
    let program = context.system.program;
    let id = Profile::update(&context.dir, |profile| {
        // Reports that no account is signed in; az reports that the subscription does not exist.
        if program == Program::Azt && profile.visible(cloud).next().is_none() {
            profile.find(program, cloud, None)?;
        }
        profile.set_default(cloud, &request.subscription)
    })?;
    Clouds::set_subscription(&context.dir, cloud, &id)?;
    if let Some(own) = context.system.env.non_empty("AZT_SUBSCRIPTION") {
        context.system.terminal.warn(&format!(
            "In this shell AZT_SUBSCRIPTION ('{own}') still overrides the default."
        ));
    }
    Ok(Answer::none())
}
