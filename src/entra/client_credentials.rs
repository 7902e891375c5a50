//! The client credentials grant (RFC 6749 section 4.4).

use super::client_authentication::ClientCredential;
use super::scope::Scopes;
use super::token_client::TokenClient;
use super::token_response::TokenResponse;
use crate::error::Result;

impl TokenClient<'_> {
    /// Requests an access token of `scopes` for the application itself: one request.
    pub(crate) async fn client_credentials(
        &self,
        credential: &ClientCredential,
        scopes: &Scopes,
    ) -> Result<TokenResponse> {
        let form = Self::grant("client_credentials").with("scope", &scopes.joined());
        self.post(credential.sign(form, self)?, None).await
    }
}
