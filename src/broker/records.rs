//! From a token endpoint's answer to the vault's records.

use crate::entra::{Scopes, TokenResponse};
use crate::error::Result;
use crate::vault::{AccessToken, IdToken, Record, RefreshToken, Vault};

/// The access token of an answer that arrived at `now` (seconds since 1970-01-01 UTC).
#[allow(clippy::too_many_arguments, reason = "each is a field of the record")]
pub(super) fn access_token(
    response: &TokenResponse,
    environment: &str,
    client_id: &str,
    home_account_id: Option<&str>,
    account: &str,
    realm: &str,
    scopes: &Scopes,
    now: i64,
) -> AccessToken {
    let lifetime = response.lifetime();
    AccessToken {
        home_account_id: home_account_id.map(str::to_owned),
        environment: environment.to_owned(),
        client_id: client_id.to_owned(),
        realm: realm.to_owned(),
        target: response.scope.as_deref().map_or_else(|| scopes.joined(), sorted),
        secret: response.access_token.clone(),
        token_type: response.token_type.clone(),
        cached_at: now,
        expires_on: now + lifetime,
        extended_expires_on: now + response.ext_expires_in.unwrap_or(lifetime),
        refresh_on: response.refresh_in.map(|seconds| now + seconds),
        account: account.to_lowercase(),
        requested: scopes.joined(),
        other: serde_json::Map::new(),
    }
}

/// Scopes in MSAL's order: by code point.
pub(super) fn sorted(scopes: &str) -> String {
    let mut all: Vec<&str> = scopes.split_whitespace().collect();
    all.sort_unstable();
    all.join(" ")
}

/// Removes the tokens whose account (lower-case; empty for an application) and client id `is_meant`
/// accepts.
pub(super) fn forget_tokens(
    vault: &Vault<'_>,
    is_meant: impl Fn(&str, &str) -> bool,
) -> Result<()> {
    for token in vault.all::<RefreshToken>()? {
        if is_meant(&token.account, &token.client_id) {
            vault.remove(&token.key())?;
        }
    }
    for token in vault.all::<IdToken>()? {
        if is_meant(&token.account, &token.client_id) {
            vault.remove(&token.key())?;
        }
    }
    forget_access_tokens(vault, |token| is_meant(&token.account, &token.client_id))
}

/// Removes the access tokens that `is_meant` accepts.
pub(super) fn forget_access_tokens(
    vault: &Vault<'_>,
    is_meant: impl Fn(&AccessToken) -> bool,
) -> Result<()> {
    for token in vault.all::<AccessToken>()? {
        if is_meant(&token) {
            vault.remove(&token.key())?;
        }
    }
    Ok(())
}
