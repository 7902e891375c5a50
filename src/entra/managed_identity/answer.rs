//! What managed identity endpoints answer: nearly the answer of a token endpoint.

use serde_json::Value;

use super::super::error_response;
use super::super::token_response::TokenResponse;
use crate::error::{Error, Kind, Result};
use crate::sys::{Response, System, one_line};

/// From this lifetime on (seconds) a token is best renewed at half of it: the endpoints keep
/// tokens for a day and say nothing of renewal (MSAL's rule).
const LONG: i64 = 2 * 3600;

/// The token in `response`.
pub(super) fn read(system: &System, response: &Response) -> Result<TokenResponse> {
    if response.status != 200 {
        return Err(refusal(response));
    }
    let now = system.clock.now();
    let mut token = TokenResponse::parse(&response.body, "this host's managed identity", now)?;
    let lifetime = token.lifetime();
    if token.refresh_in.is_none() && lifetime >= LONG {
        token.refresh_in = Some(lifetime / 2);
    }
    // Cloud Shell sends an empty one, and no host means it.
    token.refresh_token = None;
    Ok(token)
}

/// The error that `response` is: OAuth's members, else the `message` of App Service or of Azure
/// Resource Manager's shape.
fn refusal(response: &Response) -> Error {
    let error = error_response::parse(response, "The managed identity endpoint of this host");
    if error.entra_detail().is_some() {
        return error;
    }
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let message = [body.get("message"), body.get("Message"), body.pointer("/error/message")]
        .into_iter()
        .flatten()
        .find_map(Value::as_str);
    match message {
        Some(message) if (400..500).contains(&response.status) && response.status != 429 => {
            Error::new(Kind::Refused, one_line(message))
        }
        Some(message) => Error::new(Kind::Service, one_line(message)),
        None => error,
    }
}
