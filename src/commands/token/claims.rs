//! The claims of an access token, as text and as JSON. They are not verified: only the service that
//! the token is for can do that.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::span;
use crate::broker::Token;
use crate::foreign::{self, Json, Sentence};
use crate::sys::local_time;

/// Claims that are times (RFC 7519, and Entra's own).
const TIMES: [&str; 5] = ["iat", "nbf", "exp", "auth_time", "xms_ftd"];

/// `header` and `claims` of `token`, null if only the service can read them. The signature is not
/// part of it, so that no token can be made of the answer.
pub(super) fn of(token: &Token) -> Value {
    let mut parts = token.secret.expose().split('.');
    let part = |text: Option<&str>| {
        let bytes = foreign::base64(text?)?;
        let value: Value = serde_json::from_slice(&bytes).ok()?;
        value.is_object().then(|| Json::new(value).into_value())
    };
    let (header, claims, signature) = (part(parts.next()), part(parts.next()), parts.next());
    // An encrypted token (RFC 7516) has five parts, of which the first is readable.
    let is_signed = signature.is_some() && parts.next().is_none();
    json!({
        "isVerified": false,
        "header": header.filter(|_| is_signed),
        "claims": claims.filter(|_| is_signed),
        "expires_on": token.expires_on,
    })
}

/// The text for people, at `now`.
pub(super) fn shown(token: &Value, now: i64) -> String {
    let mut text = String::new();
    let expires_on = token.get("expires_on").and_then(Value::as_i64).unwrap_or_default();
    let Some(claims) = token.get("claims").and_then(Value::as_object) else {
        let _ = writeln!(text, "Only the service can read this token: it is no signed JWT.");
        let _ = writeln!(text, "Expires  {}", time(expires_on, now));
        return text;
    };
    let _ = writeln!(text, "Not verified: azt only reads the claims, the service checks them.\n");
    let header = token.get("header").and_then(Value::as_object);
    let of_header = header.into_iter().flatten();
    let of_header = of_header.filter(|(name, _)| ["alg", "kid"].contains(&name.as_str()));
    let all: Vec<(&String, &Value)> = of_header.chain(claims).collect();
    let width = all.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    for (name, value) in all {
        let value = match value {
            Value::Number(seconds) if TIMES.contains(&name.as_str()) => {
                seconds.as_i64().map_or_else(|| seconds.to_string(), |at| time(at, now))
            }
            Value::String(text) => text.clone(),
            Value::Array(items) => {
                let item =
                    |item: &Value| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
                items.iter().map(item).collect::<Vec<_>>().join(", ")
            }
            other => other.to_string(),
        };
        let _ = writeln!(text, "{name:width$}  {}", Sentence::new(&value));
    }
    text
}

/// A time with its distance from `now`.
fn time(at: i64, now: i64) -> String {
    let local = local_time(at).format("%Y-%m-%d %H:%M:%S");
    match at.saturating_sub(now) {
        left @ 1.. => format!("{local} (in {})", span(left)),
        past => format!("{local} ({} ago)", span(past.saturating_neg())),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::secret::Secret;

    fn token(text: &str) -> Token {
        Token {
            secret: Secret::new(text),
            cached_at: 0,
            expires_on: 4600,
            renew_from: 0,
            is_new: false,
            is_due_for_refresh: false,
        }
    }

    fn jwt(claims: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.c2ln", part(r#"{"alg":"RS256","kid":"k1","typ":"JWT"}"#), part(claims))
    }

    #[test]
    fn claims_are_shown_with_their_times_and_without_the_token() {
        let text =
            jwt(r#"{"aud":"https://a/","exp":4600,"roles":["r1","r2"],"x":{"y":"\u001b[2Jz"}}"#);
        let read = of(&token(&text));
        let shown = shown(&read, 1000);
        assert!(shown.starts_with("Not verified"), "{shown}");
        for line in ["alg    RS256", "aud    https://a/", "roles  r1, r2"] {
            assert!(shown.lines().any(|it| it == line), "{line}: {shown}");
        }
        assert!(shown.contains("(in 1 h 0 min)"), "{shown}");
        let all = format!("{shown}{read}");
        assert!(!all.contains('\u{1b}') && !all.contains("c2ln"), "{all}");
        assert!(text.split('.').all(|part| !all.contains(part)), "{all}");
    }

    #[test]
    fn a_token_that_only_the_service_reads_has_no_claims() {
        for text in ["opaque", "a.b.c", "e30.e30.x.y.z", "e30.e30", "", "W10.W10.x"] {
            let read = of(&token(text));
            assert_eq!(read["claims"], Value::Null, "{text}");
            assert!(shown(&read, 0).starts_with("Only the service can read this token"), "{text}");
        }
    }

    #[test]
    fn times_beyond_the_calendar_are_no_panic() {
        for at in [i64::MIN, -1, 0, i64::MAX] {
            assert!(!time(at, 1000).is_empty());
        }
    }
}
