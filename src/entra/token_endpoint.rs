//! The one way to the token endpoint.

use chrono::DateTime;

use super::authority::Authority;
use super::error_response;
use super::form::Form;
use super::token_response::TokenResponse;
use crate::error::{Kind, Result};
use crate::program::Program;
use crate::sys::{EndpointUrl, Request, Response, System, fill_random, retried};

/// Difference of clocks that Entra puts up with, in seconds.
const TOLERATED_CLOCK_SKEW: i64 = 300;

/// Posts `form` to the token endpoint of `authority`, again if that is worth it: for grants that
/// may be repeated.
pub(super) async fn post_retried(
    system: &System,
    authority: &Authority,
    form: Form,
    anchor: Option<&str>,
) -> Result<TokenResponse> {
    retried(|| post(system, authority, form.clone(), anchor)).await
}

/// Posts `form` to the token endpoint of `authority`: one request.
///
/// `anchor` routes the request to the account's home region (`Oid:<oid>@<tenant>`), which saves
/// Entra a hop.
pub(super) async fn post(
    system: &System,
    authority: &Authority,
    form: Form,
    anchor: Option<&str>,
) -> Result<TokenResponse> {
    let url = authority.token_endpoint()?;
    let response = send(system, &url, form, anchor).await?;
    TokenResponse::parse(&accepted(system, response, &url)?, &url.environment(), system.clock.now())
}

/// What an assertion is refused with whose time is not now; finer codes begin with the same digits.
const ASSERTION: &str = "50013";

/// `response`, or the error that it is. A clock that is wrong is named: assertions and their lifetimes
/// depend on it, and Entra's own text seldom says so. A person's sign-in has none, and ends by
/// Entra's clock.
pub(super) fn accepted(system: &System, response: Response, url: &EndpointUrl) -> Result<Response> {
    let Some(error) = error_response::refusal(&response, &url.environment()) else {
        return Ok(response);
    };
    let date = response.header("date").and_then(|date| DateTime::parse_from_rfc2822(date).ok());
    let ahead = date.map_or(0, |date| system.clock.now() - date.timestamp());
    let codes = error.entra_detail().map(|detail| detail.codes.as_slice()).unwrap_or_default();
    let is_of_assertion = codes.iter().any(|code| code.to_string().starts_with(ASSERTION));
    let may_be_why = error.kind() != Kind::InteractionRequired || is_of_assertion;
    if ahead.abs() <= TOLERATED_CLOCK_SKEW || system.program == Program::Az || !may_be_why {
        return Err(error);
    }
    let direction = if ahead > 0 { "ahead of" } else { "behind" };
    Err(error.remedy(format!(
        "This machine's clock is {} minutes {direction} that of {}: set it, then try again.",
        ahead.abs() / 60,
        url.environment()
    )))
}

/// Posts `form` to `url` with the headers that Entra asks clients for, and returns any answer.
pub(super) async fn send(
    system: &System,
    url: &EndpointUrl,
    form: Form,
    anchor: Option<&str>,
) -> Result<Response> {
    let mut request = Request::post_form(url, form.into_body())
        .header("accept", "application/json")
        .header("x-client-sku", "azt")
        .header("x-client-ver", env!("CARGO_PKG_VERSION"))
        .header("x-ms-lib-capability", "retry-after, h429")
        .header("client-request-id", request_id()?);
    if let Some(anchor) = anchor {
        request = request.header("x-anchormailbox", anchor);
    }
    let response = system.http.send(system, request).await?;
    system.terminal.debug(&format!("POST {url} -> {}", response.status));
    Ok(response)
}

/// A random UUID, by which Entra's logs can be searched.
pub(crate) fn request_id() -> Result<String> {
    let mut bytes = [0; 16];
    fill_random(&mut bytes)?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string())
}
