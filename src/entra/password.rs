//! The resource owner password credentials grant (RFC 6749 section 4.3), and the request before it,
//! which finds the service that checks the user's password.

use serde::Deserialize;

use super::error_response;
use super::scope::Scopes;
use super::token_client::TokenClient;
use super::token_response::TokenResponse;
use crate::error::{Error, Kind, Result};
use crate::foreign::{Name, lenient};
use crate::secret::Secret;
use crate::sys::{EndpointUrl, Request, System};

/// Asks Entra which service checks the password of `username`. MSAL makes the same user realm
/// request before it sends a password.
///
/// # Errors
/// [`Kind::Refused`] for a federated domain, which would need WS-Trust.
pub(crate) async fn check_realm(
    system: &System,
    login_url: &EndpointUrl,
    username: &str,
) -> Result<()> {
    #[derive(Deserialize)]
    struct Realm {
        #[serde(default, deserialize_with = "lenient")]
        account_type: Option<Name>,
        #[serde(default, deserialize_with = "lenient")]
        federation_protocol: Option<Name>,
        #[serde(default, deserialize_with = "lenient")]
        domain_name: Option<Name>,
    }
    let encoded = form_urlencoded::byte_serialize(username.as_bytes()).collect::<String>();
    let name = encoded.replace('+', "%20");
    let url = login_url.at(&format!("common/userrealm/{name}?api-version=1.0"))?;
    let response = system.http.send(system, Request::get(&url)).await?;
    if let Some(error) = error_response::refusal(&response, &url.environment()) {
        return Err(error);
    }
    let realm: Realm = response.json().map_err(|_| {
        Error::new(
            Kind::Service,
            format!(
                "{} did not say which service checks the password of {username} (HTTP {}).",
                url.environment(),
                response.status
            ),
        )
    })?;
    if realm.account_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("federated")) {
        let domain = realm.domain_name.as_deref().unwrap_or("the domain");
        let by = realm.federation_protocol.as_deref().unwrap_or("another service");
        return Err(Error::new(
            Kind::Refused,
            format!("A service of {domain} ({by}) checks the password of {username}, and accepts passwords only on its own page."),
        )
        .remedy("Sign in with a browser or a code instead: omit --username and --password."));
    }
    Ok(())
}

impl TokenClient<'_> {
    /// Requests tokens of `scopes` with a user's password: one request.
    pub(crate) async fn password(
        &self,
        username: &str,
        password: &Secret,
        scopes: &Scopes,
    ) -> Result<TokenResponse> {
        let form = Self::grant("password")
            .with("client_id", &self.client_id)
            .with("scope", &scopes.for_user())
            .with("username", username)
            .with_secret("password", password);
        self.post(form, Some(&format!("upn:{username}"))).await
    }
}
