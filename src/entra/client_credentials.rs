//! The client credentials grant (RFC 6749 section 4.4).

use super::authority::Authority;
use super::client_authentication::ClientCredential;
use super::form::Form;
use super::scope::Scopes;
use super::token_endpoint;
use super::token_response::TokenResponse;
use crate::error::Result;
use crate::sys::System;

/// Asks for an access token of `scopes` for the application `client_id` itself: one request.
pub async fn client_credentials(
    system: &System,
    authority: &Authority,
    client_id: &str,
    credential: &ClientCredential,
    scopes: &Scopes,
    claims: Option<&str>,
) -> Result<TokenResponse> {
    let form =
        Form::grant("client_credentials").with("scope", &scopes.joined()).with("client_info", "1");
    let mut form = credential.sign(form, system, authority, client_id)?;
    if let Some(claims) = claims {
        form = form.with("claims", claims);
    }
    token_endpoint::post_retried(system, authority, form, None).await
}
