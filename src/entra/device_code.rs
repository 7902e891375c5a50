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
use crate::secret::Secret;
use crate::sys::{EndpointUrl, Request, System, one_line};

/// Longest wait that a server may ask for between two polls.
const LONGEST_INTERVAL: Duration = Duration::from_mins(1);

/// What the person must be shown, and what is polled with.
pub struct DeviceAuthorization {
    /// The sentence for the person, from Entra, with address and code in it.
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
    message: Option<String>,
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
        page(answer.verification_uri()).ok().filter(|_| !user_code.is_empty())
    else {
        return Err(nonsense(&endpoint));
    };
    let complete = answer.verification_uri_complete().and_then(|it| page(it.secret()).ok());
    Ok(DeviceAuthorization {
        message: answer.extra_fields().message.as_deref().map_or_else(
            || format!("To sign in, use a web browser to open the page {verification_uri} and enter the code {user_code} to authenticate."),
            one_line,
        ),
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
    let response = system.http.send(&system.env, request).await?;
    system.terminal.debug(&format!("POST {url} -> {}", response.status));
    if response.status != 200 {
        return Err(token_endpoint::refusal(system, &response, url));
    }
    Ok(HttpResponse::new(response.body.to_vec()))
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
        let code = error.entra_detail().map(|detail| detail.error.as_str());
        match (code, error.kind()) {
            (Some(AUTHORIZATION_PENDING), _) => {}
            (Some("slow_down"), _) => interval += Duration::from_secs(5),
            (_, Kind::Network | Kind::Service) => interval = (interval * 2).min(LONGEST_INTERVAL),
            _ => return Err(error),
        }
    }
}
