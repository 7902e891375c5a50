//! Answers token requests: picks the account, checks the cache, then lets one process ask the
//! network.

mod application;
mod assertion_source;
mod browser_sign_in;
mod client_sign_in;
mod credential;
mod demands;
mod environment;
mod fetch;
mod flight;
mod freshness;
mod host;
mod identity;
mod identity_broker;
mod open;
mod owner;
mod records;
mod redirect_page;
mod redirect_uri;
mod remedy;
mod renewal;
mod request;
mod sign_in;
mod user_sign_in;

use std::time::Duration;

pub(crate) use application::{Homes, application, applications};
pub(crate) use assertion_source::{detect_assertion_source, source_of_assertion};
pub(crate) use client_sign_in::{
    client_accounts, environment as environment_of_authority, login_to_client, sign_out_of_client,
};
pub(crate) use credential::{AppCredential, certificate_needs_password, fingerprint};
pub use demands::demanded_codes;
pub(crate) use environment::EnvironmentIdentity;
pub(crate) use freshness::{Freshness, MARGIN, Wanted};
pub(crate) use identity::{Identity, in_cloud_shell};
#[cfg(fuzzing)]
pub(crate) use identity_broker::fuzzing;
pub(crate) use identity_broker::{
    BrokerAccount, Brokered, IdentityBroker, accounts_of, answer_line, identity_broker,
};
pub use identity_broker::{Presence, identity_broker_presence};
pub(crate) use open::{
    inventory, is_memory_only, keyring_flaw, lock, make_vault_quietly, move_key, open_vault,
    open_vault_for_sign_in, open_vault_of, rekey, tell_place_of_key, unlock,
};
pub(crate) use owner::name_of_owner;
pub(crate) use redirect_uri::RedirectUri;
pub(crate) use request::TokenRequest;
pub(crate) use sign_in::{Known, SignIn};
pub(crate) use user_sign_in::{OwnClient, SignedIn, UserSignIn};

use crate::entra::{self, AZURE_CLI_CLIENT_ID};
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use crate::settings::{Cloud, ConfigDir, Endpoint};
use crate::sys::{Deadline, EndpointUrl, System, block_on, with_spinner};
use crate::vault::{
    self, AccessToken, Account, HostAccount, Record, RecordKey, RefreshToken, ServicePrincipal,
    Vault,
};
use owner::Owner;

/// Time limit of a token request. The SDKs stop az after ten seconds and show its error only if it
/// ends earlier.
const PATIENCE: Duration = Duration::from_secs(9);

/// How much of [`PATIENCE`] a caller waits for another process that fetches the same token.
const FLIGHT_LIMIT: Duration = Duration::from_secs(8);

/// Family id of Microsoft's first-party clients; they may use each other's refresh tokens.
const FAMILY: &str = "1";

/// A token that may be handed out.
#[derive(Debug)]
pub(crate) struct Token {
    /// The access token.
    pub(crate) secret: Secret,
    /// When it was fetched: seconds since 1970-01-01 UTC.
    pub(crate) cached_at: i64,
    /// When it expires.
    pub(crate) expires_on: i64,
    /// When it is due for a refresh ([`Freshness::Aging`]).
    pub(crate) renew_from: i64,
    /// True if this call fetched it from the network.
    pub(crate) is_new: bool,
    /// True if the caller should start a background refresh. This call has claimed the refresh, so
    /// no other process starts one for a minute.
    pub(crate) is_due_for_refresh: bool,
}

impl Token {
    /// The token of a record that came from the network just now.
    fn new(record: AccessToken) -> Self {
        Self {
            renew_from: freshness::renew_from(&record),
            secret: record.secret,
            cached_at: record.cached_at,
            expires_on: record.expires_on,
            is_new: true,
            is_due_for_refresh: false,
        }
    }
}

/// Why there is no token.
#[derive(Debug)]
pub(crate) struct NoToken {
    /// The reason, with its remedy.
    pub(crate) error: Error,
    /// Fingerprint of the credential that was used; empty if there was none.
    credential: String,
}

impl From<Error> for NoToken {
    fn from(error: Error) -> Self {
        Self { error, credential: String::new() }
    }
}

impl From<NoToken> for Error {
    fn from(failed: NoToken) -> Self {
        failed.error
    }
}

/// What to do with an aging token: one that is past its refresh time and not expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aging {
    /// Serve it; it may be due for a refresh in the background.
    Serve,
    /// Refresh it while the caller waits (`core.renew_ahead` is off).
    Refresh,
    /// Background refresh: gives up if another process already refreshes the token.
    RefreshUnattended,
}

/// Hands out tokens of the signed-in accounts.
pub(crate) struct Broker<'a> {
    system: &'a System,
    environment: String,
    authority_host: EndpointUrl,
    /// [`records::resource_manager`] of the cloud.
    resource_manager: String,
    /// The scope that every sign-in to the cloud asks for.
    default_scope: String,
    homes: Homes<'a>,
    /// `None` if nothing is stored (`core.persist` is off).
    vault: Option<Vault<'a>>,
    aging: Aging,
}

impl<'a> Broker<'a> {
    /// A broker for accounts of `cloud`. `vault` holds their tokens, if tokens are stored. `homes`
    /// says which cloud an application belongs to.
    pub(crate) fn new(
        system: &'a System,
        cloud: &Cloud,
        homes: Homes<'a>,
        vault: Option<Vault<'a>>,
        aging: Aging,
    ) -> Result<Self> {
        let authority_host = cloud.authority_host()?;
        Ok(Self {
            system,
            environment: authority_host.environment(),
            authority_host,
            resource_manager: records::resource_manager(cloud),
            default_scope: format!(
                "{}/.default",
                cloud.endpoint(Endpoint::ActiveDirectoryResourceId).unwrap_or_default()
            ),
            homes,
            vault,
            aging,
        })
    }

    /// The vault, if tokens are stored.
    pub(crate) fn vault(&self) -> Option<&Vault<'a>> {
        self.vault.as_ref()
    }

    /// The requested token: from the vault if it is fresh (no network, no lock), else fetched by
    /// exactly one of the processes that request it.
    ///
    /// # Errors
    /// [`Kind::NotSignedIn`] if no credential is stored; else the error of Entra or the network,
    /// with its remedy.
    pub(crate) fn token(&self, request: &TokenRequest) -> Result<Token, NoToken> {
        request.check()?;
        let deadline = Deadline::after(PATIENCE);
        let Some(vault) = &self.vault else { return Ok(self.fetch_by(deadline, request)?) };
        let key = self.key(request);
        match self.cached(vault, request, &key)? {
            Some((token, Freshness::Fresh)) => return Ok(token),
            Some((token, Freshness::Aging)) if self.aging == Aging::Serve => {
                // The user assertion came on standard input, which a background process cannot
                // read.
                let is_due_for_refresh = request.user_assertion.is_none()
                    && vault.claim_refresh(&key, self.system.clock.now());
                return Ok(Token { is_due_for_refresh, ..token });
            }
            _ => {}
        }
        let began = self.system.clock.now();
        let (flight, has_waited) = match self.flight(vault, &key, Duration::ZERO) {
            None if self.aging == Aging::RefreshUnattended => {
                return Err(
                    Error::failed("Another process is already refreshing this token.").into()
                );
            }
            None => (self.flight(vault, &key, FLIGHT_LIMIT), true),
            flight => (flight, false),
        };
        if flight.is_none() {
            self.system
                .terminal
                .debug("another process held the token's lock for too long; continuing without it");
        }
        // The previous lock holder may have stored the token or published its failure.
        let stale = match self.cached(vault, request, &key)? {
            Some((token, Freshness::Fresh)) => return Ok(token),
            // The service gave this one while this call waited.
            Some((token, Freshness::Short)) if has_waited && token.cached_at >= began => {
                return Ok(token);
            }
            other => other,
        };
        let credential = self.credential_fingerprint(vault, request);
        let during = began..=self.system.clock.now();
        let published = || {
            let failure = vault.published_failure(&key, &credential, &during);
            failure.filter(|_| request.claims.is_none())
        };
        let fetched = match has_waited.then(published).flatten() {
            Some(error) => Err(error),
            None => self
                .fetch_by(deadline, request)
                .inspect_err(|error| self.publish(vault, request, &key, &credential, error)),
        };
        match (fetched, stale) {
            (Ok(token), _) => Ok(token),
            (Err(error), Some((token, Freshness::Aging | Freshness::Short)))
                if request.wanted != Wanted::New =>
            {
                self.system.terminal.info(&format!(
                    "The token could not be refreshed, so the cached one is used: {error}"
                ));
                Ok(token)
            }
            (Err(error), _) => Err(NoToken { error, credential }),
        }
    }

    /// [`Broker::fetch`], cancelled at `deadline`.
    fn fetch_by(&self, deadline: Deadline, request: &TokenRequest) -> Result<Token> {
        block_on(async {
            let text = format!("Waiting for a token of {}", self.authority_host.environment());
            let fetched = Box::pin(with_spinner(self.system, &text, self.fetch(request)));
            deadline.run(fetched).await.unwrap_or_else(|| {
                Err(Error::new(
                    Kind::Network,
                    format!(
                        "No token came within {} s: the service does not answer.",
                        PATIENCE.as_secs()
                    ),
                )
                .remedy(
                    "Check the network, and HTTPS_PROXY if you are behind a proxy, then try again.",
                ))
            })
        })?
    }

    fn key(&self, request: &TokenRequest) -> RecordKey<AccessToken> {
        AccessToken::key_of(
            self.environment_of(&request.identity),
            request.identity.client_id(),
            &request.tenant,
            &request.owner().text(),
            &request.scopes.joined(),
        )
    }

    /// The token in the vault, unless it has expired, is for another cloud, or the request has a
    /// claims challenge.
    fn cached(
        &self,
        vault: &Vault<'_>,
        request: &TokenRequest,
        key: &RecordKey<AccessToken>,
    ) -> Result<Option<(Token, Freshness)>> {
        if request.claims.is_some() {
            return Ok(None);
        }
        let Some(record) = vault.get(key)? else { return Ok(None) };
        let is_bound = client_sign_in::is_bound(&request.identity);
        if !is_bound && !records::is_of_cloud(&record, &self.resource_manager) {
            self.system.terminal.debug("the vault's token was issued for another cloud");
            return Ok(None);
        }
        let freshness = Freshness::of(&record, self.system.clock.now(), request.wanted);
        self.system.terminal.debug(&format!("the vault's token is {freshness}"));
        Ok((freshness != Freshness::Expired).then_some((
            Token {
                renew_from: freshness::renew_from(&record),
                secret: record.secret,
                cached_at: record.cached_at,
                expires_on: record.expires_on,
                is_new: false,
                is_due_for_refresh: false,
            },
            freshness,
        )))
    }
}

/// The refresh tokens to try, in order: the family's, then az's own client's.
const HOLDERS: [&str; 2] = [FAMILY, AZURE_CLI_CLIENT_ID];

/// True if Entra accepts this refresh token from azt.
pub fn can_redeem(token: &RefreshToken) -> bool {
    let key = |holder| RefreshToken::key_of(&token.environment, &token.account, holder);
    HOLDERS.into_iter().any(|holder| token.key() == key(holder))
}

/// The refresh token of `account` to fetch tokens with, if there is one.
pub(crate) fn refresh_token(
    vault: &Vault<'_>,
    environment: &str,
    account: &str,
) -> Result<Option<RefreshToken>> {
    for holder in HOLDERS {
        if let Some(token) = vault.get(&RefreshToken::key_of(environment, account, holder))? {
            return Ok(Some(token));
        }
    }
    Ok(None)
}

/// The GUID of `tenant` at the login host `login_url`. A domain costs one request.
///
/// # Errors
/// The tenant does not exist; the remedy says so.
pub(crate) async fn resolve_tenant(
    system: &System,
    login_url: &EndpointUrl,
    tenant: &str,
) -> Result<String> {
    let found = entra::resolve_tenant(system, login_url, tenant).await;
    found.map_err(|error| remedy::for_sign_in(error, system.program, None))
}

/// Forgets the tokens and secrets of `name`, a user name or client id, in all clouds.
///
/// Names compare case-insensitively, so that an upper-case client id does not leave its secret
/// behind.
pub(crate) fn sign_out(vault: &Vault<'_>, name: &str) -> Result<()> {
    let account = name.to_lowercase();
    // `None`: the vault was cleared while this call waited.
    let Some(_writing) = vault.exclusive_lock()? else { return Ok(()) };
    for entry in vault.all::<ServicePrincipal>()? {
        if entry.client_id.to_lowercase() == account {
            vault.remove(&entry.key())?;
            // The key that azt 0.1 used.
            vault.remove(&ServicePrincipal::former_key_of(&entry.client_id, &entry.tenant))?;
        }
    }
    for entry in vault.all::<Account>()? {
        if entry.username.to_lowercase() == account {
            vault.remove(&entry.key())?;
        }
    }
    for entry in vault.all::<HostAccount>()? {
        if entry.account.to_lowercase() == account {
            vault.remove(&entry.key())?;
        }
    }
    client_sign_in::forget_client_accounts(vault, |it| it.username.to_lowercase() == account)?;
    records::forget_tokens(vault, |owner, client_id| {
        owner == account || Owner::parse(owner).belongs_to(&account, &client_id.to_lowercase())
    })
}

/// The names of all sign-ins in the vault: user names, then client ids, without duplicates.
pub(crate) fn signed_in(vault: &Vault<'_>) -> Result<Vec<String>> {
    let users = vault.all::<Account>()?.into_iter().map(|it| it.username);
    let applications = vault.all::<ServicePrincipal>()?.into_iter().map(|it| it.client_id);
    let of_clients = client_accounts(vault)?.into_iter().map(|it| it.username);
    let mut names: Vec<String> = Vec::new();
    for name in users.chain(of_clients).chain(applications) {
        if !names.iter().any(|other| other.eq_ignore_ascii_case(&name)) {
            names.push(name);
        }
    }
    Ok(names)
}

/// Removes all access tokens, so that the next request for each goes to the network.
pub(crate) fn forget_access_tokens(vault: &Vault<'_>) -> Result<()> {
    let _writing = vault.write_lock();
    records::forget_access_tokens(vault, |_| true)
}

/// Removes everything that the vault of a configuration folder holds, and its key.
///
/// Needs neither the key nor a readable vault, so it works when those are lost.
pub(crate) fn forget_everything(system: &System, dir: &ConfigDir) -> Result<()> {
    vault::clear(system, dir.azt())
}
