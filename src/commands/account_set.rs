//! `account set`.

use super::Answer;
use crate::accounts::{Context, client_account, with_elsewhere};
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
            let found = profile.find(program, cloud, None).map(drop);
            found.map_err(|error| with_elsewhere(error, profile, context))?;
        }
        profile.set_default(cloud, &request.subscription)
    });
    let of_client = || match program {
        Program::Azt => client_account::not_a_default(context, &request.subscription),
        Program::Az => None,
    };
    let id = id.map_err(|error| of_client().unwrap_or(error))?;
    Clouds::set_subscription(&context.dir, cloud, &id)?;
    if let Some(own) = context.system.env.non_empty("AZT_SUBSCRIPTION") {
        context.system.terminal.warn(&format!(
            "In this shell AZT_SUBSCRIPTION ('{own}') still overrides the default."
        ));
    }
    Ok(Answer::none())
}
