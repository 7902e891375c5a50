//! Constructors of a sign-in.

use std::cell::RefCell;
use std::sync::Arc;

use super::super::{
    AppCredential, BrokerAccount, Brokered, Homes, Identity, IdentityBroker, application, host,
    records, refresh_token, resolve_tenant,
};
use super::{BrokerCredential, Credential, Origin, SignIn, UserCredential};
use crate::entra::{
    AZURE_CLI_CLIENT_ID, Authority, IdClaims, Scopes, TokenClient, TokenResponse, is_adfs,
};
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use crate::settings::{AssignedIdentity, Cloud};
use crate::sys::System;
use crate::vault::{Account, Vault};

impl<'a> SignIn<'a> {
    fn new(
        system: &'a System,
        cloud: &Cloud,
        identity: Identity,
        tenant: &str,
        credential: Credential,
        origin: Origin,
    ) -> Result<Self> {
        let login_url = cloud.authority_host()?;
        Ok(Self {
            system,
            environment: login_url.environment(),
            authority: Authority::new(&login_url, tenant)?,
            resource_manager: records::resource_manager(cloud),
            identity,
            tenant: tenant.to_owned(),
            access_tokens: RefCell::default(),
            credential,
            assertion: RefCell::default(),
            origin,
        })
    }

    /// Signs an application in with `credential`, and proves it by asking for a token of `scopes`.
    ///
    /// Always makes the request: a wrong secret must not pass because a token is cached.
    pub(crate) async fn with_client_credential(
        system: &'a System,
        cloud: &Cloud,
        tenant: &str,
        client_id: &str,
        credential: AppCredential,
        scopes: &Scopes,
        challenge: Option<&str>,
    ) -> Result<Self> {
        let tenant = resolve_tenant(system, &cloud.authority_host()?, tenant).await?;
        let entry = credential.into_record(&cloud.environment()?, client_id, &tenant);
        let identity = Identity::ServicePrincipal { client_id: client_id.to_owned() };
        let credential = Credential::Application(Box::new(entry));
        let sign_in = Self::new(system, cloud, identity, &tenant, credential, Origin::New)?;
        sign_in.request(&tenant, scopes, challenge).await?;
        Ok(sign_in)
    }

    /// Signs a user in with a refresh token that another program obtained, in `tenant` (GUID,
    /// domain or `common`): one request.
    pub(crate) async fn with_refresh_token(
        system: &'a System,
        cloud: &Cloud,
        tenant: &str,
        scopes: &Scopes,
        refresh_token: &Secret,
    ) -> Result<Self> {
        let authority = Authority::new(&cloud.authority_host()?, tenant)?;
        let client = TokenClient::new(system, authority, AZURE_CLI_CLIENT_ID, None)?;
        let response = client.refresh(refresh_token, scopes, None).await?;
        Self::of_user(cloud, &client, scopes, &response, Some("refresh_token"))
    }

    /// Signs a user in with `account` of the identity broker `broker`, in `tenant` (GUID or domain)
    /// or else the home tenant, and proves it by asking for a token of `scopes`.
    pub(crate) async fn with_identity_broker(
        system: &'a System,
        cloud: &Cloud,
        tenant: Option<&str>,
        scopes: &Scopes,
        broker: Arc<dyn IdentityBroker>,
        account: BrokerAccount,
    ) -> Result<Self> {
        let login_url = cloud.authority_host()?;
        if is_adfs(&login_url) {
            return Err(Error::failed("The identity broker has no accounts of AD FS."));
        }
        let tenant = match tenant {
            Some(tenant) => resolve_tenant(system, &login_url, tenant).await?,
            None => account.tenant().ok_or_else(|| {
                Error::new(Kind::Service, "The identity broker names no tenant of this account.")
                    .remedy("Name it with --tenant.")
            })?,
        };
        let name = account.username().to_owned();
        let environment = cloud.environment()?;
        check_not_reserved(&environment, &name)?;
        let record = account.record(&environment, &tenant, system.clock.now());
        let user = Brokered::new(system, broker, account);
        let credential = Credential::Broker(Box::new(BrokerCredential { account: record, user }));
        let identity = Identity::User { name };
        let sign_in = Self::new(system, cloud, identity, &tenant, credential, Origin::New)?;
        sign_in.request(&tenant, scopes, None).await?;
        Ok(sign_in)
    }

    /// Loads the account `identity` from the vault, to list its subscriptions again. A host's
    /// identity needs no vault.
    pub(crate) fn resume(
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
                let tenant = account.realm.clone();
                let credential = match refresh_token(stored()?, &environment, name)? {
                    Some(refresh_token) => UserCredential::boxed(account, refresh_token),
                    None if account.is_brokered() => {
                        let user = Brokered::stored(system, &account)?;
                        Credential::Broker(Box::new(BrokerCredential { account, user }))
                    }
                    None => return Err(missing()),
                };
                (credential, tenant)
            }
            Identity::ServicePrincipal { client_id } => {
                let entry = application(system, stored()?, homes, &environment, client_id, tenant)?;
                let entry = entry.filter(|it| it.tenant.eq_ignore_ascii_case(tenant));
                let entry = entry.ok_or_else(missing)?;
                (Credential::Application(Box::new(entry)), tenant.to_owned())
            }
            // The first one's credential is never stored; a client's account has no subscriptions.
            Identity::Environment(_) | Identity::Client(_) => return Err(missing()),
            Identity::ManagedIdentity(_) | Identity::CloudShell { .. } => {
                cloud.check_for_host_identity()?;
                (Credential::Host, tenant.to_owned())
            }
        };
        Self::new(system, cloud, identity, &tenant, credential, Origin::Stored)
    }

    /// Signs in as this host's own identity: a managed identity, or the user of Cloud Shell, whose
    /// name is in the token.
    pub(crate) async fn with_host_identity(
        system: &'a System,
        cloud: &Cloud,
        identity: Identity,
        scopes: &Scopes,
    ) -> Result<Self> {
        cloud.check_for_host_identity()?;
        let response = host::token(system, &identity, scopes).await?;
        let claims = IdClaims::decode(response.access_token.expose()).unwrap_or_default();
        let tenant = claims
            .tenant_id()?
            .ok_or_else(|| Error::new(Kind::Service, "The host's token names no tenant."))?;
        let tenant = String::from(tenant);
        let identity = match identity {
            Identity::CloudShell { name } => {
                Identity::CloudShell { name: claims.unique_name.map_or(name, String::from) }
            }
            identity => identity,
        };
        let sign_in = Self::new(system, cloud, identity, &tenant, Credential::Host, Origin::New)?;
        sign_in.keep(&response, &tenant, scopes);
        Ok(sign_in)
    }

    /// Marks the account: the user's Kerberos ticket may renew the sign-in.
    #[must_use]
    pub(in crate::broker) fn renewed_with_ticket(mut self) -> Self {
        if let Credential::User(user) = &mut self.credential {
            user.account.renews_with_ticket = true;
        }
        self
    }

    /// Takes the tokens of a user who signed in through `client`; `source` is MSAL's name of the
    /// grant.
    pub(in crate::broker) fn of_user(
        cloud: &Cloud,
        client: &TokenClient<'a>,
        scopes: &Scopes,
        response: &TokenResponse,
        source: Option<&str>,
    ) -> Result<Self> {
        let system = client.system();
        let incomplete = |what: &str| {
            Error::new(Kind::Service, format!("The service signed you in but sent {what}."))
        };
        let now = system.clock.now();
        let environment = cloud.environment()?;
        let id = response.id_claims().ok_or_else(|| incomplete("no readable ID token"))?;
        let name = id.username().ok_or_else(|| incomplete("no user name"))?.to_string();
        check_not_reserved(&environment, &name)?;
        let tenant = id.tenant_id()?;
        let tenant = tenant.map_or_else(|| client.authority().tenant().to_owned(), String::from);
        let home_account_id = response
            .home_account_id()
            // ADFS sends no client_info; like MSAL, use the subject.
            .or_else(|| id.sub.clone().map(String::from))
            .ok_or_else(|| incomplete("no account id"))?;
        let refresh_token = response.refresh_token.clone().ok_or_else(|| {
            incomplete("no refresh token, so the sign-in would end within the hour")
        })?;
        let account = Account {
            home_account_id: home_account_id.clone(),
            environment: environment.clone(),
            realm: tenant.clone(),
            local_account_id: id.local_account_id().unwrap_or_default().to_owned(),
            username: name.clone(),
            authority_type: if is_adfs(&cloud.authority_host()?) { "ADFS" } else { "MSSTS" }
                .to_owned(),
            account_source: source.map(str::to_owned),
            client_info: response.client_info.clone(),
            renews_with_ticket: false,
            signed_in_at: now,
            other: serde_json::Map::new(),
        };
        let refresh_token = records::refresh_token(response, refresh_token, &account, scopes, now);
        let credential = UserCredential::boxed(account, refresh_token);
        let identity = Identity::User { name };
        let sign_in = Self::new(system, cloud, identity, &tenant, credential, Origin::New)?;
        sign_in.keep(response, &tenant, scopes);
        Ok(sign_in)
    }
}

/// Fails for a user `name` that the profile uses for managed identities.
fn check_not_reserved(environment: &str, name: &str) -> Result<()> {
    if !AssignedIdentity::is_reserved(name) {
        return Ok(());
    }
    Err(Error::new(
        Kind::Service,
        format!(
            "{environment} says that you are '{}', but that name is reserved for managed identities, so a user cannot sign in with it.",
            name.trim()
        ),
    ))
}
