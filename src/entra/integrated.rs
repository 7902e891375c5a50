//! Integrated authentication: a sign-in with the Kerberos ticket that the user already has.

use super::desktop_sso;
use super::password::check_realm;
use super::scope::Scopes;
use super::token_client::TokenClient;
use super::token_response::TokenResponse;
use crate::error::{Error, Result};
use crate::foreign::Typed;

/// The grant, which is also MSAL's name of the source of the account.
pub(crate) const SAML_BEARER: &str = "urn:ietf:params:oauth:grant-type:saml1_1-bearer";

impl TokenClient<'_> {
    /// Requests tokens of `scopes` with the Kerberos ticket of `username`: three requests, and those
    /// of the Kerberos library. The service decides by the ticket, not by the name, who signs in.
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
        check_realm(self.system, login_url, username).await?;
        let assertion = desktop_sso::assertion(self.system, login_url, domain).await?;
        let form = Self::grant(SAML_BEARER)
            .with("client_id", self.client_id)
            .with("scope", &scopes.for_user())
            .with_secret("assertion", &assertion);
        self.post(form, Some(&format!("upn:{username}"))).await
    }
}
