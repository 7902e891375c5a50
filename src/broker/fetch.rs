//! Fetches a new token from the network, for each kind of account.

use super::{
    AppCredential, Broker, Brokered, Identity, Token, TokenRequest, application, host, records,
    refresh_token, remedy, renewal,
};
use crate::entra::{AZURE_CLI_CLIENT_ID, Authority, TokenClient, TokenResponse};
use crate::error::{Error, Kind, Result};
use crate::program::Program;
use crate::vault::{AccessToken, Account, Record, RefreshToken, ServicePrincipal, Vault};

impl Broker<'_> {
    /// Fetches the token that `request` describes, and stores it.
    pub(super) async fn fetch(&self, request: &TokenRequest) -> Result<Token> {
        match &request.identity {
            Identity::User { .. } => self.fetch_for_user(request).await,
            Identity::Client(account) => self.fetch_for_client(request, account).await,
            Identity::ServicePrincipal { .. } => {
                let vault = self.stored(request)?;
                let entry = self.service_principal(vault, request)?;
                let credential = AppCredential::stored(&entry, self.system)?;
                let response = self.ask_as_application(request, &credential).await?;
                // A sign-out or another sign-in may have happened during the request: what it
                // removed stays removed.
                let _writing = vault.write_lock();
                let is_the_same = vault.get(&entry.key())?.as_ref() == Some(&entry);
                let record = self.record(request, &response, None);
                Ok(if is_the_same { self.keep(record) } else { Token::new(record) })
            }
            Identity::Environment(identity) => {
                let response = self.ask_as_application(request, &identity.credential).await?;
                Ok(self.keep(self.record(request, &response, None)))
            }
            Identity::ManagedIdentity(_) | Identity::CloudShell { .. } => {
                let response = host::token(self.system, &request.identity, &request.scopes).await?;
                Ok(self.keep(self.record(request, &response, None)))
            }
        }
    }

    async fn fetch_for_user(&self, request: &TokenRequest) -> Result<Token> {
        let (program, vault) = (self.system.program, self.stored(request)?);
        let environment = self.environment.as_str();
        let account = request.identity.name();
        let Some(signed_in) = vault.get(&Account::key_of(environment, account))? else {
            return Err(request.identity.not_signed_in(program));
        };
        let Some(held) = refresh_token(vault, environment, account)? else {
            if signed_in.is_brokered() {
                return self.fetch_from_identity_broker(request, vault, &signed_in).await;
            }
            if signed_in.renews_with_ticket {
                return self.renew_with_ticket(request, vault, &signed_in).await;
            }
            let (text, remedy) = match program {
                Program::Az => (
                    "Can't find token from MSAL cache.".to_owned(),
                    "To re-authenticate, please run:",
                ),
                Program::Azt => {
                    (format!("No refresh token is stored for {account}."), "Sign in again:")
                }
            };
            let error = Error::new(Kind::NotSignedIn, text).remedy(remedy);
            return Err(error.cured_by(format!("{program} login")));
        };
        let client = self.client(request, AZURE_CLI_CLIENT_ID)?;
        let refreshed =
            client.refresh(&held.secret, &request.scopes, Some(&signed_in.home_account_id)).await;
        let response = match refreshed {
            Err(error) if renewal::is_due(self.system, &signed_in, &error) => {
                return self.renew_with_ticket(request, vault, &signed_in).await;
            }
            response => response.map_err(|error| self.with_remedy(error, request))?,
        };

        let _writing = vault.write_lock();
        let is_the_same = vault.get(&signed_in.key())?.as_ref() == Some(&signed_in);
        if let Some(next) = response.refresh_token.clone().filter(|_| is_the_same) {
            let last_modification_time = self.system.clock.now();
            self.put(vault, &RefreshToken { secret: next, last_modification_time, ..held });
        }
        let record = self.record(request, &response, Some(&signed_in.home_account_id));
        Ok(if is_the_same { self.keep(record) } else { Token::new(record) })
    }

    /// Asks the operating system's identity broker, which holds the sign-in of `account`.
    async fn fetch_from_identity_broker(
        &self,
        request: &TokenRequest,
        vault: &Vault<'_>,
        account: &Account,
    ) -> Result<Token> {
        if request.claims.is_some() {
            return Err(remedy::broker_takes_no_claims(request, self.domain(request).as_deref()));
        }
        let authority = Authority::new(&self.authority_host, &request.tenant)?;
        let now = self.system.clock.now();
        let user = Brokered::stored(self.system, account)?;
        let response = user.token(&authority, &request.scopes, now).await?;
        let _writing = vault.write_lock();
        let is_the_same = vault.get(&account.key())?.as_ref() == Some(account);
        let record = self.record(request, &response, Some(&account.home_account_id));
        Ok(if is_the_same { self.keep(record) } else { Token::new(record) })
    }

    /// Signs `account` in again with the user's Kerberos ticket, for the token of `request`. The new
    /// refresh token replaces the dead one.
    async fn renew_with_ticket(
        &self,
        request: &TokenRequest,
        vault: &Vault<'_>,
        account: &Account,
    ) -> Result<Token> {
        let client = self.client(request, AZURE_CLI_CLIENT_ID)?;
        let response = renewal::with_ticket(&client, account, &request.scopes)
            .await
            .map_err(|error| self.with_remedy(error, request))?;
        let _writing = vault.write_lock();
        let is_the_same = vault.get(&account.key())?.as_ref() == Some(account);
        if let Some(secret) = response.refresh_token.clone().filter(|_| is_the_same) {
            let (scopes, now) = (&request.scopes, self.system.clock.now());
            self.put(vault, &records::refresh_token(&response, secret, account, scopes, now));
        }
        let record = self.record(request, &response, Some(&account.home_account_id));
        Ok(if is_the_same { self.keep(record) } else { Token::new(record) })
    }

    fn with_remedy(&self, error: Error, request: &TokenRequest) -> Error {
        let is_default_scope = request.scopes.joined() == self.default_scope;
        let domain = self.domain(request);
        remedy::for_user(error, self.system, request, is_default_scope, domain.as_deref())
    }

    /// The name of the tenant of `request`, if a person reads the error and the profile has it.
    pub(super) fn domain(&self, request: &TokenRequest) -> Option<String> {
        self.system.is_watched().then(|| self.homes.domain_of(&request.tenant)).flatten()
    }

    async fn ask_as_application(
        &self,
        request: &TokenRequest,
        credential: &AppCredential,
    ) -> Result<TokenResponse> {
        let (program, scopes) = (self.system.program, &request.scopes);
        let credential = credential.present(self.system).await?;
        let client = self.client(request, request.identity.client_id())?;
        match &request.user_assertion {
            None => client
                .client_credentials(&credential, scopes)
                .await
                .map_err(|error| remedy::for_application(error, program, &request.identity)),
            Some(user) => client
                .on_behalf_of(&credential, user, scopes)
                .await
                .map_err(|error| remedy::on_behalf_of(error, program, &request.identity)),
        }
    }

    /// The record of the access token in `response`.
    pub(super) fn record(
        &self,
        request: &TokenRequest,
        response: &TokenResponse,
        home_account_id: Option<&str>,
    ) -> AccessToken {
        records::access_token(
            response,
            self.environment_of(&request.identity),
            self.resource_manager_of(&request.identity),
            request.identity.client_id(),
            home_account_id,
            &request.owner().text(),
            &request.tenant,
            &request.scopes,
            self.system.clock.now(),
        )
    }

    /// The token of `record`, which is stored if there is a vault.
    pub(super) fn keep(&self, record: AccessToken) -> Token {
        if let Some(vault) = &self.vault {
            self.put(vault, &record);
            if let Err(error) = vault.sweep_if_due(self.system.clock.now()) {
                self.system.terminal.debug(&format!("the vault was not swept: {error}"));
            }
        }
        Token::new(record)
    }

    /// Stores `record`. If that fails (full disk, read-only folder), the caller still gets the
    /// token, and the old record stays.
    pub(super) fn put<R: Record>(&self, vault: &Vault<'_>, record: &R) {
        if let Err(error) = vault.put(record) {
            self.system.terminal.info(&format!("The token was not stored: {error}"));
        }
    }

    /// The vault, or an error: accounts with a sign-in need one.
    pub(super) fn stored(&self, request: &TokenRequest) -> Result<&Vault<'_>> {
        self.vault.as_ref().ok_or_else(|| request.identity.not_signed_in(self.system.program))
    }

    fn client<'r>(&'r self, request: &TokenRequest, client_id: &'r str) -> Result<TokenClient<'r>> {
        let authority = Authority::new(&self.authority_host, &request.tenant)?;
        TokenClient::new(self.system, authority, client_id, request.claims.as_deref())
    }

    /// The stored credential of an application: for this tenant, else for another one, as in az.
    fn service_principal(
        &self,
        vault: &Vault<'_>,
        request: &TokenRequest,
    ) -> Result<ServicePrincipal> {
        let (client_id, tenant) = (request.identity.client_id(), &request.tenant);
        let (system, environment) = (self.system, &self.environment);
        let stored = application(system, vault, self.homes, environment, client_id, tenant)?;
        let entry = stored.ok_or_else(|| request.identity.not_signed_in(system.program))?;
        if !entry.tenant.eq_ignore_ascii_case(tenant) {
            system.terminal.warn(&format!(
                "Could not retrieve credential from local cache for service principal {client_id} under tenant {tenant}. Trying credential under tenant {}, assuming that is an app credential.",
                entry.tenant
            ));
        }
        Ok(entry)
    }
}
