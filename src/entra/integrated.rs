//! Integrated authentication: a sign-in with the Kerberos ticket that the user already has.

use super::desktop_sso;
use super::scope::Scopes;
use super::token_client::TokenClient;
use super::token_response::TokenResponse;
use super::user_realm::{Realm, user_realm};
use super::ws_trust::{Credential, saml_assertion};
use crate::error::{Error, Result};
use crate::foreign::Typed;

impl TokenClient<'_> {
    /// Requests tokens of `scopes` with the Kerberos ticket of `username`: three requests or
    /// four, and those of the Kerberos library. The service decides who signs in by the ticket, not
    /// by the name.
    pub(crate) async fn with_ticket(
        &self,
        username: &str,
        scopes: &Scopes,
    ) -> Result<TokenResponse> {
        let login_url = self.authority.login_url();
        if self.authority.is_adfs() {
            return Err(Error::failed(
                "A cloud with its own ADFS has no sign-in with a Kerberos ticket.",
            ));
        }
        let domain = username.rsplit_once('@').map_or("", |(_, domain)| domain);
        if domain.is_empty() {
            return Err(Error::failed(format!(
                "'{username}' is not a user name with a domain (name@domain).",
                username = Typed(username)
            )));
        }
        // Refuses a domain that would lead to another path.
        self.authority.with_tenant(domain)?;
        let assertion = match user_realm(self.system, login_url, username).await? {
            Realm::Managed => desktop_sso::assertion(self.system, login_url, domain).await?,
            Realm::Federated(federation) => {
                saml_assertion(self.system, &federation, &Credential::Ticket).await?
            }
        };
        self.saml_bearer(Some(username), &assertion, scopes).await
    }
}
