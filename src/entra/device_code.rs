//! The device authorization grant (RFC 8628): the user enters a code in any browser.

use std::time::Duration;

use serde::Deserialize;

use super::error_response::AUTHORIZATION_PENDING;
use super::form::Form;
use super::scope::Scopes;
use super::token_client::TokenClient;
use super::token_response::TokenResponse;
use crate::error::{Error, Kind, Result};
use crate::foreign::{Name, Seconds, Sentence, lenient};
use crate::secret::Secret;
use crate::sys::EndpointUrl;

/// Lifetime of a code if the server sends none (as in MSAL).
const LIFETIME: Seconds = Seconds(1800);

/// Time between two polls if the server sends none (RFC 8628 section 3.2).
const INTERVAL: Seconds = Seconds(5);

/// Longest time between two polls.
const LONGEST_INTERVAL: Duration = Duration::from_mins(1);

/// Longest lifetime of a code to accept.
const LONGEST_LIFETIME: Duration = Duration::from_hours(24);

/// Longest code to accept, in characters; users do not type longer ones.
const LONGEST_CODE: usize = 32;

/// A device code, with what to show to the user.
pub(crate) struct DeviceAuthorization {
    /// Entra's instruction for the user. Contains the address and the code, and no other address.
    pub(crate) message: String,
    /// The page where the user enters the code.
    pub(crate) verification_uri: EndpointUrl,
    /// That page with the code filled in (`verification_uri_complete`), if the server sends it;
    /// Entra does not.
    pub(crate) verification_uri_complete: Option<EndpointUrl>,
    /// The code.
    pub(crate) user_code: String,
    device_code: Secret,
    interval: Duration,
    /// How long the user can enter the code.
    pub(crate) expires_in: Duration,
}

/// The device authorization response (RFC 8628 section 3.2), with Entra's `message` and the address
/// names of v1 endpoints and ADFS.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    #[serde(deserialize_with = "lenient")]
    device_code: Option<Secret>,
    #[serde(deserialize_with = "lenient")]
    user_code: Option<Name>,
    #[serde(deserialize_with = "lenient")]
    verification_uri: Option<String>,
    #[serde(deserialize_with = "lenient")]
    verification_url: Option<String>,
    #[serde(deserialize_with = "lenient")]
    verification_uri_complete: Option<String>,
    #[serde(deserialize_with = "lenient")]
    verification_url_complete: Option<String>,
    #[serde(deserialize_with = "lenient")]
    expires_in: Option<Seconds>,
    #[serde(deserialize_with = "lenient")]
    interval: Option<Seconds>,
    #[serde(deserialize_with = "lenient")]
    message: Option<Sentence>,
}

impl TokenClient<'_> {
    /// Requests a device code for `scopes` (RFC 8628 section 3.1): one request.
    pub(crate) async fn authorize_device(&self, scopes: &Scopes) -> Result<DeviceAuthorization> {
        let endpoint = self.authority.device_authorization_endpoint()?;
        let form =
            Form::empty().with("client_id", &self.client_id).with("scope", &scopes.for_user());
        let response = self.send(&endpoint, self.with_claims(form), None).await?;
        response.json().ok().and_then(Answer::read).ok_or_else(|| {
            Error::new(
                Kind::Service,
                format!("{} sent an invalid device code.", endpoint.environment()),
            )
        })
    }

    /// Polls until the user approves or declines (RFC 8628 section 3.5). The caller stops it when
    /// the code expires.
    ///
    /// Waits the interval before each request. Adds five seconds after each `slow_down`, and
    /// doubles the interval after network failures, as the RFC asks.
    pub(crate) async fn poll_device(
        &self,
        authorization: &DeviceAuthorization,
    ) -> Result<TokenResponse> {
        let mut interval = authorization.interval;
        loop {
            tokio::time::sleep(interval).await;
            let form = Self::grant("urn:ietf:params:oauth:grant-type:device_code")
                .with("client_id", &self.client_id)
                .with_secret("device_code", &authorization.device_code);
            let error = match self.post_once(form, None).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            let code = error.entra_detail().map(|detail| &*detail.error);
            match (code, error.kind()) {
                (Some(AUTHORIZATION_PENDING), _) => {}
                (Some("slow_down"), _) => interval += Duration::from_secs(5),
                // An unusable answer stays one: the code was redeemed.
                (_, kind) if kind == Kind::Network || error.retry_after().is_some() => {
                    interval = (interval * 2).min(LONGEST_INTERVAL);
                }
                _ => return Err(error),
            }
        }
    }
}

impl Answer {
    /// Checks the response; `None` if the code or the address is missing or invalid.
    fn read(self) -> Option<DeviceAuthorization> {
        let page = |text: Option<String>| {
            EndpointUrl::parse_with_query(text?.trim(), "The address of the code").ok()
        };
        let device_code = self.device_code.filter(|code| !code.is_empty())?;
        let user_code = String::from(self.user_code.filter(|code| is_code(code))?);
        // An expired code is useless.
        let expires_in = self.expires_in.unwrap_or(LIFETIME);
        let expires_in =
            Duration::from_secs(u64::try_from(expires_in.0).ok().filter(|it| *it > 0)?);
        let interval = self.interval.filter(|it| it.0 > 0).unwrap_or(INTERVAL);
        let verification_uri =
            page(self.verification_uri).or_else(|| page(self.verification_url))?;
        let complete =
            page(self.verification_uri_complete).or_else(|| page(self.verification_url_complete));
        let message = self.message.map(String::from);
        let message =
            message.filter(|it| names_no_other_address(it, verification_uri.as_str(), &user_code));
        Some(DeviceAuthorization {
            message: message.unwrap_or_else(|| format!("To sign in, use a web browser to open the page {verification_uri} and enter the code {user_code} to authenticate.")),
            verification_uri,
            verification_uri_complete: complete,
            user_code,
            device_code,
            interval: Duration::from_secs(interval.0.unsigned_abs()).min(LONGEST_INTERVAL),
            expires_in: expires_in.min(LONGEST_LIFETIME),
        })
    }
}

/// True for a code that a user can type and that cannot pass for other text.
fn is_code(text: &str) -> bool {
    let is_typed = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (1..=LONGEST_CODE).contains(&text.len()) && text.chars().all(is_typed)
}

/// True if `message` has the address and the code, and nothing else that looks like an address.
fn names_no_other_address(message: &str, address: &str, code: &str) -> bool {
    let rest = message.replace(address, "").replace(code, "");
    // A host name has a dot inside; browsers accept four characters as dots (IDNA).
    let is_dot = |c: char| matches!(c, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}');
    let is_address = |word: &str| {
        word.trim_end_matches(is_dot).contains(|c| is_dot(c) || matches!(c, '/' | '@' | '\\'))
    };
    message.contains(address) && message.contains(code) && !rest.split(' ').any(is_address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_no_other_address() {
        let (address, code) = ("https://login.microsoft.com/device", "ABC123DEF");
        for message in [
            "To sign in, use a web browser to open the page https://login.microsoft.com/device and enter the code ABC123DEF to authenticate.",
            "Öffnen Sie https://login.microsoft.com/device. Der Code ist ABC123DEF.",
        ] {
            assert!(names_no_other_address(message, address, code), "{message}");
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
            assert!(!names_no_other_address(message, address, code), "{message}");
        }
    }

    #[test]
    fn a_code_can_be_typed() {
        assert!(["A", "WDJB-MJHT", "abc123DEF"].into_iter().all(is_code));
        let long = "A".repeat(33);
        assert!(!["", "A B", "A\nB", "A\u{1b}", "é", "A;B", "##A", &long].into_iter().any(is_code));
    }
}
