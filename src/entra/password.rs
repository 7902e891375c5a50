//! The resource owner password credentials grant (RFC 6749 section 4.3).

use super::scope::Scopes;
use super::token_client::TokenClient;
use super::token_response::TokenResponse;
use crate::error::Result;
use crate::secret::Secret;

impl TokenClient<'_> {
    /// Requests tokens of `scopes` with a user's password: one request.
    pub(crate) async fn password(
        &self,
        username: &str,
        password: &Secret,
        scopes: &Scopes,
    ) -> Result<TokenResponse> {
        let form = Self::grant("password")
            .with("client_id", self.client_id)
            .with("scope", &scopes.for_user())
            .with("username", username)
            .with_secret("password", password);
        self.post(form, Some(&format!("upn:{username}"))).await
    }
}
