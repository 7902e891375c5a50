//! Converts a token endpoint's response to records of the vault.

use crate::entra::{AZURE_CLI_CLIENT_ID, Scopes, TokenResponse};
use crate::error::Result;
use crate::secret::Secret;
use crate::settings::{Cloud, Endpoint, builtin_resource_manager};
use crate::sys::EndpointUrl;
use crate::vault::{AccessToken, Account, IdToken, Record, RefreshToken, Vault};

/// The access token of a response received at `now` (seconds since 1970-01-01 UTC).
#[allow(clippy::too_many_arguments, reason = "each is a field of the record")]
pub(super) fn access_token(
    response: &TokenResponse,
    environment: &str,
    resource_manager: &str,
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
        token_type: response.token_type.clone().into(),
        cached_at: now,
        expires_on: now + lifetime,
        extended_expires_on: now + response.extended_lifetime().unwrap_or(lifetime),
        refresh_on: response.refresh_in().map(|seconds| now + seconds),
        account: account.to_lowercase(),
        requested: scopes.joined(),
        resource_manager: host_of(resource_manager),
        other: serde_json::Map::new(),
    }
}

/// The refresh token `secret` of a response for `account` received at `now`.
pub(super) fn refresh_token(
    response: &TokenResponse,
    secret: Secret,
    account: &Account,
    scopes: &Scopes,
    now: i64,
) -> RefreshToken {
    RefreshToken {
        home_account_id: account.home_account_id.clone(),
        environment: account.environment.clone(),
        client_id: AZURE_CLI_CLIENT_ID.to_owned(),
        target: response.scope.as_deref().map_or_else(|| scopes.joined(), sorted),
        secret,
        last_modification_time: now,
        family_id: response.foci.clone().map(String::from),
        account: account.username.to_lowercase(),
        other: serde_json::Map::new(),
    }
}

/// The resource manager endpoint of the cloud, which receives its tokens; empty if it has none.
pub(super) fn resource_manager(cloud: &Cloud) -> String {
    cloud.endpoint(Endpoint::ResourceManager).unwrap_or_default().to_owned()
}

/// Host of the endpoint `resource_manager`, with its port if given.
fn host_of(resource_manager: &str) -> String {
    EndpointUrl::parse(resource_manager, "").map_or_else(|_| String::new(), |it| it.environment())
}

/// True if the cloud with this [`resource_manager`] may receive `token`.
///
/// Tokens of azt 0.1 and of other programs do not record their cloud. If a built-in login host
/// issued them, they belong to the built-in cloud, and not to one that was registered with the same
/// login host.
pub(super) fn is_of_cloud(token: &AccessToken, resource_manager: &str) -> bool {
    let got_for = match token.resource_manager.as_str() {
        "" => match builtin_resource_manager(&token.environment) {
            Some(own) => own,
            None => return true,
        },
        host => host,
    };
    // Fast path for the common form, without parsing a URL.
    let plain = resource_manager.strip_prefix("https://");
    plain.is_some_and(|host| host.strip_suffix('/').unwrap_or(host) == got_for)
        || host_of(resource_manager) == got_for
}

/// Scopes in MSAL's order: by code point.
pub(super) fn sorted(scopes: &str) -> String {
    let mut all: Vec<&str> = scopes.split_whitespace().collect();
    all.sort_unstable();
    all.join(" ")
}

/// Removes the tokens for which `is_match` returns true, given account (lower-case; empty for an
/// application) and client id.
pub(super) fn forget_tokens(
    vault: &Vault<'_>,
    is_match: impl Fn(&str, &str) -> bool,
) -> Result<()> {
    for token in vault.all::<RefreshToken>()? {
        if is_match(&token.account, &token.client_id) {
            vault.remove(&token.key())?;
        }
    }
    for token in vault.all::<IdToken>()? {
        if is_match(&token.account, &token.client_id) {
            vault.remove(&token.key())?;
        }
    }
    forget_access_tokens(vault, |token| is_match(&token.account, &token.client_id))
}

/// Removes all tokens of the user `account` (lower-case) at the login host `environment`.
pub(super) fn forget_tokens_of(vault: &Vault<'_>, environment: &str, account: &str) -> Result<()> {
    for token in vault.all::<RefreshToken>()? {
        if token.environment == environment && token.account == account {
            vault.remove(&token.key())?;
        }
    }
    for token in vault.all::<IdToken>()? {
        if token.environment == environment && token.account == account {
            vault.remove(&token.key())?;
        }
    }
    forget_access_tokens(vault, |it| it.environment == environment && it.account == account)
}

/// Removes the access tokens for which `is_match` returns true.
pub(super) fn forget_access_tokens(
    vault: &Vault<'_>,
    is_match: impl Fn(&AccessToken) -> bool,
) -> Result<()> {
    for token in vault.all::<AccessToken>()? {
        if is_match(&token) {
            vault.remove(&token.key())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn token(environment: &str, resource_manager: &str) -> AccessToken {
        let token = json!({"environment": environment, "client_id": "c", "realm": "t", "secret": "s",
            "expires_on": "1", "resource_manager": resource_manager});
        serde_json::from_value(token).unwrap()
    }

    #[test]
    fn a_token_serves_only_the_cloud_it_was_issued_for() {
        let (azure, china) = ("login.microsoftonline.com", "login.chinacloudapi.cn");
        let (stack, own) = ("login.stack.example", "management.azure.com");
        for (environment, got_for, asked_by, is_its) in [
            (azure, own, "https://management.azure.com/", true),
            (azure, own, "https://management.azure.com", true),
            (azure, own, "HTTPS://Management.Azure.com:443/", true),
            (azure, own, "https://arm.evil.example", false),
            (azure, own, "https://management.azure.com@arm.evil.example/", false),
            (azure, own, "https://arm.evil.example/management.azure.com", false),
            (azure, "arm.evil.example", "https://management.azure.com/", false),
            (stack, "arm.stack.example", "https://arm.stack.example/", true),
            (stack, "arm.stack.example", "https://arm.stack.example:444/", false),
            (stack, "arm.stack.example:444", "https://arm.stack.example:444/", true),
            // Written by azt 0.1.
            (azure, "", "https://management.azure.com/", true),
            (azure, "", "https://arm.evil.example", false),
            (azure, "", "", false),
            (china, "", "https://management.azure.com/", false),
            (china, "", "https://management.chinacloudapi.cn", true),
            (stack, "", "https://arm.stack.example", true),
        ] {
            let found = is_of_cloud(&token(environment, got_for), asked_by);
            assert_eq!(found, is_its, "{environment} {got_for} {asked_by}");
        }
    }
}
