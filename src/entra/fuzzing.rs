//! Fuzz targets for the input from Entra, hosts, browsers and certificate files.

use super::authority::Authority;
use super::claims::merge_capabilities;
use super::token_client::TokenClient;
use super::token_response::TokenResponse;
use super::ws_trust::{self, Credential, Version};
use super::{
    AuthorizationRequest, Certificate, IdClaims, ResponseMode, Scopes, desktop_sso, error_response,
};
use crate::program::Program;
use crate::secret::Secret;
use crate::sys::{Response, System};

/// A token endpoint's response, as a success and as an error with the status in its first byte.
pub fn answer(bytes: &[u8]) {
    let (status, body) = bytes.split_first().unwrap_or((&0, bytes));
    let response = |status| Response::new(status, http_headers(body), body);
    if let Ok(token) = TokenResponse::parse(&response(200), "fuzz", 1_700_000_000) {
        assert!(token.lifetime() > 0, "a token must not be expired on arrival");
        let _ = (token.id_claims(), token.home_account_id());
    }
    let error = error_response::refusal(&response(400 + u16::from(*status)), "fuzz");
    assert!(error.is_some_and(|error| !error.message().is_empty()));
}

fn http_headers(body: &[u8]) -> reqwest::header::HeaderMap {
    let value = body.get(..20).unwrap_or(body);
    let value = reqwest::header::HeaderValue::from_bytes(value).ok();
    let names = [reqwest::header::RETRY_AFTER, reqwest::header::CONTENT_TYPE];
    value.map(|it| names.map(|name| (name, it.clone())).into_iter().collect()).unwrap_or_default()
}

/// The parameters of a redirect: never a code without the right state.
pub fn redirect(bytes: &[u8]) {
    let login_url = crate::sys::EndpointUrl::parse("https://login.example", "");
    let authority = login_url.and_then(|url| Authority::new(&url, "organizations"));
    let system = System::real(Program::Azt);
    let request = authority.and_then(|authority| {
        let scopes = Scopes::of_resource("https://graph.example");
        let client = TokenClient::new(&system, authority, "c", None)?;
        AuthorizationRequest::new(&client, &scopes, "http://localhost:1", ResponseMode::Query)
    });
    if let Ok(request) = request {
        assert!(!matches!(request.read(bytes), super::Redirect::Code(_)), "the state is unknown");
    }
}

/// A certificate file, with and without a password.
pub fn certificate(bytes: &[u8]) {
    for password in [None, Some(Secret::new("password"))] {
        let _ = Certificate::read(bytes, password.as_ref(), true);
    }
}

/// A claims challenge, and the claims of a token.
pub fn claims(text: &str) {
    let _ = merge_capabilities(Some(text), true);
    let _ = IdClaims::decode(text);
}

/// A federation server's metadata, and its answer to a request for a token.
pub fn ws_trust(bytes: &[u8]) {
    let answer = Response::new(200, reqwest::header::HeaderMap::new(), bytes);
    let Ok(document) = answer.xml() else { return };
    let password = Secret::new("hunter2");
    let user_name = Credential::UserName { username: "user", password: &password };
    for credential in [&user_name, &Credential::Ticket] {
        for (address, _) in ws_trust::endpoints(&document, credential) {
            assert!(address.to_ascii_lowercase().starts_with("https://"), "{address}");
        }
    }
    for version in [Version::V13, Version::V2005] {
        if let Ok(assertion) = ws_trust::assertion(&document, version) {
            let text = crate::foreign::base64(assertion.encoded.expose()).unwrap_or_default();
            assert!(text.starts_with(b"<") && text.ends_with(b">"), "an element as it was sent");
        }
    }
}

/// An answer of the autologon service, with the status in its first byte: what the token endpoint
/// gets is one element with the token.
pub fn desktop_sso(bytes: &[u8]) {
    let (status, body) = bytes.split_first().unwrap_or((&0, bytes));
    for status in [200, 400 + u16::from(*status)] {
        let response = Response::new(status, http_headers(body), body);
        match desktop_sso::assertion_in(&response, "fuzz", "contoso.example") {
            Ok(assertion) => {
                assert_eq!(status, 200);
                let text = crate::foreign::base64(assertion.encoded.expose()).unwrap_or_default();
                let text = String::from_utf8(text).unwrap_or_default();
                let document = roxmltree::Document::parse(&text);
                let elements =
                    document.map(|it| it.descendants().filter(|it| it.is_element()).count());
                assert_eq!(elements.ok(), Some(2), "{text}");
            }
            Err(error) => assert!(!error.message().is_empty()),
        }
    }
}
