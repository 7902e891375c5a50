//! The sign-in flows of a user.

use std::marker::PhantomData;
use std::time::Duration;

use super::client_sign_in::ClientSignIn;
use super::redirect_uri::RedirectUri;
use super::sign_in::SignIn;
use super::{remedy, resolve_tenant};
use crate::entra::{
    AZURE_CLI_CLIENT_ID, Authority, AuthorizationRequest, Credential, DeviceAuthorization, Realm,
    Redirect, ResponseMode, Scopes, TokenClient, TokenResponse, saml_assertion, user_realm,
};
use crate::error::{Error, Kind, Result};
use crate::foreign::{Sentence, Typed};
use crate::secret::Secret;
use crate::settings::Cloud;
use crate::sys::{Level, System, fill_random, kerberos_ticket, with_countdown};

/// The tenant segment of a sign-in that names no tenant: any work or school account.
const ANY_TENANT: &str = "organizations";

/// The first dynamic port (RFC 6335). All dynamic ports have its two bits set.
const FIRST_DYNAMIC_PORT: u16 = 0b1100_0000_0000_0000;

/// A sign-in of a user that is about to start. Its result is a `T`: only a sign-in to az's own client
/// is a [`SignIn`].
pub(crate) struct UserSignIn<'a, 'r, T> {
    pub(super) system: &'a System,
    cloud: &'r Cloud,
    pub(super) client: TokenClient<'a>,
    scopes: &'r Scopes,
    pub(super) redirect: RedirectUri,
    /// The command of this sign-in, to a client other than az's.
    pub(super) own_login: Option<String>,
    result: PhantomData<T>,
}

/// The result of a user's sign-in.
pub(crate) trait SignedIn<'a>: Sized {
    /// Takes the tokens in `response`; `source` is MSAL's name of the grant, if it has one.
    fn of(
        user: &UserSignIn<'a, '_, Self>,
        response: &TokenResponse,
        source: Option<&str>,
    ) -> Result<Self>;

    /// The user's name.
    fn name(&self) -> &str;
}

impl<'a> SignedIn<'a> for SignIn<'a> {
    fn of(
        user: &UserSignIn<'a, '_, Self>,
        response: &TokenResponse,
        source: Option<&str>,
    ) -> Result<Self> {
        SignIn::of_user(user.cloud, &user.client, user.scopes, response, source)
    }

    fn name(&self) -> &str {
        SignIn::name(self)
    }
}

impl<'a> SignedIn<'a> for ClientSignIn {
    fn of(
        user: &UserSignIn<'a, '_, Self>,
        response: &TokenResponse,
        _: Option<&str>,
    ) -> Result<Self> {
        ClientSignIn::new(user.cloud, &user.client, user.scopes, response)
    }

    fn name(&self) -> &str {
        &self.account().username
    }
}

/// A public client that is not az's.
pub(crate) struct OwnClient<'r> {
    /// Its client id.
    pub(crate) client_id: &'r str,
    /// Its authority, if that is not the cloud's.
    pub(crate) authority: Option<Authority>,
    /// One of its redirect URIs.
    pub(crate) redirect: RedirectUri,
    /// The command that signs in there, without the redirect URI.
    pub(crate) login: String,
}

impl<'a, 'r> UserSignIn<'a, 'r, ClientSignIn> {
    /// For `scopes` of the client `own`; in `tenant` if its authority is the cloud's.
    pub(crate) async fn to_client(
        system: &'a System,
        cloud: &'r Cloud,
        own: OwnClient<'_>,
        tenant: Option<&str>,
        scopes: &'r Scopes,
        challenge: Option<&str>,
    ) -> Result<Self> {
        let authority = match own.authority {
            Some(authority) => authority,
            None => authority_of(system, cloud, tenant).await?,
        };
        let client = TokenClient::new(system, authority, own.client_id, challenge)?;
        let (redirect, own_login) = (own.redirect, Some(own.login));
        Ok(Self { system, cloud, client, scopes, redirect, own_login, result: PhantomData })
    }
}

/// The authority of `tenant` in `cloud`; without a tenant, that of all work and school accounts.
async fn authority_of(system: &System, cloud: &Cloud, tenant: Option<&str>) -> Result<Authority> {
    let login_url = cloud.authority_host()?;
    let tenant = match tenant {
        Some(tenant) => resolve_tenant(system, &login_url, tenant).await?,
        None => ANY_TENANT.to_owned(),
    };
    Authority::new(&login_url, &tenant)
}

impl<'a, 'r> UserSignIn<'a, 'r, SignIn<'a>> {
    /// For `scopes` in `tenant`: a GUID, a domain (one request) or none. `challenge` is the JSON
    /// text of a claims challenge.
    pub(crate) async fn new(
        system: &'a System,
        cloud: &'r Cloud,
        tenant: Option<&str>,
        scopes: &'r Scopes,
        challenge: Option<&str>,
    ) -> Result<Self> {
        let authority = authority_of(system, cloud, tenant).await?;
        let client = TokenClient::new(system, authority, AZURE_CLI_CLIENT_ID, challenge)?;
        let redirect = RedirectUri::default();
        Ok(Self { system, cloud, client, scopes, redirect, own_login: None, result: PhantomData })
    }

    /// Signs in with user name and password, at Entra or at the federation server of the user's
    /// domain. Two requests, or four. Entra refuses it if it demands a second factor.
    pub(crate) async fn with_password(
        &self,
        username: &str,
        password: &Secret,
    ) -> Result<SignIn<'a>> {
        let (system, client) = (self.system, &self.client);
        let realm = if client.authority().is_adfs() {
            Realm::Managed
        } else {
            user_realm(system, &self.cloud.authority_host()?, username).await?
        };
        let (response, source) = match realm {
            Realm::Managed => {
                (client.password(username, password, self.scopes).await, Some("password"))
            }
            Realm::Federated(federation) => {
                let credential = Credential::UserName { username, password };
                let assertion = saml_assertion(system, &federation, &credential).await?;
                (client.saml_bearer(Some(username), &assertion, self.scopes).await, None)
            }
        };
        let response = response.map_err(|error| remedy::for_password(error, system.program))?;
        self.done(&response, source)
    }

    /// Signs in with the user's Kerberos ticket. `username` is the account; without one, the ticket's
    /// principal is.
    ///
    /// # Errors
    /// There is no usable ticket; or it is another account's than `username`.
    pub(crate) async fn with_ticket(&self, username: Option<&str>) -> Result<SignIn<'a>> {
        let system = self.system;
        let name = if let Some(name) = username {
            name.to_owned()
        } else {
            let ticket = kerberos_ticket(system)?;
            ticket.user_name().ok_or_else(|| {
                Error::failed(format!(
                    "The Kerberos ticket is of {}, which is not a user's principal.",
                    ticket.principal
                ))
                .remedy("Get a ticket of your own with kinit, or name the account with --username.")
            })?
        };
        let response = self
            .client
            .with_ticket(&name, self.scopes)
            .await
            .map_err(|error| self.with_remedy(error))?;
        let sign_in = self.done(&response, None)?.renewed_with_ticket();
        match username {
            Some(wanted) if !sign_in.name().eq_ignore_ascii_case(wanted) => {
                Err(other_account(sign_in.name(), wanted))
            }
            _ => Ok(sign_in),
        }
    }
}

impl<'a, T: SignedIn<'a>> UserSignIn<'a, '_, T> {
    /// Signs in with a browser on another machine: the user opens the address there, and pastes
    /// back the final address, of a page that cannot be shown.
    ///
    /// The code is in the query, because the user can copy only the address. An attacker who finds
    /// it later cannot use it: it works once, and only with the verifier, which stays here.
    pub(crate) async fn with_pasted_redirect(&self, limit: Duration) -> Result<T> {
        let terminal = &self.system.terminal;
        let port = match self.redirect.port(self.client.authority().is_adfs()) {
            0 => unused_port()?,
            port => port,
        };
        let redirect_uri = self.redirect.with_port(port);
        let request = self.authorization_request(&redirect_uri, ResponseMode::Query)?;
        let root = if self.redirect.path() == "/" { "/" } else { "" };
        let answer = format!("{redirect_uri}{root}?code=");
        terminal.message(
            Level::Notice,
            &format!("To sign in, open this address in a web browser on any machine:\n\n{}\n\nIt ends at a page that cannot be shown. Copy the address of that page, {answer}…, and paste it here.", request.url),
        );
        loop {
            let line = terminal.read_line("Address: ");
            // A prompt and a spinner would write over each other.
            let line = if terminal.stdin_is_tty() {
                line.await
            } else {
                with_countdown(self.system, "Time left to paste it:", limit, line).await
            };
            let Some(line) = line? else {
                return Err(Error::new(
                    Kind::InteractionRequired,
                    "Standard input ended without an address that belongs to this sign-in.",
                ));
            };
            let text = line.expose().trim();
            let query = text.split_once('?').map_or(text, |(_, query)| query);
            let query = query.split_once('#').map_or(query, |(query, _)| query);
            match request.read(query.as_bytes()) {
                Redirect::Code(code) => return self.redeem(&request, &code).await,
                Redirect::Refused(error) => return Err(self.with_remedy(error)),
                Redirect::OtherState => terminal.warn("This address belongs to another sign-in. Open the address above again and paste the final address."),
                Redirect::Nothing => terminal.warn(&format!("This contains no code. Paste the whole address; it begins with {answer}.")),
            }
        }
    }

    /// Signs in with a code that the user enters in any browser; `show` shows it.
    pub(crate) async fn with_device_code(
        &self,
        show: impl FnOnce(&DeviceAuthorization),
    ) -> Result<T> {
        let (system, client) = (self.system, &self.client);
        let own = self.own_login.as_deref();
        let refused = |error| remedy::for_device_code(error, system.program, own);
        let code = client.authorize_device(self.scopes).await.map_err(refused)?;
        show(&code);
        let poll = client.poll_device(&code);
        let response = with_countdown(system, "The code expires in", code.expires_in, poll)
            .await
            .map_err(refused)?;
        self.done(&response, Some("urn:ietf:params:oauth:grant-type:device_code"))
    }

    pub(super) fn authorization_request(
        &self,
        redirect_uri: &str,
        mode: ResponseMode,
    ) -> Result<AuthorizationRequest> {
        AuthorizationRequest::new(&self.client, self.scopes, redirect_uri, mode)
    }

    pub(super) async fn redeem(&self, request: &AuthorizationRequest, code: &Secret) -> Result<T> {
        let response = request
            .redeem(&self.client, self.scopes, code)
            .await
            .map_err(|error| self.with_remedy(error))?;
        self.done(&response, Some("authorization_code"))
    }

    pub(super) fn with_remedy(&self, error: Error) -> Error {
        let own = self.own_login.as_ref().map(|login| login.clone() + &self.redirect.option());
        remedy::for_sign_in(error, self.system.program, own.as_deref())
    }

    fn done(&self, response: &TokenResponse, source: Option<&str>) -> Result<T> {
        T::of(self, response, source)
    }
}

/// The error for a ticket that signs in `name` and not the account `wanted`.
fn other_account(name: &str, wanted: &str) -> Error {
    Error::new(
        Kind::Refused,
        format!(
            "The Kerberos ticket signs in {}, not {}; nothing was stored.",
            Sentence::new(name),
            Typed(wanted)
        ),
    )
    .remedy("Get a ticket of that account with kinit, or leave --username out.")
}

/// A random port, which most likely has no listener on the browser's machine.
fn unused_port() -> Result<u16> {
    let mut random = [0; 2];
    fill_random(&mut random)?;
    Ok(u16::from_ne_bytes(random) | FIRST_DYNAMIC_PORT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_a_random_dynamic_one() {
        let ports: std::collections::BTreeSet<u16> =
            (0..100).map(|_| unused_port().unwrap()).collect();
        assert!(ports.len() > 50 && *ports.first().unwrap() >= 49_152, "{ports:?}");
    }
}
