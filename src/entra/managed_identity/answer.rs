//! What managed identity endpoints answer: nearly the answer of a token endpoint.

use serde::Deserialize;

use super::super::error_response;
use super::super::token_response::TokenResponse;
use crate::error::{Error, Kind, Result};
use crate::foreign::{Sentence, if_it_is_one};
use crate::sys::{Response, System};

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
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Body {
        #[serde(alias = "Message", deserialize_with = "if_it_is_one")]
        message: Option<Sentence>,
        #[serde(deserialize_with = "if_it_is_one")]
        error: Option<Inner>,
    }
    #[derive(Deserialize)]
    struct Inner {
        message: Sentence,
    }
    let error = error_response::parse(response, "The managed identity endpoint of this host");
    if error.entra_detail().is_some() {
        return error;
    }
    let body: Body = serde_json::from_slice(&response.body).unwrap_or_default();
    match body.message.or(body.error.map(|inner| inner.message)) {
        Some(message) if (400..500).contains(&response.status) && response.status != 429 => {
            Error::new(Kind::Refused, message)
        }
        Some(message) => Error::new(Kind::Service, message),
        None => error,
    }
}
