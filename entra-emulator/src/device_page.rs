//! The pages of a device code (RFC 8628 3.3): enter the code, then sign in.

use crate::authorize::signed_in;
use crate::call::{Answer, Call};
use crate::device::{self, Outcome};
use crate::error::EntraError;
use crate::pages;
use crate::world::World;

/// Answers `/devicelogin` and `/{tenant}/oauth2/deviceauth`.
pub(crate) fn answer(world: &mut World, call: &Call) -> Answer {
    // Entra's own links name the parameter `otc`.
    let entered = call
        .field("code")
        .or_else(|| call.parameter("otc"))
        .or_else(|| call.parameter("user_code"));
    let Some(entered) = entered else {
        return pages::enter_code(&call.path, None);
    };
    let Ok(code) = device::pending(world, entered) else {
        return pages::enter_code(&call.path, Some("No sign-in is waiting for this code."));
    };
    let (user_code, client_id) = (code.user_code.clone(), code.client_id.clone());
    let (resource, authority) = (code.scope.resource.name.clone(), code.authority.clone());
    let application = world
        .directory
        .application(&client_id)
        .map_or(client_id, |application| application.name.clone());
    if call.form.contains_key("cancel") {
        finish(world, &user_code, Outcome::Declined);
        return pages::finished("Sign-in declined", "The device was not signed in.");
    }
    let action = format!("{}?otc={user_code}", call.path);
    let page = |world: &World, error: Option<&EntraError>| {
        let hint = call.field("username").unwrap_or_default();
        pages::sign_in(world, &action, &application, Some(&resource), hint, error)
    };
    if !call.form.contains_key("pick") && !call.form.contains_key("username") {
        return page(world, None);
    }
    let user = signed_in(world, call).and_then(|user| {
        if user.disabled {
            let text = "The user account is disabled.";
            return Err(EntraError::new("access_denied", 50_057, text));
        }
        authority.tenant_of(world, &user).map(|_| user)
    });
    match user {
        Err(error) => page(world, Some(&error)),
        Ok(user) => match device::approve(world, &user_code, &user.username) {
            Ok(()) => {
                let text = format!(
                    "You have signed in to {application} on your device as {}. You can close this window.",
                    user.username
                );
                pages::finished("You are signed in", &text)
            }
            Err(error) => pages::enter_code(&call.path, Some(&error.to_string())),
        },
    }
}

fn finish(world: &mut World, user_code: &str, outcome: Outcome) {
    if let Ok(code) = device::pending(world, user_code) {
        code.outcome = outcome;
    }
}
