//! A token endpoint's answer (RFC 6749 section 5.1 with Entra's members).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer};

use super::id_token::IdClaims;
use crate::error::{Error, Kind, Result};
use crate::foreign::Name;
use crate::secret::Secret;

/// Longest lifetime that is believed, in seconds: Entra's longest tokens live 28 hours; a week
/// leaves room and still unmasks nonsense.
const LONGEST_LIFETIME: i64 = 7 * 24 * 3600;

/// Tokens as the endpoint gave them. Lifetimes are seconds from the answer.
#[derive(Debug, Deserialize)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: Secret,
    /// `Bearer` for everything this program asks for.
    #[serde(default = "bearer")]
    pub token_type: Name,
    /// Seconds that the access token lives. Numbers in strings are taken (v1 endpoints, ADFS).
    #[serde(default, deserialize_with = "lenient_seconds")]
    pub expires_in: Option<i64>,
    /// When the access token ends, in seconds since 1970: all that some hosts say.
    #[serde(default, deserialize_with = "lenient_seconds")]
    expires_on: Option<i64>,
    /// Seconds that the token may be used while Entra is down.
    #[serde(default, deserialize_with = "lenient_seconds")]
    pub ext_expires_in: Option<i64>,
    /// Seconds after which the token is best renewed.
    #[serde(default, deserialize_with = "lenient_seconds")]
    pub refresh_in: Option<i64>,
    /// The (next) refresh token.
    pub refresh_token: Option<Secret>,
    /// The ID token, unverified; see [`TokenResponse::id_claims`].
    pub id_token: Option<Secret>,
    /// Scopes granted, separated by spaces; absent when they are those that were asked for.
    pub scope: Option<String>,
    /// Family of client ids: "1" for Microsoft's own clients, which may use each other's refresh
    /// tokens.
    pub foci: Option<Name>,
    /// Base64url of `{"uid":…,"utid":…}`.
    pub client_info: Option<String>,
}

fn bearer() -> Name {
    Name::new("Bearer")
}

fn lenient_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Seconds {
        Whole(i64),
        Float(f64),
        Text(Name),
        Other(serde::de::IgnoredAny),
    }
    Ok(match Option::<Seconds>::deserialize(deserializer)? {
        Some(Seconds::Whole(seconds)) => Some(seconds),
        #[allow(clippy::cast_possible_truncation, reason = "saturates, and is bounded later")]
        Some(Seconds::Float(seconds)) => Some(seconds as i64),
        Some(Seconds::Text(text)) => text.trim().parse().ok(),
        Some(Seconds::Other(_)) | None => None,
    })
}

impl TokenResponse {
    /// Reads and checks an answer that came at `now` (seconds since 1970).
    ///
    /// The lifetime is `expires_in`, else what is left until `expires_on`, else MSAL's 600 s.
    ///
    /// # Errors
    /// [`Kind::Service`] when it is not JSON, has no access token, or states a lifetime that cannot be
    /// meant or is over. The message quotes nothing of the body, which may hold tokens.
    pub(super) fn parse(body: &[u8], host: &str, now: i64) -> Result<Self> {
        let nonsense = |what: &str| {
            Error::new(
                Kind::Service,
                format!("The token endpoint of {host} sent an answer that makes no sense: {what}."),
            )
            .remedy("A proxy or sign-in portal may stand between this machine and the service. Try again, or with --debug.")
        };
        let mut response: Self = serde_json::from_slice(body)
            .map_err(|error| nonsense(&format!("{} at line {}", classify(&error), error.line())))?;
        if response.access_token.is_empty() {
            return Err(nonsense("the access token is empty"));
        }
        // RFC 6749 appendix A.12 and A.17. They go to terminals, shells and headers.
        let all = [Some(&response.access_token), response.refresh_token.as_ref()];
        let is_printable =
            |token: &Secret| token.expose().bytes().all(|c| (0x20..0x7f).contains(&c));
        if !all.into_iter().flatten().all(is_printable) {
            return Err(nonsense("a token has characters that no token has"));
        }
        if !response.token_type.eq_ignore_ascii_case("bearer") {
            return Err(nonsense("the token is not a bearer token"));
        }
        let lifetime = match (response.expires_in, response.expires_on) {
            (Some(seconds), _) => seconds,
            (None, Some(end)) if end <= now => {
                return Err(Error::new(
                    Kind::Service,
                    format!("The token endpoint of {host} sent a token that has expired."),
                )
                .remedy("Check this machine's clock."));
            }
            (None, Some(end)) => end.saturating_sub(now),
            (None, None) => 600,
        };
        response.expires_in = Some(lifetime);
        if !(1..=LONGEST_LIFETIME).contains(&lifetime) {
            return Err(nonsense(&format!("a token lifetime of {lifetime} s")));
        }
        response.refresh_in = response.refresh_in.filter(|seconds| (1..lifetime).contains(seconds));
        response.ext_expires_in = response
            .ext_expires_in
            .filter(|seconds| (lifetime..=LONGEST_LIFETIME).contains(seconds));
        response.refresh_token = response.refresh_token.filter(|token| !token.is_empty());
        Ok(response)
    }

    /// Seconds that the access token lives, from now.
    pub fn lifetime(&self) -> i64 {
        self.expires_in.unwrap_or(600)
    }

    /// The ID token's claims. Its signature is not checked: it came over TLS from the token
    /// endpoint itself (OpenID Connect Core section 3.1.3.7, item 6).
    pub fn id_claims(&self) -> Option<IdClaims> {
        IdClaims::decode(self.id_token.as_ref()?.expose())
    }

    /// `uid.utid`, the account's id in its home tenant.
    pub fn home_account_id(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct ClientInfo {
            uid: Name,
            utid: Name,
        }
        let bytes =
            URL_SAFE_NO_PAD.decode(self.client_info.as_ref()?.trim_end_matches('=')).ok()?;
        let info: ClientInfo = serde_json::from_slice(&bytes).ok()?;
        Some(format!("{}.{}", info.uid, info.utid))
    }
}

fn classify(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Data => "a member is missing or of the wrong type",
        serde_json::error::Category::Eof => "it ends too early",
        _ => "it is not JSON",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<TokenResponse> {
        TokenResponse::parse(body.as_bytes(), "login.example", 1_000_000_000)
    }

    #[test]
    fn numbers_may_be_strings() {
        let response = parse(
            r#"{"access_token":"t","expires_in":"3599","refresh_in":"1800","token_type":"bearer"}"#,
        )
        .unwrap();
        assert_eq!((response.lifetime(), response.refresh_in), (3599, Some(1800)));
    }

    #[test]
    fn what_is_not_said_is_taken_from_what_is() {
        for (times, lifetime) in [
            ("", 600),
            (r#", "expires_on": "1000000060""#, 60),
            (r#", "expires_on": 1000000060, "expires_in": 30"#, 30),
            (r#", "expires_in": 604800"#, 604_800),
        ] {
            let response = parse(&format!(r#"{{"access_token": "t"{times}}}"#)).unwrap();
            assert_eq!(response.lifetime(), lifetime, "{times}");
        }
    }

    #[test]
    fn nonsense_is_refused_and_not_quoted() {
        for body in [
            "",
            r#"{"access_token":"secret-token","expires_in":-5}"#,
            r#"{"access_token":"secret-token","expires_in":604801}"#,
            r#"{"access_token":"secret-token","expires_in":99999999999}"#,
            r#"{"access_token":"secret-token","expires_on":-9223372036854775808}"#,
            r#"{"access_token":"secret-token","expires_on":9223372036854775807}"#,
            r#"{"access_token":"secret-token","expires_on":"1000000000"}"#,
            r#"{"access_token":"","expires_in":3600}"#,
            r#"{"access_token":["secret-token"]}"#,
            r#"{"access_token":"secret-token\u001b[2J"}"#,
            r#"{"access_token":"secret-token\r\nX: y"}"#,
            r#"{"access_token":"t","refresh_token":"secret-token\u0000"}"#,
            r#"{"access_token":"secret-tokené"}"#,
            r#"{"access_token":"secret-token","token_type":"pop"}"#,
            r#"{"access_token":"secret-token""#,
            "[]",
            "null",
        ] {
            let error = parse(body).unwrap_err();
            assert_eq!(error.kind(), Kind::Service, "{body}");
            assert!(!format!("{error:?}").contains("secret-token"), "{error:?}");
        }
    }

    #[test]
    fn hints_that_cannot_be_meant_are_dropped() {
        let response =
            parse(r#"{"access_token":"t","expires_in":100,"refresh_in":-1,"ext_expires_in":{}}"#)
                .unwrap();
        assert_eq!((response.refresh_in, response.ext_expires_in), (None, None));
    }

    #[test]
    fn home_account_id_comes_from_client_info() {
        let info = URL_SAFE_NO_PAD.encode(r#"{"uid":"u","utid":"t"}"#);
        let response = parse(&format!(r#"{{"access_token":"t","client_info":"{info}"}}"#)).unwrap();
        assert_eq!(response.home_account_id().as_deref(), Some("u.t"));
    }
}
