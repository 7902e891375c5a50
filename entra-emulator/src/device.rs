//! Device codes (RFC 8628 3.1 and 3.2): issued, approved, declined.

use crate::call::{Answer, Call};
use crate::error::{EntraError, Error};
use crate::identifier;
use crate::token::scope::Scope;
use crate::world::{Authority, World};
use serde_json::json;

/// A device code and its outcome.
#[derive(Debug)]
pub(crate) struct DeviceCode {
    /// The `device_code` itself.
    pub(crate) secret: String,
    pub(crate) user_code: String,
    pub(crate) client_id: String,
    pub(crate) authority: Authority,
    pub(crate) scope: Scope,
    pub(crate) claims: Option<String>,
    /// Unix seconds.
    pub(crate) expires_at: i64,
    /// Seconds between polls; grows with each `slow_down`.
    pub(crate) interval: i64,
    /// Unix milliseconds of the last poll.
    pub(crate) polled_at: Option<i64>,
    pub(crate) outcome: Outcome,
}

#[derive(Debug)]
pub(crate) enum Outcome {
    Pending,
    Approved(String),
    Declined,
}

/// Answers `POST /{tenant}/oauth2[/v2.0]/devicecode`.
pub(crate) fn issue(
    world: &mut World,
    call: &Call,
    authority: Authority,
    v1: bool,
) -> Result<Answer, EntraError> {
    let value = |name| call.field(name).or_else(|| call.parameter(name));
    let application = world.application(value("client_id"), &authority)?;
    if !application.public {
        let text = "Only public clients can use device codes.";
        return Err(EntraError::new("invalid_client", 7_000_218, text));
    }
    let scope = match (value("resource"), value("scope")) {
        (Some(resource), _) => Scope::of_resource(world, resource)?,
        (None, Some(scope)) => Scope::parse(world, scope)?,
        (None, None) => return Err(EntraError::missing("scope")),
    };
    let settings = &world.settings;
    let (lifetime, interval) = (settings.device_code_lifetime, settings.device_code_interval);
    let code = DeviceCode {
        secret: identifier::opaque("dc"),
        user_code: identifier::user_code(),
        client_id: application.client_id,
        authority,
        scope,
        claims: value("claims").map(str::to_owned),
        expires_at: world.now() + lifetime,
        interval,
        polled_at: None,
        outcome: Outcome::Pending,
    };
    let page = format!("{}/devicelogin", world.url);
    let number = |value: i64| {
        if v1 { json!(value.to_string()) } else { json!(value) }
    };
    let page_name = if v1 { "verification_url" } else { "verification_uri" };
    let body = json!({
        "user_code": code.user_code,
        "device_code": code.secret,
        page_name: page,
        "expires_in": number(lifetime),
        "interval": number(interval),
        "message": format!(
            "To sign in, open the page {page} in a web browser and enter the code {} there.",
            code.user_code
        ),
    });
    let user_code = code.user_code.clone();
    world.device_codes.push(code);
    if let Some(username) = world.settings.auto_approve.clone() {
        // An unknown user cannot approve; the code then waits for another user.
        let _ = approve(world, &user_code, &username);
    }
    Ok(Answer::json(200, &body).header("Cache-Control", "no-store, no-cache"))
}

/// The unexpired device code with this user code, if it still waits for a user.
pub(crate) fn pending<'a>(
    world: &'a mut World,
    user_code: &str,
) -> Result<&'a mut DeviceCode, Error> {
    let now = world.now();
    let wanted = user_code.trim().to_ascii_uppercase();
    world
        .device_codes
        .iter_mut()
        .find(|code| {
            code.user_code == wanted
                && code.expires_at > now
                && matches!(code.outcome, Outcome::Pending)
        })
        .ok_or_else(|| Error::NoSuchUserCode(user_code.into()))
}

/// Signs in `username` for the device code, and consents to its scope.
pub(crate) fn approve(world: &mut World, user_code: &str, username: &str) -> Result<(), Error> {
    let user = world.directory.user(username);
    let username =
        user.map(|user| user.username.clone()).ok_or_else(|| Error::NoSuchUser(username.into()))?;
    let code = pending(world, user_code)?;
    code.outcome = Outcome::Approved(username);
    let (client_id, resource) = (code.client_id.clone(), code.scope.resource.app_id.clone());
    consent(world, &client_id, &resource);
    Ok(())
}

/// Notes the user's consent that the client may use the resource.
pub(crate) fn consent(world: &mut World, client_id: &str, resource: &str) {
    if let Some(resource) = world.directory.resource_mut(resource)
        && !resource.consented.iter().any(|known| known == client_id)
    {
        resource.consented.push(client_id.into());
    }
}
