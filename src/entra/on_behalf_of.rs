//! The on-behalf-of grant (RFC 7523 section 2.1 with Entra's `requested_token_use`): an application
//! trades the token that it was called with for one that calls the next service.

use super::authority::Authority;
use super::client_authentication::ClientCredential;
use super::form::Form;
use super::scope::Scopes;
use super::token_endpoint;
use super::token_response::TokenResponse;
use crate::error::Result;
use crate::secret::Secret;
use crate::sys::System;

/// Asks for an access token of `scopes` for the person that `user_assertion`, an access token for
/// the application `client_id`, was issued to: one request.
pub async fn on_behalf_of(
    system: &System,
    authority: &Authority,
    client_id: &str,
    credential: &ClientCredential,
    user_assertion: &Secret,
    scopes: &Scopes,
    claims: Option<&str>,
) -> Result<TokenResponse> {
    let form = Form::grant("urn:ietf:params:oauth:grant-type:jwt-bearer")
        .with("requested_token_use", "on_behalf_of")
        .with("scope", &scopes.joined())
        .with("client_info", "1")
        .with_secret("assertion", user_assertion);
    let mut form = credential.sign(form, system, authority, client_id)?;
    if let Some(claims) = claims {
        form = form.with("claims", claims);
    }
    token_endpoint::post_retried(system, authority, form, None).await
}
