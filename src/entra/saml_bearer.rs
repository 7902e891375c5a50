//! The SAML bearer assertion grants (RFC 7522, and Entra's for SAML 1.1): a federation server's
//! assertion is exchanged for tokens.

use super::scope::Scopes;
use super::token_client::TokenClient;
use super::token_response::TokenResponse;
use super::ws_trust::{SamlAssertion, SamlVersion};
use crate::error::Result;

impl TokenClient<'_> {
    /// Requests tokens of `scopes` for the user of `assertion`: one request. `username`, if known,
    /// routes it to the account's home region.
    pub(crate) async fn saml_bearer(
        &self,
        username: Option<&str>,
        assertion: &SamlAssertion,
        scopes: &Scopes,
    ) -> Result<TokenResponse> {
        let grant = match assertion.version {
            SamlVersion::V1 => "urn:ietf:params:oauth:grant-type:saml1_1-bearer",
            SamlVersion::V2 => "urn:ietf:params:oauth:grant-type:saml2-bearer",
        };
        let form = Self::grant(grant)
            .with("client_id", self.client_id)
            .with("scope", &scopes.for_user())
            .with_secret("assertion", &assertion.encoded);
        let anchor = username.map(|username| format!("upn:{username}"));
        self.post(form, anchor.as_deref()).await
    }
}
