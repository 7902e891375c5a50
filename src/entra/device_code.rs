//! The device authorization grant (RFC 8628): a code that the person enters in any browser.

use std::time::Duration;

use oauth2::basic::BasicClient;
use oauth2::{
    AuthType, ClientId, DeviceAuthorizationResponse, DeviceAuthorizationUrl,
    ExtraDeviceAuthorizationFields, HttpRequest, HttpResponse, Scope,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::authority::Authority;
use super::error_response::AUTHORIZATION_PENDING;
use super::form::Form;
use super::scope::Scopes;
use super::token_endpoint;
use super::token_response::TokenResponse;
use crate::error::{Error, Kind, Result};
use crate::foreign::Sentence;
use crate::secret::Secret;
use crate::sys::{EndpointUrl, Request, System};

/// Longest wait that a server may ask for between two polls.
const LONGEST_INTERVAL: Duration = Duration::from_mins(1);

/// Characters of a code: nobody types more.
const LONGEST_CODE: usize = 32;

/// What the person must be shown, and what is polled with.
pub struct DeviceAuthorization {
    /// The sentence for the person, from Entra, with address and code in it and nothing else to open.
    pub message: String,
    /// Where the code is entered: `verification_uri_complete`, which has the code in it, where the
    /// server knows that (Entra does not).
    pub verification_uri: EndpointUrl,
    /// The code.
    pub user_code: String,
    device_code: Secret,
    interval: Duration,
    /// How long the code can be entered.
    pub expires_in: Duration,
}

/// Entra's own member of the device authorization response.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct WithMessage {
    message: Option<Sentence>,
}

impl ExtraDeviceAuthorizationFields for WithMessage {}

/// Asks for a device code for `scopes` (RFC 8628 section 3.1): one request.
pub async fn authorize_device(
    system: &System,
    authority: &Authority,
    client_id: &str,
    scopes: &Scopes,
    claims: Option<&str>,
) -> Result<DeviceAuthorization> {
    let endpoint = authority.device_authorization_endpoint()?;
    let url = DeviceAuthorizationUrl::new(endpoint.as_str().to_owned())
        .map_err(|error| Error::failed(format!("{endpoint} is not a URL: {error}.")))?;
    let client = BasicClient::new(ClientId::new(client_id.to_owned()))
        .set_auth_type(AuthType::RequestBody)
        .set_device_authorization_url(url);
    let mut request = client
        .exchange_device_code()
        .add_scopes(scopes.for_user().split(' ').map(|scope| Scope::new(scope.to_owned())));
    if let Some(claims) = claims {
        request = request.add_extra_param("claims", claims);
    }
    let send = |request: HttpRequest| send(system, &endpoint, request);
    let answer: DeviceAuthorizationResponse<WithMessage> =
        request.request_async(&send).await.map_err(|error| match error {
            oauth2::RequestTokenError::Request(error) => error,
            _ => nonsense(&endpoint),
        })?;

    let page = |text: &str| EndpointUrl::parse_with_query(text, "The address of the code");
    let user_code = answer.user_code().secret().clone();
    let Some(verification_uri) =
        page(answer.verification_uri()).ok().filter(|_| is_code(&user_code))
    else {
        return Err(nonsense(&endpoint));
    };
    let complete = answer.verification_uri_complete().and_then(|it| page(it.secret()).ok());
    let message = answer.extra_fields().message.clone().map(String::from);
    let message =
        message.filter(|it| leads_nowhere_else(it, verification_uri.as_str(), &user_code));
    Ok(DeviceAuthorization {
        message: message.unwrap_or_else(|| format!("To sign in, use a web browser to open the page {verification_uri} and enter the code {user_code} to authenticate.")),
        verification_uri: complete.unwrap_or(verification_uri),
        user_code,
        device_code: Secret::new(answer.device_code().secret().clone()),
        interval: answer.interval().clamp(Duration::from_secs(1), LONGEST_INTERVAL),
        expires_in: answer.expires_in(),
    })
}

/// Carries the crate's request out; answers other than 200 become Entra's error.
async fn send(system: &System, url: &EndpointUrl, request: HttpRequest) -> Result<HttpResponse> {
    let form = Zeroizing::new(String::from_utf8_lossy(request.body()).into_owned());
    let request = Request::post_form(url, form)
        .header("accept", "application/json")
        .header("client-request-id", token_endpoint::request_id()?);
    let response = system.http.send(system, request).await?;
    system.terminal.debug(&format!("POST {url} -> {}", response.status));
    if response.status != 200 {
        return Err(token_endpoint::refusal(system, &response, url));
    }
    Ok(HttpResponse::new(response.body.to_vec()))
}

/// True for a code that a person can type, and that looks like nothing else.
fn is_code(text: &str) -> bool {
    let is_typed = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (1..=LONGEST_CODE).contains(&text.len()) && text.chars().all(is_typed)
}

/// True when `message` names the address and the code, and beside them nothing that could be taken for
/// an address.
fn leads_nowhere_else(message: &str, address: &str, code: &str) -> bool {
    let rest = message.replace(address, "").replace(code, "");
    // A name of a host has a dot within; browsers know four (IDNA).
    let is_dot = |c: char| matches!(c, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}');
    let is_address = |word: &str| {
        word.trim_end_matches(is_dot).contains(|c| is_dot(c) || matches!(c, '/' | '@' | '\\'))
    };
    message.contains(address) && message.contains(code) && !rest.split(' ').any(is_address)
}

fn nonsense(endpoint: &EndpointUrl) -> Error {
    Error::new(
        Kind::Service,
        format!("{} sent a device code that makes no sense.", endpoint.environment()),
    )
}

/// Polls until the person has approved or declined (RFC 8628 section 3.5); the caller ends it with the
/// code.
///
/// Waits the interval before each request, five seconds longer after each `slow_down`, and goes on
/// over network failures with a doubled interval, as the RFC asks.
pub async fn poll_device(
    system: &System,
    authority: &Authority,
    client_id: &str,
    authorization: &DeviceAuthorization,
    claims: Option<&str>,
) -> Result<TokenResponse> {
    let mut interval = authorization.interval;
    loop {
        tokio::time::sleep(interval).await;
        let mut form = Form::grant("urn:ietf:params:oauth:grant-type:device_code")
            .with("client_id", client_id)
            .with("client_info", "1")
            .with_secret("device_code", &authorization.device_code);
        if let Some(claims) = claims {
            form = form.with("claims", claims);
        }
        let error = match token_endpoint::post(system, authority, form, None).await {
            Ok(response) => return Ok(response),
            Err(error) => error,
        };
        let code = error.entra_detail().map(|detail| &*detail.error);
        match (code, error.kind()) {
            (Some(AUTHORIZATION_PENDING), _) => {}
            (Some("slow_down"), _) => interval += Duration::from_secs(5),
            (_, Kind::Network | Kind::Service) => interval = (interval * 2).min(LONGEST_INTERVAL),
            _ => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_leads_to_its_address_alone() {
        let (address, code) = ("https://login.microsoft.com/device", "ABC123DEF");
        for message in [
            "To sign in, use a web browser to open the page https://login.microsoft.com/device and enter the code ABC123DEF to authenticate.",
            "Öffnen Sie https://login.microsoft.com/device. Der Code ist ABC123DEF.",
        ] {
            assert!(leads_nowhere_else(message, address, code), "{message}");
        }
        for message in [
            "",
            "Open https://login.microsoft.com/device.",
            "Enter the code ABC123DEF.",
            "Open https://evil.example/ and enter ABC123DEF.",
            "Open https://evil.example/ (not https://login.microsoft.com/device) and enter ABC123DEF.",
            "Open https://login.microsoft.com/device@evil.example and enter ABC123DEF.",
            "Open evil.example, once https://login.microsoft.com/device, and enter ABC123DEF.",
            "Open evil\u{3002}example, once https://login.microsoft.com/device, and enter ABC123DEF.",
            "Open https://login.microsoft.com/device.evil.example and enter ABC123DEF.",
        ] {
            assert!(!leads_nowhere_else(message, address, code), "{message}");
        }
    }

    #[test]
    fn a_code_can_be_typed() {
        assert!(["A", "WDJB-MJHT", "abc123DEF"].into_iter().all(is_code));
        let long = "A".repeat(33);
        assert!(!["", "A B", "A\nB", "A\u{1b}", "é", "A;B", "##A", &long].into_iter().any(is_code));
    }
}
