//! Seamless single sign-on: Entra's autologon service takes a Kerberos ticket for itself, of a user
//! whose domain is managed, and issues an assertion for the token endpoint.
//!
//! The service's computer account in the user's Active Directory is `AZUREADSSOACC`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::error_response;
use super::user_realm::PUBLIC_AUDIENCE;
use super::ws_trust::{Credential, Endpoint, SamlAssertion, SamlVersion, Version};
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use crate::sys::{EndpointUrl, Response, System, random_uuid};

/// The autologon service of each login host that has one of its own.
const SERVICES: [(&str, &str); 2] = [
    ("login.microsoftonline.com", "https://autologon.microsoftazuread-sso.com"),
    ("login.microsoftonline.us", "https://autologon.microsoft.us"),
];

/// Most characters of a token; real ones have some hundreds.
const LONGEST_TOKEN: usize = 16 << 10;

/// An assertion for the user of the Kerberos ticket, from the autologon service of `login_url`.
/// `domain` is the user's, which names the tenant.
///
/// # Errors
/// There is no usable ticket, or the service refuses it.
pub(super) async fn assertion(
    system: &System,
    login_url: &EndpointUrl,
    domain: &str,
) -> Result<SamlAssertion> {
    let service = service_of(login_url)?;
    let id = random_uuid()?;
    let url = service
        .at(&format!("{domain}/winauth/trust/2005/windowstransport?client-request-id={id}"))?;
    let endpoint = Endpoint { url, version: Version::V2005 };
    let request = endpoint.request(system, &Credential::Ticket, PUBLIC_AUDIENCE).await?;
    let response = system.http.send(system, request).await?;
    system.terminal.debug(&format!("POST {} -> {}", endpoint.url.without_query(), response.status));
    assertion_in(&response, service.host(), domain)
}

/// The assertion in `response`, of the service at `host`.
pub(super) fn assertion_in(response: &Response, host: &str, domain: &str) -> Result<SamlAssertion> {
    let token = token_in(response).filter(|_| response.is_success());
    let token = token.ok_or_else(|| refusal(response, host, domain))?;
    // This element is all that the service and the token endpoint agree on: it has no signature.
    let assertion = Zeroizing::new(
        [
            "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:1.0:assertion\"><DesktopSsoToken>",
            token.expose(),
            "</DesktopSsoToken></saml:Assertion>",
        ]
        .concat(),
    );
    let encoded = Secret::new(STANDARD.encode(assertion.as_bytes()));
    Ok(SamlAssertion { version: SamlVersion::V1, encoded })
}

/// The autologon service; at a login host of one's own, the login host itself.
fn service_of(login_url: &EndpointUrl) -> Result<EndpointUrl> {
    match SERVICES.iter().find(|(host, _)| *host == login_url.environment()) {
        Some((_, service)) => EndpointUrl::parse(service, "The autologon service"),
        None => Ok(login_url.clone()),
    }
}

fn token_in(response: &Response) -> Option<Secret> {
    let document = response.xml().ok()?;
    let element = document.descendants().find(|it| it.tag_name().name() == "DesktopSsoToken")?;
    let token = element.text()?.trim();
    // It goes into XML again, so it must need no escapes.
    let is_plain = |c: char| c.is_ascii_graphic() && !"<>&\"'".contains(c);
    let is_token = (1..=LONGEST_TOKEN).contains(&token.len()) && token.chars().all(is_plain);
    is_token.then(|| Secret::new(token))
}

/// Why `response`, of the service at `host`, has no token.
fn refusal(response: &Response, host: &str, domain: &str) -> Error {
    let text = response.xml().ok().and_then(|document| {
        let texts =
            document.descendants().filter(|it| it.tag_name().name().eq_ignore_ascii_case("text"));
        let said: Vec<_> = texts.filter_map(|it| it.text()).collect();
        // The fault's reason is general; its detail has the code.
        let told = said.iter().find(|text| text.contains("AADSTS")).or(said.last());
        told.map(|text| response.masked(text))
    });
    match (response.status, text) {
        (429 | 502..=504, _) => Error::new(
            Kind::Service,
            format!("{host} did not check the Kerberos ticket (HTTP {}).", response.status),
        )
        .remedy("Try again in a minute."),
        (_, Some(text)) => error_response::of_redirect("invalid_grant", Some(&text), None),
        (status, None) => Error::new(
            Kind::Refused,
            format!("{host} did not accept the Kerberos ticket for {domain} (HTTP {status})."),
        )
        .remedy("Seamless single sign-on must be on for the tenant (Microsoft Entra Connect), and the ticket must be of its Active Directory."),
    }
}
