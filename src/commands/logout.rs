//! `logout`.

use super::{Answer, Context, token};
use crate::broker;
use crate::cli::Logout;
use crate::error::{Error, Kind, Result};
use crate::interop;
use crate::settings::Profile;

/// Forgets the account's tokens and secrets, then its subscriptions, in all clouds. An account that
/// nobody knows is a success, as in az.
pub(super) fn run(request: &Logout, context: &Context<'_>) -> Result<Answer> {
    let name = if let Some(name) = &request.username {
        name.clone()
    } else {
        let profile = Profile::load(&context.dir)?;
        profile
            .find(context.system.program, &context.cloud().name, None)
            .map_err(|_| Error::new(Kind::NotSignedIn, "There are no active accounts."))?
            .user_name()
            .to_owned()
    };
    if let Some(vault) = broker::open_vault(context.system, &context.dir, &context.config)? {
        broker::sign_out(&vault, &name)?;
    }
    if token::is_shared(context)? {
        interop::unshare(&context.dir, &name)?;
    }
    Profile::update(&context.dir, |profile| {
        profile.remove_user(&name);
        Ok(())
    })?;
    Ok(Answer::none())
}
