//! The one way to the token endpoint.

use super::authority::Authority;
use super::error_response;
use super::form::Form;
use super::token_response::TokenResponse;
use crate::error::Result;
use crate::sys::{Request, Response, System, fill_random};

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
    let url = authority.token_endpoint();
    let response = send(system, &url, form, anchor).await?;
    if response.status == 200 {
        TokenResponse::parse(&response.body, host(&url))
    } else {
        Err(error_response::parse(&response, host(&url)))
    }
}

/// Posts `form` to `url` with the headers that Entra asks clients for, and returns any answer.
pub(super) async fn send(
    system: &System,
    url: &str,
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
    let response = system.http.send(&system.env, request).await?;
    system.terminal.debug(&format!("POST {url} -> {}", response.status));
    Ok(response)
}

/// The host of `url`, for messages.
pub(super) fn host(url: &str) -> &str {
    url.split('/').nth(2).unwrap_or(url)
}

/// A random UUID, by which Entra's logs can be searched.
pub(crate) fn request_id() -> Result<String> {
    let mut bytes = [0; 16];
    fill_random(&mut bytes)?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string())
}
