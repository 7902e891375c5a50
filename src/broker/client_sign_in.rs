//! Sign-ins to clients other than az's, and the tokens of their accounts.
//!
//! The refresh token is in the record of the account, which names the client and the authority. No
//! other code reads that record's token, and this code reads no other refresh token: not those of
//! az's client, nor those of its family.

use super::{Broker, Identity, Token, TokenRequest, records, remedy};
use crate::entra::{Authority, Scopes, TokenClient, TokenResponse};
use crate::error::{Error, Kind, Result};
use crate::settings::Cloud;
use crate::shell;
use crate::vault::{AccessToken, ClientAccount, Record, Vault};

/// What the address of a stored authority is called in messages.
const STORED: &str = "The stored authority";

/// A finished sign-in to a client other than az's.
pub(crate) struct ClientSignIn {
    account: ClientAccount,
    access_token: AccessToken,
}

impl ClientSignIn {
    /// Takes the tokens of a user who signed in through `client`. If the login host is not that of
    /// `cloud`, the account is bound to the authority.
    pub(super) fn new(
        cloud: &Cloud,
        client: &TokenClient<'_>,
        scopes: &Scopes,
        response: &TokenResponse,
    ) -> Result<Self> {
        let incomplete = |what: &str| {
            Error::new(Kind::Service, format!("The service signed you in but sent {what}."))
        };
        let now = client.system().clock.now();
        let authority = client.authority();
        let id = response.id_claims().ok_or_else(|| incomplete("no readable ID token"))?;
        if id.audience().is_none_or(|it| !it.eq_ignore_ascii_case(client.client_id())) {
            return Err(incomplete("an ID token for another client"));
        }
        let username = id.any_name().ok_or_else(|| incomplete("no user name"))?.to_owned();
        let home_account_id = response.home_account_id();
        let home_account_id = home_account_id
            .or_else(|| id.sub.clone().map(String::from))
            .ok_or_else(|| incomplete("no account id"))?;
        let refresh_token = response.refresh_token.clone().ok_or_else(|| {
            incomplete("no refresh token, so the sign-in would end within the hour")
        })?;
        let is_of_cloud = *authority.login_url() == cloud.authority_host()?;
        let address = authority.address()?;
        let account = ClientAccount {
            client_id: client.client_id().to_owned(),
            environment: if is_of_cloud { cloud.environment()? } else { environment(authority)? },
            authority: (!is_of_cloud).then(|| address.as_str().to_owned()),
            tenant: match id.tenant_id()? {
                Some(tenant) => tenant.into(),
                None => authority.tenant().to_owned(),
            },
            username,
            home_account_id,
            scopes: scopes.joined(),
            refresh_token,
            signed_in_at: now,
            other: serde_json::Map::new(),
        };
        let of_cloud = if is_of_cloud { records::resource_manager(cloud) } else { String::new() };
        let identity = Identity::Client(Box::new(account.clone()));
        let access_token = records::access_token(
            response,
            &account.environment,
            &of_cloud,
            &account.client_id,
            Some(&account.home_account_id),
            &identity.owner().text(),
            &account.tenant,
            scopes,
            now,
        );
        Ok(Self { account, access_token })
    }

    /// Who signed in.
    pub(crate) fn account(&self) -> &ClientAccount {
        &self.account
    }

    /// True if `vault` has this user at this client already, or nobody.
    pub(crate) fn is_expected(&self, vault: &Vault<'_>) -> Result<bool> {
        let mut others = client_accounts(vault)?;
        others.retain(|it| it.client_id == self.account.client_id);
        Ok(others.is_empty() || others.iter().any(|it| it.key() == self.account.key()))
    }

    /// Stores everything in the vault, in the place of an earlier sign-in of this account.
    pub(crate) fn store(&self, vault: &Vault<'_>) -> Result<()> {
        let _writing = vault.write_lock();
        vault.put(&self.account)?;
        forget_access_tokens(vault, &self.account)?;
        vault.put(&self.access_token)
    }
}

/// The name of `authority` in records: its address without the scheme, so that it equals no login
/// host.
pub(crate) fn environment(authority: &Authority) -> Result<String> {
    let address = authority.address()?;
    let address = address.as_str();
    Ok(address.split_once("://").map_or(address, |(_, rest)| rest).to_lowercase())
}

/// The accounts of clients other than az's, in the order of their names.
pub(crate) fn client_accounts(vault: &Vault<'_>) -> Result<Vec<ClientAccount>> {
    let mut all = vault.all::<ClientAccount>()?;
    let place = |it: &ClientAccount| {
        (it.client_id.clone(), it.username.to_lowercase(), it.environment.clone())
    };
    all.sort_by_cached_key(place);
    Ok(all)
}

/// Forgets the accounts for which `matches` returns true, with their tokens. The caller holds the
/// lock of a sign-out.
pub(super) fn forget_client_accounts(
    vault: &Vault<'_>,
    matches: impl Fn(&ClientAccount) -> bool,
) -> Result<()> {
    for account in client_accounts(vault)?.iter().filter(|it| matches(it)) {
        vault.remove(&account.key())?;
        forget_access_tokens(vault, account)?;
    }
    Ok(())
}

/// Forgets the tokens of `account`.
pub(crate) fn sign_out_of_client(vault: &Vault<'_>, account: &ClientAccount) -> Result<()> {
    let Some(_writing) = vault.exclusive_lock()? else { return Ok(()) };
    forget_client_accounts(vault, |it| it.key() == account.key())
}

fn forget_access_tokens(vault: &Vault<'_>, account: &ClientAccount) -> Result<()> {
    let identity = Identity::Client(Box::new(account.clone()));
    let owner = identity.owner().text().to_lowercase();
    records::forget_access_tokens(vault, |token| {
        token.environment == account.environment
            && token.client_id.eq_ignore_ascii_case(&account.client_id)
            && token.account == owner
    })
}

/// The command that signs the user of `account` in again: to `tenant`, for `scopes`, separated by
/// spaces.
pub(super) fn login(account: &ClientAccount, tenant: &str, scopes: &str) -> String {
    let authority = account.authority.as_deref();
    let tenant = Some(tenant).filter(|_| authority.is_none());
    login_to_client(&account.client_id, authority, tenant, scopes.split_whitespace())
}

/// The command that signs in to a client other than az's.
pub(crate) fn login_to_client<'w>(
    client_id: &str,
    authority: Option<&str>,
    tenant: Option<&str>,
    scopes: impl Iterator<Item = &'w str>,
) -> String {
    let mut words = vec!["azt login".to_owned()];
    let options =
        [("--client-id", Some(client_id)), ("--authority", authority), ("--tenant", tenant)];
    for (option, value) in options {
        words.extend(value.map(|value| format!("{option} {}", shell::quoted(value))));
    }
    words.push("--scope".to_owned());
    words.extend(scopes.map(shell::quoted));
    words.join(" ")
}

impl Broker<'_> {
    /// Fetches the token of `request` for `account`, with the refresh token of that account only.
    pub(super) async fn fetch_for_client(
        &self,
        request: &TokenRequest,
        account: &ClientAccount,
    ) -> Result<Token> {
        let vault = self.stored(request)?;
        let missing = || request.identity.not_signed_in(self.system.program);
        let held = vault.get(&account.key())?.ok_or_else(missing)?;
        let authority = match &held.authority {
            Some(address) => Authority::at(address, STORED)?,
            None => Authority::new(&self.authority_host, &request.tenant)?,
        };
        let claims = request.claims.as_deref();
        let client = TokenClient::new(self.system, authority, &held.client_id, claims)?;
        let response = client
            .refresh(&held.refresh_token, &request.scopes, Some(&held.home_account_id))
            .await
            .map_err(|error| {
                let domain = self.domain(request);
                remedy::for_client(error, request, &held, domain.as_deref())
            })?;

        let _writing = vault.write_lock();
        let now = vault.get(&held.key())?;
        // Another process may have rotated the token; a sign-out or another sign-in may have come.
        let is_the_same = now.as_ref().is_some_and(|it| it.signed_in_at == held.signed_in_at);
        if let Some(next) = response.refresh_token.clone().filter(|_| is_the_same) {
            self.put(vault, &ClientAccount { refresh_token: next, ..held.clone() });
        }
        let record = self.record(request, &response, Some(&held.home_account_id));
        Ok(if is_the_same { self.keep(record) } else { Token::new(record) })
    }

    /// The name of the login host, or of the authority, in the records of `identity`.
    pub(super) fn environment_of<'r>(&'r self, identity: &'r Identity) -> &'r str {
        match identity {
            Identity::Client(account) => &account.environment,
            _ => &self.environment,
        }
    }

    /// The resource manager that may receive the tokens of `identity`; empty outside the cloud.
    pub(super) fn resource_manager_of(&self, identity: &Identity) -> &str {
        if is_bound(identity) { "" } else { &self.resource_manager }
    }
}

/// True for an account of an authority other than the cloud's.
pub(super) fn is_bound(identity: &Identity) -> bool {
    matches!(identity, Identity::Client(account) if account.authority.is_some())
}
