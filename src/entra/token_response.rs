//! Responses of a token endpoint (RFC 6749 section 5.1 with Entra's members).

use chrono::DateTime;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::id_token::IdClaims;
use crate::error::{Error, Kind, Result};
use crate::foreign::{self, LONGEST_TOKEN_LIFETIME, Name, Seconds, lenient, or_default};
use crate::secret::Secret;
use crate::sys::Response;

/// App Service's date formats in its first protocol.
const DATES: [&str; 2] = ["%m/%d/%Y %I:%M:%S %p %z", "%m/%d/%Y %H:%M:%S %z"];

/// Tokens from the endpoint. Lifetimes are seconds from the response. Endpoints (v1, ADFS, hosts)
/// differ in what they write as text and what they omit, so each invalid member is ignored.
#[derive(Debug, Deserialize)]
pub(crate) struct TokenResponse {
    /// The access token.
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) access_token: Secret,
    /// `Bearer` for everything that azt requests.
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) token_type: Name,
    /// Lifetime of the access token, in seconds.
    #[serde(default, deserialize_with = "lenient")]
    expires_in: Option<Seconds>,
    /// When the access token expires, in seconds since 1970. Some hosts send only this.
    #[serde(default, deserialize_with = "moment")]
    expires_on: Option<i64>,
    /// How long the token may be used while Entra is down, in seconds.
    #[serde(default, deserialize_with = "lenient")]
    ext_expires_in: Option<Seconds>,
    /// When to refresh the token, in seconds.
    #[serde(default, deserialize_with = "lenient")]
    refresh_in: Option<Seconds>,
    /// The new refresh token.
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) refresh_token: Option<Secret>,
    /// The ID token, unverified; see [`TokenResponse::id_claims`].
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) id_token: Option<Secret>,
    /// Granted scopes, separated by spaces; absent if they are the requested ones.
    #[serde(default, deserialize_with = "words")]
    pub(crate) scope: Option<String>,
    /// Family of client ids: "1" for Microsoft's first-party clients, which may use each other's
    /// refresh tokens.
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) foci: Option<Name>,
    /// Base64url of `{"uid":…,"utid":…}`.
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) client_info: Option<String>,
}

/// Seconds since 1970, or a date.
fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let date = |text: &str| {
        let parse = |format| DateTime::parse_from_str(text, format).ok();
        DATES.into_iter().find_map(parse).or_else(|| DateTime::parse_from_rfc3339(text).ok())
    };
    let date = value.as_str().and_then(|text| date(text.trim())).map(|date| date.timestamp());
    Ok(date.or_else(|| Some(serde_json::from_value::<Seconds>(value).ok()?.0)))
}

/// A list of words, or words separated by blanks.
fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(words) => Some(words),
        Value::Array(words) => {
            Some(words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "))
        }
        _ => None,
    }
    .filter(|words| !words.trim().is_empty()))
}

impl TokenResponse {
    /// Parses and checks a response received at `now` (seconds since 1970).
    ///
    /// The lifetime is `expires_in`, else the time until `expires_on`, else MSAL's 600 s.
    ///
    /// # Errors
    /// [`Kind::Service`] if the body is not JSON, has no access token, or has an impossible or past
    /// lifetime. The message quotes nothing of the body, which may contain tokens.
    pub(super) fn parse(answer: &Response, host: &str, now: i64) -> Result<Self> {
        let invalid = |what: &str| {
            Error::new(
                Kind::Service,
                format!("The token endpoint of {host} sent an invalid response: {what}."),
            )
            .remedy("A proxy or sign-in portal may stand between this machine and the service. Try again, or with --debug.")
        };
        let mut response: Self = answer.json().map_err(|error| invalid(&classify(&error)))?;
        if response.access_token.is_empty() {
            return Err(invalid("it contains no access token"));
        }
        if response.token_type.trim().is_empty() {
            response.token_type = Name::new("Bearer");
        }
        // RFC 6749 appendix A.12 and A.17. Tokens go to terminals, shells and headers.
        let all = [Some(&response.access_token), response.refresh_token.as_ref()];
        let is_printable =
            |token: &Secret| token.expose().bytes().all(|c| (0x20..0x7f).contains(&c));
        if !all.into_iter().flatten().all(is_printable) {
            return Err(invalid("a token has invalid characters"));
        }
        if !response.token_type.trim().eq_ignore_ascii_case("bearer") {
            return Err(invalid("the token is not a bearer token"));
        }
        let lifetime = match (response.expires_in, response.expires_on) {
            (Some(Seconds(seconds)), _) => seconds,
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
        response.expires_in = Some(Seconds(lifetime));
        if !(1..=LONGEST_TOKEN_LIFETIME).contains(&lifetime) {
            return Err(invalid(&format!("a token lifetime of {lifetime} s")));
        }
        response.refresh_in = response.refresh_in.filter(|it| (1..lifetime).contains(&it.0));
        response.ext_expires_in = response
            .ext_expires_in
            .filter(|it| (lifetime..=LONGEST_TOKEN_LIFETIME).contains(&it.0));
        response.refresh_token = response.refresh_token.filter(|token| !token.is_empty());
        response.foci = match response.foci.as_deref().map(str::trim) {
            None | Some("" | "0" | "false") => None,
            Some("true") => Some(Name::new("1")),
            Some(family) => Some(Name::new(family)),
        };
        Ok(response)
    }

    /// The access token that an identity broker gave, checked. `lifetime` is in seconds.
    pub(crate) fn of_broker(access_token: Secret, lifetime: i64, scope: String) -> Self {
        Self {
            access_token,
            token_type: Name::new("Bearer"),
            expires_in: Some(Seconds(lifetime)),
            expires_on: None,
            ext_expires_in: None,
            refresh_in: None,
            refresh_token: None,
            id_token: None,
            scope: Some(scope),
            foci: None,
            client_info: None,
        }
    }

    /// Lifetime of the access token, in seconds from now.
    pub(crate) fn lifetime(&self) -> i64 {
        self.expires_in.map_or(600, |it| it.0)
    }

    /// How long the token may be used while Entra is down, in seconds.
    pub(crate) fn extended_lifetime(&self) -> Option<i64> {
        self.ext_expires_in.map(|it| it.0)
    }

    /// When to refresh the token, in seconds.
    pub(crate) fn refresh_in(&self) -> Option<i64> {
        self.refresh_in.map(|it| it.0)
    }

    /// Sets the refresh time to half of the lifetime, for a token that lives at least `long`
    /// seconds and has no refresh time.
    pub(super) fn refresh_at_half_from(&mut self, long: i64) {
        let lifetime = self.lifetime();
        if self.refresh_in.is_none() && lifetime >= long {
            self.refresh_in = Some(Seconds(lifetime / 2));
        }
    }

    /// The ID token's claims. The signature is not checked, because the token came over TLS from
    /// the token endpoint itself (OpenID Connect Core section 3.1.3.7, item 6).
    pub(crate) fn id_claims(&self) -> Option<IdClaims> {
        IdClaims::decode(self.id_token.as_ref()?.expose())
    }

    /// `uid.utid`, the account's id in its home tenant.
    pub(crate) fn home_account_id(&self) -> Option<String> {
        home_account_id(self.client_info.as_deref()?)
    }

    /// True if the response names another account than `home_account_id`; false if it names none.
    pub(super) fn is_of_other(&self, home_account_id: &str) -> bool {
        self.home_account_id().is_some_and(|named| !named.eq_ignore_ascii_case(home_account_id))
            || self.id_claims().is_some_and(|claims| claims.is_of_other(home_account_id))
    }
}

/// `uid.utid` in `client_info`: base64url of JSON with both.
pub(crate) fn home_account_id(client_info: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct ClientInfo {
        #[serde(default, deserialize_with = "lenient")]
        uid: Option<Name>,
        #[serde(default, deserialize_with = "lenient")]
        utid: Option<Name>,
    }
    let bytes = foreign::base64(client_info)?;
    let info: ClientInfo = foreign::from_json(str::from_utf8(&bytes).ok()?).ok()?;
    let there = |id: Option<Name>| id.filter(|id| !id.is_empty());
    Some(format!("{}.{}", there(info.uid)?, there(info.utid)?))
}

fn classify(error: &serde_json::Error) -> String {
    match error.classify() {
        serde_json::error::Category::Data => "it is not a JSON object".to_owned(),
        serde_json::error::Category::Eof => format!("it ends too early at line {}", error.line()),
        _ => format!("it is not JSON at line {}", error.line()),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    use super::*;

    fn parse(body: &str) -> Result<TokenResponse> {
        TokenResponse::parse(&Response::of(200, body), "login.example", 1_000_000_000)
    }

    #[test]
    fn numbers_may_be_strings() {
        let response = parse(
            r#"{"access_token":"t","expires_in":"3599","refresh_in":"1800","token_type":"bearer"}"#,
        )
        .unwrap();
        assert_eq!((response.lifetime(), response.refresh_in()), (3599, Some(1800)));
    }

    #[test]
    fn a_missing_lifetime_is_derived() {
        for (times, lifetime) in [
            ("", 600),
            (r#", "expires_on": "1000000060""#, 60),
            (r#", "expires_on": 1000000060, "expires_in": 30"#, 30),
            (r#", "expires_in": 604800"#, 604_800),
            (r#", "expires_in": "3599.9""#, 3599),
            (r#", "expires_in": "", "expires_on": 1000000060.5"#, 60),
            (r#", "expires_in": null, "expires_on": "09/09/2001 01:47:40 AM +00:00""#, 60),
            (r#", "expires_in": {}, "expires_on": "9/9/2001 03:47:40 +02:00""#, 60),
            (r#", "expires_on": "2001-09-09T01:47:40Z""#, 60),
            (r#", "expires_in": 1, "expires_in": 2"#, 2),
        ] {
            let response = parse(&format!(r#"{{"access_token": "t"{times}}}"#)).unwrap();
            assert_eq!(response.lifetime(), lifetime, "{times}");
        }
    }

    #[test]
    fn an_invalid_response_is_refused_and_not_quoted() {
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
    fn impossible_hints_are_ignored() {
        let response =
            parse(r#"{"access_token":"t","expires_in":100,"refresh_in":-1,"ext_expires_in":{}}"#)
                .unwrap();
        assert_eq!((response.refresh_in(), response.extended_lifetime()), (None, None));
    }

    #[test]
    fn optional_members_may_be_anything() {
        for members in [
            r#""token_type": null, "foci": null, "scope": null, "client_info": null"#,
            r#""token_type": "", "foci": "", "scope": "", "client_info": """#,
            r#""token_type": "BEARER ", "refresh_token": 7, "id_token": {}, "foci": 0"#,
            r#""token_type": ["Bearer"], "refresh_token": [], "foci": false, "scope": {}"#,
            r#""refresh_token": "", "client_info": {"uid": "u"}, "scope": [], "token_type": {}"#,
        ] {
            let response = parse(&format!(r#"{{"access_token": "t", {members}}}"#)).unwrap();
            let nothing = (&response.refresh_token, &response.foci, &response.scope);
            assert_eq!(nothing, (&None, &None, &None), "{members}");
        }
        for foci in ["1", "true", r#""1""#, r#"" 1 ""#, r#""true""#] {
            let response = parse(&format!(r#"{{"access_token": "t", "foci": {foci}}}"#)).unwrap();
            assert_eq!(response.foci.as_deref(), Some("1"), "{foci}");
        }
        let response = parse(r#"{"access_token": "t", "scope": ["a", "b"]}"#).unwrap();
        assert_eq!(response.scope.as_deref(), Some("a b"));
    }

    #[test]
    fn home_account_id_comes_from_client_info() {
        // Standard base64, with padding.
        for (info, id) in [
            (r#"{"uid":"u","utid":"t"}"#, Some("u.t")),
            (r#"{"uid":7,"utid":"t???>"}"#, Some("7.t???>")),
            (r#"{"uid":"u","utid":null}"#, None),
            (r#"{"uid":"","utid":"t"}"#, None),
        ] {
            let info = STANDARD.encode(info);
            let response = format!(r#"{{"access_token":"t","client_info":"{info}"}}"#);
            assert_eq!(parse(&response).unwrap().home_account_id().as_deref(), id, "{info}");
        }
        let info = URL_SAFE_NO_PAD.encode(r#"{"uid":"u","utid":"t"}"#);
        let response = parse(&format!(r#"{{"access_token":"t","client_info":"{info}"}}"#)).unwrap();
        assert_eq!(response.home_account_id().as_deref(), Some("u.t"));
    }
}
