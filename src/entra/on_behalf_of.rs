//! The on-behalf-of grant (RFC 7523 section 2.1 with Entra's `requested_token_use`): an application
//! exchanges its caller's token for one that calls another service.

use super::client_authentication::ClientCredential;
use super::scope::Scopes;
use super::token_client::TokenClient;
use super::token_response::TokenResponse;
use crate::error::Result;
use crate::secret::Secret;

impl TokenClient<'_> {
    /// Requests an access token of `scopes` for the user of `user_assertion`, which is an access
    /// token for this application: one request.
    pub(crate) async fn on_behalf_of(
        &self,
        credential: &ClientCredential,
        user_assertion: &Secret,
        scopes: &Scopes,
    ) -> Result<TokenResponse> {
        let form = Self::grant("urn:ietf:params:oauth:grant-type:jwt-bearer")
            .with("requested_token_use", "on_behalf_of")
            .with("scope", &scopes.joined())
            .with_secret("assertion", user_assertion);
        self.post(credential.sign(form, self)?, None).await
    }
}
