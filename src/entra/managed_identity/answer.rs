//! Responses of managed identity endpoints, which resemble those of a token endpoint.

use super::super::error_response;
use super::super::token_response::TokenResponse;
use crate::error::{Error, Kind, Result};
use crate::foreign::Json;
use crate::sys::{Response, System};

/// A token that lives this long (seconds) is due for a refresh at half of its lifetime, as in MSAL:
/// the endpoints cache tokens for a day and send no refresh time.
const LONG: i64 = 2 * 3600;

/// The token in `response`.
pub(super) fn read(system: &System, response: &Response) -> Result<TokenResponse> {
    let endpoint = "The managed identity endpoint of this host";
    if let Some(error) = error_response::refusal(response, endpoint) {
        return Err(of_host(error, response));
    }
    let now = system.clock.now();
    let mut token = TokenResponse::parse(response, "this host's managed identity", now)?;
    token.refresh_at_half_from(LONG);
    // Cloud Shell sends an empty one, and no host uses refresh tokens.
    token.refresh_token = None;
    Ok(token)
}

/// Replaces `error` by the host's own message, if `response` is JSON with one, as from App Service
/// or in the form of Azure Resource Manager. An HTML page or plain text comes from an intermediary.
fn of_host(error: Error, response: &Response) -> Error {
    let is_of_host = error.entra_detail().is_none() && response.json::<Json>().is_ok();
    match response.complaint().told().filter(|_| is_of_host) {
        Some(told) if response.status < 500 && response.status != 429 => {
            Error::new(Kind::Refused, told)
        }
        Some(told) => Error::new(Kind::Service, told),
        None => error,
    }
}
