//! User realm discovery: the service that checks a user's password.

use serde::Deserialize;

use super::error_response;
use crate::error::{Error, Kind, Result};
use crate::foreign::{Name, Sentence, lenient};
use crate::sys::{EndpointUrl, Request, System};

/// The audience of assertions for Entra in the public cloud.
pub(super) const PUBLIC_AUDIENCE: &str = "urn:federation:MicrosoftOnline";

/// The service that checks a user's password.
pub(crate) enum Realm {
    /// Entra itself. Entra also has the answer for names that it does not know.
    Managed,
    /// The federation server of the user's domain.
    Federated(Box<Federation>),
}

/// A federation server, as Entra describes it.
pub(crate) struct Federation {
    /// The user's domain.
    pub(super) domain: Name,
    /// `WSTrust`, `SAML20`.
    pub(super) protocol: Option<Name>,
    /// The address of its metadata (MEX).
    pub(super) metadata: Option<EndpointUrl>,
    /// The endpoint for user names and passwords, if it is usable.
    pub(super) password_endpoint: Option<EndpointUrl>,
    /// The audience of assertions for Entra, a URN.
    pub(super) audience: Name,
}

/// Asks Entra which service checks the password of `username`. MSAL makes the same request before
/// it sends a password.
pub(crate) async fn user_realm(
    system: &System,
    login_url: &EndpointUrl,
    username: &str,
) -> Result<Realm> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(default, deserialize_with = "lenient")]
        account_type: Option<Name>,
        #[serde(default, deserialize_with = "lenient")]
        federation_protocol: Option<Name>,
        #[serde(default, deserialize_with = "lenient")]
        domain_name: Option<Name>,
        #[serde(default, deserialize_with = "lenient")]
        federation_metadata_url: Option<Sentence>,
        #[serde(default, deserialize_with = "lenient")]
        federation_active_auth_url: Option<Sentence>,
        #[serde(default, deserialize_with = "lenient")]
        cloud_audience_urn: Option<Name>,
    }
    let encoded = form_urlencoded::byte_serialize(username.as_bytes()).collect::<String>();
    let name = encoded.replace('+', "%20");
    let url = login_url.at(&format!("common/userrealm/{name}?api-version=1.0"))?;
    let response = system.http.send(system, Request::get(&url)).await?;
    if let Some(error) = error_response::refusal(&response, &url.environment()) {
        return Err(error);
    }
    let body: Body = response.json().map_err(|_| {
        Error::new(
            Kind::Service,
            format!(
                "{} did not say which service signs {username} in (HTTP {}).",
                url.environment(),
                response.status
            ),
        )
    })?;
    if !body.account_type.is_some_and(|kind| kind.eq_ignore_ascii_case("federated")) {
        return Ok(Realm::Managed);
    }
    let domain = body.domain_name.unwrap_or_else(|| Name::new("the domain"));
    let endpoint = |text: Option<Sentence>| {
        let text = text.filter(|text| !text.is_empty());
        text.map(|text| federation_url(&text, &domain)).transpose()
    };
    let metadata = endpoint(body.federation_metadata_url)?;
    let password_endpoint = match endpoint(body.federation_active_auth_url) {
        // The metadata has the endpoints. MSAL does not read this address then.
        Err(error) if metadata.is_some() => {
            system.terminal.debug(&format!("an address is ignored: {error}"));
            None
        }
        found => found?,
    };
    Ok(Realm::Federated(Box::new(Federation {
        protocol: body.federation_protocol,
        metadata,
        password_endpoint,
        audience: body.cloud_audience_urn.unwrap_or_else(|| Name::new(PUBLIC_AUDIENCE)),
        domain,
    })))
}

/// Parses an address of the federation server of `domain`. It must be https, on this machine too,
/// as MSAL requires.
pub(super) fn federation_url(text: &str, domain: &str) -> Result<EndpointUrl> {
    let what = format!("An address of the federation server of {domain}");
    let url =
        EndpointUrl::parse_with_query(text, &what).map_err(|it| it.with_kind(Kind::Service))?;
    if !url.is_encrypted() {
        return Err(Error::new(Kind::Service, format!("{what} does not begin with https://.")));
    }
    Ok(url)
}
