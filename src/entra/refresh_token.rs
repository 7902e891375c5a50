//! The refresh token grant (RFC 6749 section 6).

use super::authority::Authority;
use super::form::Form;
use super::scope::Scopes;
use super::token_endpoint;
use super::token_response::TokenResponse;
use crate::error::Result;
use crate::secret::Secret;
use crate::sys::System;

/// Redeems `refresh_token` for an access token of `scopes` in the tenant of `authority`: one
/// request. Entra's refresh tokens are bound to neither tenant nor scope.
///
/// `claims` is the `claims` parameter (JSON text); `home_account_id` (`uid.utid`) routes the
/// request.
pub async fn refresh(
    system: &System,
    authority: &Authority,
    client_id: &str,
    refresh_token: &Secret,
    scopes: &Scopes,
    claims: Option<&str>,
    home_account_id: Option<&str>,
) -> Result<TokenResponse> {
    let mut form = Form::grant("refresh_token")
        .with("client_id", client_id)
        .with("scope", &scopes.for_user())
        .with("client_info", "1")
        .with_secret("refresh_token", refresh_token);
    if let Some(claims) = claims {
        form = form.with("claims", claims);
    }
    let anchor = home_account_id
        .and_then(|id| id.split_once('.'))
        .map(|(uid, utid)| format!("Oid:{uid}@{utid}"));
    token_endpoint::post_retried(system, authority, form, anchor.as_deref()).await
}
