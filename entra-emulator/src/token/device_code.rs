//! The device code grant (RFC 8628 3.4 and 3.5): a client polls until the user has signed in.

use crate::call::Answer;
use crate::device::Outcome;
use crate::error::EntraError;
use crate::token::issue::{self, Session};
use crate::token::{ClaimsRequest, TokenRequest, client};
use crate::world::World;

pub(crate) fn grant(world: &mut World, request: &TokenRequest<'_>) -> Result<Answer, EntraError> {
    client::authenticate(world, request)?;
    let wanted = request
        .call
        .field("device_code")
        .or_else(|| request.call.field("code"))
        .ok_or_else(|| EntraError::missing("device_code"))?;
    let now = world.now_milliseconds();
    let client_id = &request.application.client_id;
    let position = world
        .device_codes
        .iter()
        .position(|code| code.secret == wanted && code.client_id == *client_id);
    let Some((position, code)) =
        position.and_then(|at| Some((at, world.device_codes.get_mut(at)?)))
    else {
        let text = "The device code is not valid.";
        return Err(EntraError::new("bad_verification_code", 70_018, text));
    };
    if code.expires_at * 1000 <= now {
        let text = "The device code has expired; request a new one.";
        return Err(EntraError::new("expired_token", 70_020, text));
    }
    let username = match &code.outcome {
        Outcome::Declined => {
            let text = "The user declined the sign-in.";
            return Err(EntraError::new("authorization_declined", 65_004, text));
        }
        Outcome::Pending => {
            // One second too early is accepted, because clients round.
            let too_soon = code
                .polled_at
                .is_some_and(|polled_at| now - polled_at < (code.interval - 1) * 1000);
            code.polled_at = Some(now);
            return Err(if too_soon {
                code.interval += 5;
                let text = "The client polls too often.";
                EntraError::new("slow_down", 70_016, text)
            } else {
                let text = "The user has not finished the sign-in; poll again.";
                EntraError::new("authorization_pending", 70_016, text)
            });
        }
        Outcome::Approved(username) => username.clone(),
    };
    let code = world.device_codes.remove(position);
    // The claims of the device code count, not those of the poll.
    let requested = ClaimsRequest::parse(code.claims.as_deref())?;
    let user = world.directory.user(&username).cloned();
    let strong_in = user.map(|user| code.authority.tenant_of(world, &user)).transpose()?;
    let session = Session {
        username,
        serial: world.next_serial(),
        strong_in: strong_in.map(|tenant| tenant.id),
        contexts: requested.contexts,
    };
    let scope = match request.scope(world)? {
        Some(scope) => scope,
        None => code.scope,
    };
    issue::for_user(world, request, &session, &scope, None)
}
