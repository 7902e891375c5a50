//! What managed identity endpoints answer: nearly the answer of a token endpoint.

use super::super::error_response;
use super::super::token_response::TokenResponse;
use crate::error::{Error, Kind, Result};
use crate::foreign::Json;
use crate::sys::{Response, System};

/// From this lifetime on (seconds) a token is best renewed at half of it: the endpoints keep
/// tokens for a day and say nothing of renewal (MSAL's rule).
const LONG: i64 = 2 * 3600;

/// The token in `response`.
pub(super) fn read(system: &System, response: &Response) -> Result<TokenResponse> {
    let endpoint = "The managed identity endpoint of this host";
    if let Some(error) = error_response::refusal(response, endpoint) {
        return Err(of_host(error, response));
    }
    let now = system.clock.now();
    let mut token = TokenResponse::parse(response, "this host's managed identity", now)?;
    token.renew_at_half_from(LONG);
    // Cloud Shell sends an empty one, and no host means it.
    token.refresh_token = None;
    Ok(token)
}

/// `error`, in the words of `response` alone where the host has words of its own: App Service's, those
/// of Azure Resource Manager. A page or a text is of somebody in between.
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
