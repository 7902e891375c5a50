//! The on-behalf-of grant (RFC 7523 2.1 with Entra's `requested_token_use`): an API exchanges its
//! caller's token for a token for another API.

use crate::call::Answer;
use crate::error::EntraError;
use crate::token::issue::{self, Session};
use crate::token::{TokenRequest, client};
use crate::world::World;
use serde_json::Value;

pub(crate) fn grant(world: &mut World, request: &TokenRequest<'_>) -> Result<Answer, EntraError> {
    client::authenticate(world, request)?;
    if request.field("requested_token_use")? != "on_behalf_of" {
        let text = "The value of 'requested_token_use' is not supported.";
        return Err(EntraError::new("invalid_request", 900_144, text));
    }
    let refused = |code: u32, text: &str| EntraError::new("invalid_grant", code, text);
    let claims = world
        .signer
        .verified(request.field("assertion")?)
        .ok_or_else(|| refused(50_013, "The assertion failed signature validation."))?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    if claims.get("exp").and_then(Value::as_i64) <= Some(world.now()) {
        return Err(refused(500_133, "The assertion has expired."));
    }
    let client_id = &request.application.client_id;
    let own = world.directory.resource(text("aud"));
    if own.is_none_or(|resource| resource.app_id != *client_id) && text("aud") != client_id {
        return Err(refused(
            500_131,
            "The audience of the assertion is not the application that presents it.",
        ));
    }
    let username = ["upn", "preferred_username", "unique_name"]
        .into_iter()
        .map(text)
        .find(|name| !name.is_empty())
        .ok_or_else(|| refused(50_013, "The assertion is not a user's token."))?;
    let strong = claims
        .get("amr")
        .and_then(Value::as_array)
        .is_some_and(|methods| methods.iter().any(|method| method == "mfa"));
    let session = Session {
        username: username.to_owned(),
        serial: world.next_serial(),
        strong_in: strong.then(|| text("tid").to_owned()),
        contexts: Vec::new(),
    };
    let scope = request.scope(world)?.ok_or_else(|| EntraError::missing("scope"))?;
    issue::for_user(world, request, &session, &scope, None)
}
