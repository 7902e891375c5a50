//! "Give me a token": which account, fresh enough?, one flight, then the network. Policy only.

mod assertion_source;
mod credential;
mod freshness;
mod host;
mod identity;
mod open;
mod person;
mod records;
mod redirect_page;
mod remedy;
mod sign_in;

use std::time::Duration;

pub use assertion_source::{detect_assertion_source, source_of_assertion};
pub use credential::{AppCredential, certificate_needs_password};
pub use freshness::{Freshness, MARGIN};
pub use identity::{Identity, in_cloud_shell};
pub use open::{open_vault, open_vault_for_sign_in, open_vault_of};
pub use person::PersonSignIn;
pub use sign_in::SignIn;

use crate::entra::{
    AZURE_CLI_CLIENT_ID, Authority, client_credentials, merge_capabilities, refresh,
};
pub use crate::entra::{Scopes, TOKEN_EXCHANGE, azure_pipelines_connection, is_guid};
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use crate::settings::{Cloud, ConfigDir};
use crate::sys::{System, block_on};
pub use crate::vault::AssertionSource;
use crate::vault::{
    self, AccessToken, Account, Record, RecordKey, RefreshToken, ServicePrincipal, Vault,
};

/// How long a caller waits for another process that is fetching the same token.
const FLIGHT_LIMIT: Duration = Duration::from_secs(9);

/// The family of Microsoft's own clients, which may use each other's refresh tokens.
const FAMILY: &str = "1";

/// What a token is wanted for.
#[derive(Clone, Debug)]
pub struct TokenRequest {
    /// Who asks.
    pub identity: Identity,
    /// Tenant of the token: GUID or domain, as given.
    pub tenant: String,
    /// What it is for.
    pub scopes: Scopes,
}

/// A token that may be handed out.
#[derive(Debug)]
pub struct Token {
    /// The access token.
    pub secret: Secret,
    /// When it ends: seconds since 1970-01-01 UTC.
    pub expires_on: i64,
}

/// Hands out tokens of the accounts that are signed in.
pub struct Broker<'a> {
    system: &'a System,
    cloud: &'a Cloud,
    environment: String,
    vault: &'a Vault<'a>,
}

impl<'a> Broker<'a> {
    /// A broker over an open vault, for accounts of `cloud`.
    pub fn new(system: &'a System, cloud: &'a Cloud, vault: &'a Vault<'a>) -> Result<Self> {
        Ok(Self { system, cloud, environment: cloud.environment()?, vault })
    }

    /// The wanted token: from the vault if it is fresh (no network, no lock), else renewed by
    /// exactly one of the processes that want it.
    ///
    /// # Errors
    /// [`Kind::NotSignedIn`] when there is nothing to renew with; else what Entra or the network
    /// said, with the command that cures it.
    pub fn token(&self, request: &TokenRequest) -> Result<Token> {
        let key = self.key(request);
        if let Some((token, Freshness::Fresh)) = self.cached(&key)? {
            return Ok(token);
        }
        let flight = self.vault.flight(&key, FLIGHT_LIMIT)?;
        if flight.is_none() {
            self.system
                .terminal
                .debug("another process holds the token's lock for too long; going on without it");
        }
        // Whoever held the lock before may have put the token there.
        let stale = match self.cached(&key)? {
            Some((token, Freshness::Fresh)) => return Ok(token),
            other => other,
        };
        match (block_on(self.renew(request))?, stale) {
            (Ok(token), _) => Ok(token),
            (Err(error), Some((token, Freshness::Aging))) => {
                self.system.terminal.info(&format!(
                    "The token could not be renewed and is served as it is: {error}"
                ));
                Ok(token)
            }
            (Err(error), _) => Err(error),
        }
    }

    fn key(&self, request: &TokenRequest) -> RecordKey<AccessToken> {
        AccessToken::key_of(
            &self.environment,
            request.identity.client_id(),
            &request.tenant,
            request.identity.account(),
            &request.scopes.joined(),
        )
    }

    /// The token in the vault, unless it has expired.
    fn cached(&self, key: &RecordKey<AccessToken>) -> Result<Option<(Token, Freshness)>> {
        let Some(record) = self.vault.get(key)? else { return Ok(None) };
        let freshness = Freshness::of(&record, self.system.clock.now());
        self.system.terminal.debug(&format!("the vault's token is {freshness}"));
        Ok((freshness != Freshness::Expired)
            .then_some((Token { secret: record.secret, expires_on: record.expires_on }, freshness)))
    }

    async fn renew(&self, request: &TokenRequest) -> Result<Token> {
        match &request.identity {
            Identity::User { .. } => self.renew_user(request).await,
            Identity::ServicePrincipal { .. } => self.renew_service_principal(request).await,
            Identity::ManagedIdentity(_) | Identity::CloudShell { .. } => {
                self.renew_host_identity(request).await
            }
        }
    }

    async fn renew_user(&self, request: &TokenRequest) -> Result<Token> {
        let program = self.system.program;
        let environment = self.environment.as_str();
        let account = request.identity.account();
        let Some(signed_in) = self.vault.get(&Account::key_of(environment, account))? else {
            return Err(request.identity.not_signed_in(program));
        };
        let Some(held) = refresh_token(self.vault, environment, account)? else {
            return Err(Error::new(Kind::NotSignedIn, "Can't find token from MSAL cache.")
                .remedy("To re-authenticate, please run:")
                .remedy(format!("{program} login")));
        };
        let authority = Authority::new(&self.cloud.authority_host()?, &request.tenant)?;
        let claims = merge_capabilities(None, announces_cp1(self.system))?;
        let response = refresh(
            self.system,
            &authority,
            AZURE_CLI_CLIENT_ID,
            &held.secret,
            &request.scopes,
            claims.as_deref(),
            Some(&signed_in.home_account_id),
        )
        .await
        .map_err(|error| remedy::for_user(error, program, &request.tenant, &request.scopes))?;

        let now = self.system.clock.now();
        let record = records::access_token(
            &response,
            environment,
            AZURE_CLI_CLIENT_ID,
            Some(&signed_in.home_account_id),
            account,
            &request.tenant,
            &request.scopes,
            now,
        );
        // A sign-out may have come in between; what it removed stays removed.
        if self.vault.get(&Account::key_of(environment, account))?.is_some() {
            if let Some(next) = response.refresh_token {
                let next = RefreshToken { secret: next, last_modification_time: now, ..held };
                self.vault.put(&next)?;
            }
            self.vault.put(&record)?;
        }
        Ok(Token { secret: record.secret, expires_on: record.expires_on })
    }

    async fn renew_service_principal(&self, request: &TokenRequest) -> Result<Token> {
        let program = self.system.program;
        let client_id = request.identity.client_id();
        let entry = self.service_principal(&request.identity, &request.tenant)?;
        let credential = AppCredential::of_record(&entry)?.present(self.system).await?;
        let authority = Authority::new(&self.cloud.authority_host()?, &request.tenant)?;
        let claims = merge_capabilities(None, announces_cp1(self.system))?;
        let response = client_credentials(
            self.system,
            &authority,
            client_id,
            &credential,
            &request.scopes,
            claims.as_deref(),
        )
        .await
        .map_err(|error| remedy::for_application(error, program))?;
        let record = records::access_token(
            &response,
            &self.environment,
            client_id,
            None,
            request.identity.account(),
            &request.tenant,
            &request.scopes,
            self.system.clock.now(),
        );
        if self
            .vault
            .get::<ServicePrincipal>(&ServicePrincipal::key_of(client_id, &entry.tenant))?
            .is_some()
        {
            self.vault.put(&record)?;
        }
        Ok(Token { secret: record.secret, expires_on: record.expires_on })
    }

    async fn renew_host_identity(&self, request: &TokenRequest) -> Result<Token> {
        let response = host::token(self.system, &request.identity, &request.scopes).await?;
        let record = records::access_token(
            &response,
            &self.environment,
            request.identity.client_id(),
            None,
            request.identity.account(),
            &request.tenant,
            &request.scopes,
            self.system.clock.now(),
        );
        self.vault.put(&record)?;
        Ok(Token { secret: record.secret, expires_on: record.expires_on })
    }

    /// The stored credential of an application: for this tenant, else for another one (az's rule).
    fn service_principal(&self, identity: &Identity, tenant: &str) -> Result<ServicePrincipal> {
        let client_id = identity.client_id();
        if let Some(entry) =
            self.vault.get::<ServicePrincipal>(&ServicePrincipal::key_of(client_id, tenant))?
        {
            return Ok(entry);
        }
        let elsewhere = self
            .vault
            .all::<ServicePrincipal>()?
            .into_iter()
            .find(|entry| entry.client_id.eq_ignore_ascii_case(client_id));
        match elsewhere {
            Some(entry) => {
                self.system.terminal.warn(&format!(
                    "Could not retrieve credential from local cache for service principal {client_id} under tenant {tenant}. Trying credential under tenant {}, assuming that is an app credential.",
                    entry.tenant
                ));
                Ok(entry)
            }
            None => Err(identity.not_signed_in(self.system.program)),
        }
    }
}

/// The refresh token of `account`: the family's, else that of az's own client.
fn refresh_token(
    vault: &Vault<'_>,
    environment: &str,
    account: &str,
) -> Result<Option<RefreshToken>> {
    for holder in [FAMILY, AZURE_CLI_CLIENT_ID] {
        if let Some(token) = vault.get(&RefreshToken::key_of(environment, account, holder))? {
            return Ok(Some(token));
        }
    }
    Ok(None)
}

/// True unless `AZURE_IDENTITY_DISABLE_CP1` is set to anything (az's rule).
fn announces_cp1(system: &System) -> bool {
    system.env.get("AZURE_IDENTITY_DISABLE_CP1").is_none()
}

/// Forgets the tokens and secrets of `name`, a user name or client id, in all clouds.
///
/// Names compare without regard to case: an upper-case client id must not leave its secret behind.
pub fn sign_out(vault: &Vault<'_>, name: &str) -> Result<()> {
    let account = name.to_lowercase();
    for entry in vault.all::<ServicePrincipal>()? {
        if entry.client_id.to_lowercase() == account {
            vault.remove(&entry.key())?;
        }
    }
    // The account goes first: a renewal under way in another process looks for it before it writes.
    for entry in vault.all::<Account>()? {
        if entry.username.to_lowercase() == account {
            vault.remove(&entry.key())?;
        }
    }
    records::forget_tokens(vault, |owner, client_id| {
        owner == account || (owner.is_empty() && client_id.to_lowercase() == account)
    })
}

/// Forgets everything that was ever stored in the vault of a configuration folder, and its key.
///
/// Needs neither the key nor a readable vault: it is the way out when those are lost.
pub fn forget_everything(system: &System, dir: &ConfigDir) -> Result<()> {
    vault::clear(system, &dir.azt())
}
