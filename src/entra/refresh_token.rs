//! The refresh token grant (RFC 6749 section 6).

use super::scope::Scopes;
use super::token_client::TokenClient;
use super::token_response::TokenResponse;
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;

impl TokenClient<'_> {
    /// Redeems `refresh_token` for an access token of `scopes`: one request. Entra binds refresh
    /// tokens to neither tenant nor scope.
    ///
    /// `home_account_id` (`uid.utid`) routes the request.
    ///
    /// # Errors
    /// [`Kind::Service`] if the answer names another account than `home_account_id`.
    pub(crate) async fn refresh(
        &self,
        refresh_token: &Secret,
        scopes: &Scopes,
        home_account_id: Option<&str>,
    ) -> Result<TokenResponse> {
        let form = Self::grant("refresh_token")
            .with("client_id", &self.client_id)
            .with("scope", &scopes.for_user())
            .with_secret("refresh_token", refresh_token);
        let anchor = home_account_id
            .and_then(|id| id.split_once('.'))
            .map(|(uid, utid)| format!("Oid:{uid}@{utid}"));
        let response = self.post(form, anchor.as_deref()).await?;
        if home_account_id.is_some_and(|id| response.is_of_other(id)) {
            let host = self.authority.login_url().environment();
            return Err(Error::new(
                Kind::Service,
                format!("{host} answered with the tokens of another account; they are not used."),
            ));
        }
        Ok(response)
    }
}
