//! A sign-in under way: everything stays in memory until it has succeeded as a whole.

mod store;

pub use store::Known;

use std::cell::RefCell;

use super::records;
use super::remedy;
use super::{
    AppCredential, Homes, Identity, TokenRequest, announces_cp1, application, host, resolve_tenant,
};
use crate::entra::{
    AZURE_CLI_CLIENT_ID, Authority, ClientCredential, IdClaims, Scopes, TokenResponse,
    client_credentials, is_adfs, merge_capabilities, refresh,
};
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use crate::settings::{AssignedIdentity, Cloud, User};
use crate::sys::System;
use crate::vault::{AccessToken, Account, IdToken, RefreshToken, ServicePrincipal, Vault};

/// An account that has proved who it is, with the tokens it got so far.
///
/// Tokens collect behind `&self`, so that many tenants can be asked at once.
pub struct SignIn<'a> {
    system: &'a System,
    authority: Authority,
    environment: String,
    /// [`records::resource_manager`] of the cloud.
    resource_manager: String,
    claims: Option<String>,
    identity: Identity,
    /// Tenant of the first token.
    tenant: String,
    access_tokens: RefCell<Vec<AccessToken>>,
    credential: Credential,
    /// What an application proved itself with last, where that comes from a place.
    assertion: RefCell<Option<Secret>>,
    /// False for one that the vault had: it is not to be put back there after a sign-out.
    is_new: bool,
}

/// What further tokens are got with.
enum Credential {
    User(Box<Person>),
    Application(Box<ServicePrincipal>),
    /// None: the host gives the tokens.
    Host,
}

struct Person {
    account: Account,
    refresh_token: RefCell<RefreshToken>,
    id_tokens: RefCell<Vec<IdToken>>,
}

impl<'a> SignIn<'a> {
    /// Signs an application in with `credential`, and proves it by asking for a token of `scopes`.
    ///
    /// The request is always made: a wrong secret must not pass because a token is cached.
    pub async fn with_client_credential(
        system: &'a System,
        cloud: &Cloud,
        tenant: &str,
        client_id: &str,
        credential: AppCredential,
        scopes: &Scopes,
        challenge: Option<&str>,
    ) -> Result<Self> {
        let login_url = cloud.authority_host()?;
        let tenant = resolve_tenant(system, &login_url, tenant).await?;
        let authority = Authority::new(&login_url, &tenant)?;
        let claims = merge_capabilities(challenge, announces_cp1(system))?;
        let environment = cloud.environment()?;
        let entry = credential.into_record(&environment, client_id, &tenant);
        let sign_in = Self {
            system,
            authority,
            environment,
            resource_manager: records::resource_manager(cloud),
            claims: merge_capabilities(None, announces_cp1(system))?,
            identity: Identity::ServicePrincipal { client_id: client_id.to_owned() },
            tenant: tenant.clone(),
            access_tokens: RefCell::default(),
            credential: Credential::Application(Box::new(entry)),
            assertion: RefCell::default(),
            is_new: true,
        };
        sign_in.request(&tenant, scopes, claims.as_deref()).await?;
        Ok(sign_in)
    }

    /// Signs a person in with a refresh token that another program was given, in `tenant` (GUID,
    /// domain or `common`): one request.
    pub async fn with_refresh_token(
        system: &'a System,
        cloud: &Cloud,
        tenant: &str,
        scopes: &Scopes,
        refresh_token: &Secret,
    ) -> Result<Self> {
        let authority = Authority::new(&cloud.authority_host()?, tenant)?;
        let claims = merge_capabilities(None, announces_cp1(system))?;
        let client_id = AZURE_CLI_CLIENT_ID;
        let response =
            refresh(system, &authority, client_id, refresh_token, scopes, claims.as_deref(), None)
                .await?;
        Self::of_user(system, cloud, authority, scopes, &response, "refresh_token")
    }

    /// The account `identity` as the vault has it (a host's needs none), to look around with what was signed in before.
    pub fn resume(
        system: &'a System,
        cloud: &Cloud,
        homes: Homes<'_>,
        vault: Option<&Vault<'_>>,
        identity: Identity,
        tenant: &str,
    ) -> Result<Self> {
        let environment = cloud.environment()?;
        let missing = || identity.not_signed_in(system.program);
        let stored = || vault.ok_or_else(missing);
        let (credential, tenant) = match &identity {
            Identity::User { name } => {
                let account =
                    stored()?.get(&Account::key_of(&environment, name))?.ok_or_else(missing)?;
                let refresh_token =
                    super::refresh_token(stored()?, &environment, name)?.ok_or_else(missing)?;
                let tenant = account.realm.clone();
                let person = Person {
                    account,
                    refresh_token: RefCell::new(refresh_token),
                    id_tokens: RefCell::default(),
                };
                (Credential::User(Box::new(person)), tenant)
            }
            Identity::ServicePrincipal { client_id } => {
                let entry = application(system, stored()?, homes, &environment, client_id, tenant)?;
                let entry = entry.filter(|it| it.tenant.eq_ignore_ascii_case(tenant));
                let entry = entry.ok_or_else(missing)?;
                (Credential::Application(Box::new(entry)), tenant.to_owned())
            }
            // Its credential is not to be stored.
            Identity::Environment(_) => return Err(missing()),
            Identity::ManagedIdentity(_) | Identity::CloudShell { .. } => {
                cloud.check_for_host_identity()?;
                (Credential::Host, tenant.to_owned())
            }
        };
        Ok(Self {
            system,
            authority: Authority::new(&cloud.authority_host()?, &tenant)?,
            environment,
            resource_manager: records::resource_manager(cloud),
            claims: merge_capabilities(None, announces_cp1(system))?,
            identity,
            tenant,
            access_tokens: RefCell::default(),
            credential,
            assertion: RefCell::default(),
            is_new: false,
        })
    }

    /// Signs in as what this host itself is: a managed identity, or the person of Cloud Shell, for
    /// whom `identity` need not carry the name.
    pub async fn with_host_identity(
        system: &'a System,
        cloud: &Cloud,
        identity: Identity,
        scopes: &Scopes,
    ) -> Result<Self> {
        cloud.check_for_host_identity()?;
        let response = host::token(system, &identity, scopes).await?;
        let claims = IdClaims::decode(response.access_token.expose()).unwrap_or_default();
        let tenant = claims.tenant_id()?.ok_or_else(|| {
            Error::new(Kind::Service, "The host's token does not say which tenant it is of.")
        })?;
        let tenant = String::from(tenant);
        let identity = match identity {
            Identity::CloudShell { name } => {
                Identity::CloudShell { name: claims.unique_name.map_or(name, String::from) }
            }
            identity => identity,
        };
        let sign_in = Self {
            system,
            authority: Authority::new(&cloud.authority_host()?, &tenant)?,
            environment: cloud.environment()?,
            resource_manager: records::resource_manager(cloud),
            claims: None,
            identity,
            tenant: tenant.clone(),
            access_tokens: RefCell::default(),
            credential: Credential::Host,
            assertion: RefCell::default(),
            is_new: true,
        };
        sign_in.keep(&response, &tenant, scopes);
        Ok(sign_in)
    }

    /// Takes over the tokens that a person has signed in for; `source` is MSAL's name of the way.
    pub(super) fn of_user(
        system: &'a System,
        cloud: &Cloud,
        authority: Authority,
        scopes: &Scopes,
        response: &TokenResponse,
        source: &str,
    ) -> Result<Self> {
        let thin = |what: &str| {
            Error::new(Kind::Service, format!("The service signed you in but sent {what}."))
        };
        let now = system.clock.now();
        let environment = cloud.environment()?;
        let id = response.id_claims().ok_or_else(|| thin("no ID token that can be read"))?;
        let name = id.username().ok_or_else(|| thin("no user name"))?.to_string();
        if AssignedIdentity::is_reserved(&name) {
            return Err(Error::new(
                Kind::Service,
                format!(
                    "{environment} says that you are '{}', which is what managed identities are called here: nobody can sign in by that name.",
                    name.trim()
                ),
            ));
        }
        let tenant = id.tenant_id()?.map_or_else(|| authority.tenant().to_owned(), String::from);
        let home_account_id = response
            .home_account_id()
            // ADFS has no client_info; MSAL takes the subject there.
            .or_else(|| id.sub.clone().map(String::from))
            .ok_or_else(|| thin("no account id"))?;
        let refresh_token = response
            .refresh_token
            .clone()
            .ok_or_else(|| thin("no refresh token, so the sign-in would end within the hour"))?;
        let account = Account {
            home_account_id: home_account_id.clone(),
            environment: environment.clone(),
            realm: tenant.clone(),
            local_account_id: id.local_account_id().unwrap_or_default().to_owned(),
            username: name.clone(),
            authority_type: if is_adfs(&cloud.authority_host()?) { "ADFS" } else { "MSSTS" }
                .to_owned(),
            account_source: Some(source.to_owned()),
            client_info: response.client_info.clone(),
            signed_in_at: now,
            other: serde_json::Map::new(),
        };
        let refresh_token = RefreshToken {
            home_account_id: home_account_id.clone(),
            environment: environment.clone(),
            client_id: AZURE_CLI_CLIENT_ID.to_owned(),
            target: response.scope.as_deref().map_or_else(|| scopes.joined(), records::sorted),
            secret: refresh_token,
            last_modification_time: now,
            family_id: response.foci.clone().map(String::from),
            account: name.to_lowercase(),
            other: serde_json::Map::new(),
        };
        let sign_in = Self {
            system,
            authority,
            environment,
            resource_manager: records::resource_manager(cloud),
            claims: merge_capabilities(None, announces_cp1(system))?,
            identity: Identity::User { name },
            tenant: tenant.clone(),
            access_tokens: RefCell::default(),
            credential: Credential::User(Box::new(Person {
                account,
                refresh_token: RefCell::new(refresh_token),
                id_tokens: RefCell::default(),
            })),
            assertion: RefCell::default(),
            is_new: true,
        };
        sign_in.keep(response, &tenant, scopes);
        Ok(sign_in)
    }

    /// Who signed in.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// User name or client id; the name in the profile for a managed identity.
    pub fn name(&self) -> &str {
        match &self.identity {
            Identity::ServicePrincipal { client_id } => client_id,
            identity => identity.account(),
        }
    }

    /// The owner of new profile entries.
    pub fn user(&self) -> User {
        match &self.credential {
            Credential::Application(entry) => User::ServicePrincipal {
                client_id: entry.client_id.clone(),
                use_cert_sn_issuer: entry.use_cert_sn_issuer,
            },
            Credential::User(_) | Credential::Host => self.identity.user(),
        }
    }

    /// The federated token that an application signed in with just now, if that is how it does.
    pub fn assertion(&self) -> Option<Secret> {
        self.assertion.borrow().clone()
    }

    /// The tenant of the first token: GUID.
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// A token of `scopes` in `tenant`: one that this sign-in has already got, else a new one.
    pub async fn token(&self, tenant: &str, scopes: &Scopes) -> Result<Secret> {
        let requested = scopes.joined();
        let held = self
            .access_tokens
            .borrow()
            .iter()
            .find(|token| token.realm == tenant && token.requested == requested)
            .map(|token| token.secret.clone());
        match held {
            Some(token) => Ok(token),
            None => self.request(tenant, scopes, self.claims.as_deref()).await,
        }
    }

    /// A token of `scopes` in `tenant` in place of the one that a resource refused with `challenge`,
    /// the JSON text of a claims challenge.
    ///
    /// # Errors
    /// What Entra says; where a person is wanted, with the sign-in that meets the challenge.
    pub async fn challenged_token(
        &self,
        tenant: &str,
        scopes: &Scopes,
        challenge: &str,
    ) -> Result<Secret> {
        let requested = scopes.joined();
        let is_other = |token: &AccessToken| token.realm != tenant || token.requested != requested;
        self.access_tokens.borrow_mut().retain(is_other);
        let claims = merge_capabilities(Some(challenge), announces_cp1(self.system))?;
        let answer = self.request(tenant, scopes, claims.as_deref()).await;
        answer.map_err(|error| self.with_remedy(error, tenant, scopes, Some(challenge)))
    }

    /// Whether this sign-in still gets a token of `scopes` in `tenant`.
    ///
    /// # Errors
    /// As who asks the broker for that token is told.
    pub async fn check(&self, tenant: &str, scopes: &Scopes) -> Result<()> {
        let answer = self.token(tenant, scopes).await.map(drop);
        answer.map_err(|error| self.with_remedy(error, tenant, scopes, None))
    }

    /// `error` with the sign-in that cures it, where a person is wanted.
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
                // It is renewed with what it was made with.
                remedy::for_user(error, self.system.program, &wanted, true)
            }
            // Theirs have it already.
            Credential::Application(_) | Credential::Host => error,
        }
    }

    async fn request(&self, tenant: &str, scopes: &Scopes, claims: Option<&str>) -> Result<Secret> {
        let authority = self.authority.with_tenant(tenant)?;
        let response = match &self.credential {
            Credential::User(person) => {
                let refresh_token = person.refresh_token.borrow().secret.clone();
                refresh(
                    self.system,
                    &authority,
                    AZURE_CLI_CLIENT_ID,
                    &refresh_token,
                    scopes,
                    claims,
                    Some(&person.account.home_account_id),
                )
                .await?
            }
            Credential::Application(entry) => {
                let credential = if self.is_new {
                    // The call itself names it.
                    AppCredential::of_record(entry)?
                } else {
                    AppCredential::stored(entry, self.system)?
                };
                let credential = credential.present(self.system).await?;
                if let ClientCredential::Assertion(assertion) = &credential {
                    self.assertion.replace(Some(assertion.clone()));
                }
                let client_id = self.identity.client_id();
                client_credentials(self.system, &authority, client_id, &credential, scopes, claims)
                    .await
                    .map_err(|error| {
                        remedy::for_application(error, self.system.program, &self.identity)
                    })?
            }
            Credential::Host => host::token(self.system, &self.identity, scopes).await?,
        };
        let token = response.access_token.clone();
        self.keep(&response, tenant, scopes);
        if let (Credential::User(person), Some(next)) = (&self.credential, response.refresh_token) {
            person.refresh_token.borrow_mut().secret = next;
        }
        Ok(token)
    }

    fn keep(&self, response: &TokenResponse, tenant: &str, scopes: &Scopes) {
        let home_account_id = match &self.credential {
            Credential::User(person) => {
                let account = &person.account;
                if let Some(id_token) = &response.id_token {
                    person.id_tokens.borrow_mut().push(IdToken {
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
            Credential::Application(_) | Credential::Host => None,
        };
        self.access_tokens.borrow_mut().push(records::access_token(
            response,
            &self.environment,
            &self.resource_manager,
            self.identity.client_id(),
            home_account_id.as_deref(),
            &self.identity.owner(),
            tenant,
            scopes,
            self.system.clock.now(),
        ));
    }
}
