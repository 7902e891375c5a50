//! A sign-in in progress. It stays in memory until it succeeds as a whole.

mod start;
mod store;

pub(crate) use store::Known;

use std::cell::RefCell;

use super::{AppCredential, Brokered, Identity, TokenRequest, host, records, remedy, renewal};
use crate::entra::{
    AZURE_CLI_CLIENT_ID, Authority, ClientCredential, Scopes, TokenClient, TokenResponse,
};
use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::settings::User;
use crate::sys::System;
use crate::vault::{AccessToken, Account, IdToken, RefreshToken, ServicePrincipal};

/// An authenticated account, with the tokens it has got so far.
///
/// Tokens are collected through `&self`, so that several tenants can be queried concurrently.
pub(crate) struct SignIn<'a> {
    system: &'a System,
    authority: Authority,
    environment: String,
    /// [`records::resource_manager`] of the cloud.
    resource_manager: String,
    identity: Identity,
    /// Tenant of the first token.
    tenant: String,
    access_tokens: RefCell<Vec<AccessToken>>,
    credential: Credential,
    /// The application's last assertion, if a file or command provides them.
    assertion: RefCell<Option<Secret>>,
    origin: Origin,
}

/// Where the credential comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// This command.
    New,
    /// The vault. If a sign-out removes it meanwhile, it is not written back.
    Stored,
}

/// The credential for further tokens.
enum Credential {
    User(Box<UserCredential>),
    Application(Box<ServicePrincipal>),
    /// The sign-in is the identity broker's.
    Broker(Box<BrokerCredential>),
    /// No credential: the host issues the tokens.
    Host,
}

struct UserCredential {
    account: Account,
    refresh_token: RefCell<RefreshToken>,
    id_tokens: RefCell<Vec<IdToken>>,
}

struct BrokerCredential {
    account: Account,
    user: Brokered,
}

impl UserCredential {
    fn boxed(account: Account, refresh_token: RefreshToken) -> Credential {
        Credential::User(Box::new(Self {
            account,
            refresh_token: RefCell::new(refresh_token),
            id_tokens: RefCell::default(),
        }))
    }
}

impl SignIn<'_> {
    /// Who signed in.
    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// User name or client id; the name in the profile for a managed identity.
    pub(crate) fn name(&self) -> &str {
        self.identity.name()
    }

    /// The user of new profile entries.
    pub(crate) fn user(&self) -> User {
        match &self.credential {
            Credential::Application(entry) => User::ServicePrincipal {
                client_id: entry.client_id.clone(),
                use_cert_sn_issuer: entry.use_cert_sn_issuer,
            },
            Credential::User(_) | Credential::Broker(_) | Credential::Host => self.identity.user(),
        }
    }

    /// The federated token that this sign-in used, if the application uses one.
    pub(crate) fn assertion(&self) -> Option<Secret> {
        self.assertion.borrow().clone()
    }

    /// The tenant of the first token: GUID.
    pub(crate) fn tenant(&self) -> &str {
        &self.tenant
    }

    /// A token of `scopes` in `tenant`: one that this sign-in already has, else a new one.
    pub(crate) async fn token(&self, tenant: &str, scopes: &Scopes) -> Result<Secret> {
        let requested = scopes.joined();
        let held = self
            .access_tokens
            .borrow()
            .iter()
            .find(|token| token.realm == tenant && token.requested == requested)
            .map(|token| token.secret.clone());
        match held {
            Some(token) => Ok(token),
            None => self.request(tenant, scopes, None).await,
        }
    }

    /// A new token of `scopes` in `tenant`, after a resource refused the previous one with
    /// `challenge`, the JSON text of a claims challenge.
    ///
    /// # Errors
    /// The error of Entra. If it needs the user, its remedy is the sign-in that meets the
    /// challenge.
    pub(crate) async fn challenged_token(
        &self,
        tenant: &str,
        scopes: &Scopes,
        challenge: &str,
    ) -> Result<Secret> {
        let requested = scopes.joined();
        let is_other = |token: &AccessToken| token.realm != tenant || token.requested != requested;
        self.access_tokens.borrow_mut().retain(is_other);
        let answer = self.request(tenant, scopes, Some(challenge)).await;
        answer.map_err(|error| self.with_remedy(error, tenant, scopes, Some(challenge)))
    }

    /// Checks that this sign-in still gets a token of `scopes` in `tenant`.
    ///
    /// # Errors
    /// The same error that the broker returns for that token.
    pub(crate) async fn check(&self, tenant: &str, scopes: &Scopes) -> Result<()> {
        let answer = self.token(tenant, scopes).await.map(drop);
        answer.map_err(|error| self.with_remedy(error, tenant, scopes, None))
    }

    /// Adds to `error` the sign-in that fixes it, if only the user can.
    fn with_remedy(
        &self,
        error: Error,
        tenant: &str,
        scopes: &Scopes,
        challenge: Option<&str>,
    ) -> Error {
        match &self.credential {
            Credential::User(_) => {
                let wanted = TokenRequest::new(self.identity.clone(), tenant, scopes.clone());
                let claims = challenge.map(str::to_owned);
                let wanted = TokenRequest { claims, ..wanted };
                // `scopes` are those of the sign-in.
                remedy::for_user(error, self.system, &wanted, true, None)
            }
            // `request` has added the remedy for these.
            Credential::Application(_) | Credential::Broker(_) | Credential::Host => error,
        }
    }

    async fn request(
        &self,
        tenant: &str,
        scopes: &Scopes,
        challenge: Option<&str>,
    ) -> Result<Secret> {
        let authority = self.authority.with_tenant(tenant)?;
        if let Credential::Broker(credential) = &self.credential {
            if challenge.is_some() {
                let wanted = TokenRequest::new(self.identity.clone(), tenant, scopes.clone());
                let wanted = TokenRequest { claims: challenge.map(str::to_owned), ..wanted };
                return Err(remedy::broker_takes_no_claims(&wanted, None));
            }
            let response =
                credential.user.token(&authority, scopes, self.system.clock.now()).await?;
            self.keep(&response, tenant, scopes);
            return Ok(response.access_token);
        }
        let client =
            TokenClient::new(self.system, authority, self.identity.client_id(), challenge)?;
        let response = match &self.credential {
            Credential::User(user) => {
                let refresh_token = user.refresh_token.borrow().secret.clone();
                let home_account_id = Some(user.account.home_account_id.as_str());
                match client.refresh(&refresh_token, scopes, home_account_id).await {
                    Err(error) if renewal::is_due(self.system, &user.account, &error) => {
                        renewal::with_ticket(&client, &user.account, scopes).await?
                    }
                    response => response?,
                }
            }
            Credential::Application(entry) => {
                let credential = match self.origin {
                    Origin::New => AppCredential::of_record(entry)?,
                    Origin::Stored => AppCredential::stored(entry, self.system)?,
                };
                let credential = credential.present(self.system).await?;
                if let ClientCredential::Assertion(assertion) = &credential {
                    self.assertion.replace(Some(assertion.clone()));
                }
                client.client_credentials(&credential, scopes).await.map_err(|error| {
                    remedy::for_application(error, self.system.program, &self.identity)
                })?
            }
            Credential::Host => host::token(self.system, &self.identity, scopes).await?,
            // The caller has asked the broker; a host's identity must not stand in for a user.
            Credential::Broker(_) => {
                return Err(Error::failed("The identity broker was not asked."));
            }
        };
        let token = response.access_token.clone();
        self.keep(&response, tenant, scopes);
        if let (Credential::User(user), Some(next)) = (&self.credential, response.refresh_token) {
            user.refresh_token.borrow_mut().secret = next;
        }
        Ok(token)
    }

    fn keep(&self, response: &TokenResponse, tenant: &str, scopes: &Scopes) {
        let home_account_id = match &self.credential {
            Credential::User(user) => {
                let account = &user.account;
                if let Some(id_token) = &response.id_token {
                    user.id_tokens.borrow_mut().push(IdToken {
                        home_account_id: account.home_account_id.clone(),
                        environment: self.environment.clone(),
                        realm: tenant.to_owned(),
                        client_id: AZURE_CLI_CLIENT_ID.to_owned(),
                        secret: id_token.clone(),
                        account: account.username.to_lowercase(),
                        other: serde_json::Map::new(),
                    });
                }
                Some(account.home_account_id.clone())
            }
            Credential::Broker(credential) => Some(credential.account.home_account_id.clone()),
            Credential::Application(_) | Credential::Host => None,
        };
        self.access_tokens.borrow_mut().push(records::access_token(
            response,
            &self.environment,
            &self.resource_manager,
            self.identity.client_id(),
            home_account_id.as_deref(),
            &self.identity.owner().text(),
            tenant,
            scopes,
            self.system.clock.now(),
        ));
    }
}
