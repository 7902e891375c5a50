//! An error answer (RFC 6749 section 5.2, RFC 8628 section 3.5, with Entra's members).

use serde::Deserialize;

use crate::error::{EntraDetail, Error, Kind};
use crate::foreign::{Name, Sentence, if_it_is_one};
use crate::sys::{Response, passing};

/// The error code of a device code that the person has not approved yet (RFC 8628 section 3.5).
pub const AUTHORIZATION_PENDING: &str = "authorization_pending";

/// Bytes of a challenge that is believed: they have some hundreds, and go into command lines.
const LONGEST_CHALLENGE: usize = 16 << 10;

/// The body. A proxy or a broken server may send anything: each member counts if it makes sense.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    #[serde(deserialize_with = "if_it_is_one")]
    error: Option<Name>,
    #[serde(deserialize_with = "if_it_is_one")]
    error_description: Option<Sentence>,
    #[serde(deserialize_with = "if_it_is_one")]
    error_codes: Option<Vec<Code>>,
    #[serde(deserialize_with = "if_it_is_one")]
    suberror: Option<Name>,
    #[serde(deserialize_with = "if_it_is_one")]
    claims: Option<String>,
    #[serde(deserialize_with = "if_it_is_one")]
    trace_id: Option<Name>,
    #[serde(deserialize_with = "if_it_is_one")]
    correlation_id: Option<Name>,
    #[serde(deserialize_with = "if_it_is_one")]
    timestamp: Option<Name>,
}

/// A number, or one in a string.
#[derive(Deserialize)]
#[serde(untagged)]
enum Code {
    Number(u32),
    Text(Name),
    Other(serde::de::IgnoredAny),
}

/// The error that `response` is, from `host`.
///
/// The message is Entra's own description, as az shows it; the kind says what can be done:
/// [`Kind::InteractionRequired`] when the person must do something, [`Kind::Refused`] when that
/// will not help, [`Kind::Service`] when it may pass.
pub(super) fn parse(response: &Response, host: &str) -> Error {
    let body: Body = serde_json::from_slice(&response.body).unwrap_or_default();
    // Codes and ids are ASCII, and short: one that was cut ends in what is not.
    let text = |text: Option<Name>| text.filter(|text| !text.is_empty() && text.is_ascii());
    let Some(code) = text(body.error) else {
        return without_oauth_error(response, host);
    };
    let description = body.error_description.unwrap_or_else(|| Sentence::new(&code));
    let listed = body.error_codes.into_iter().flatten();
    let mut codes: Vec<u32> = listed.filter_map(number).collect();
    if codes.is_empty() {
        codes.extend(aadsts_in(&description));
    }
    let kind = kind_of(response.status, &code);
    let claims = body.claims.filter(|it| (1..=LONGEST_CHALLENGE).contains(&it.len()));
    let error = Error::new(kind, sentence(description, &code)).entra(EntraDetail {
        error: code,
        codes,
        suberror: text(body.suberror),
        claims,
        trace_id: text(body.trace_id),
        correlation_id: text(body.correlation_id),
        timestamp: text(body.timestamp),
    });
    let error = if kind == Kind::Service { error.remedy("Try again in a minute.") } else { error };
    passing(error, response)
}

fn number(code: Code) -> Option<u32> {
    match code {
        Code::Number(number) => Some(number),
        Code::Text(digits) => digits.parse().ok(),
        Code::Other(_) => None,
    }
}

fn sentence(description: Sentence, code: &Name) -> String {
    if description.is_empty() {
        format!("The service refused: {:?}.", &**code)
    } else {
        description.into()
    }
}

/// The error that the parameters of a redirect are (RFC 6749 section 4.1.2.1).
pub(super) fn of_redirect(code: &str, description: Option<&str>, suberror: Option<&str>) -> Error {
    let (description, code) = (Sentence::new(description.unwrap_or(code)), Name::new(code));
    let codes = aadsts_in(&description).into_iter().collect();
    Error::new(kind_of(400, &code), sentence(description, &code)).entra(EntraDetail {
        error: code,
        codes,
        suberror: suberror.map(Name::new),
        ..EntraDetail::default()
    })
}

fn kind_of(status: u16, code: &str) -> Kind {
    match code {
        "temporarily_unavailable" | "server_error" => Kind::Service,
        _ if status == 429 || status >= 500 => Kind::Service,
        "invalid_grant"
        | "interaction_required"
        | "login_required"
        | "consent_required"
        | "expired_token"
        | "authorization_pending"
        | "slow_down" => Kind::InteractionRequired,
        _ => Kind::Refused,
    }
}

fn without_oauth_error(response: &Response, host: &str) -> Error {
    let status = response.status;
    let error = match status {
        407 => Error::new(Kind::Network, "The proxy wants a user name and a password (HTTP 407).")
            .remedy("Put them into HTTPS_PROXY: http://user:password@host:port"),
        511 => Error::new(
            Kind::Network,
            "This network wants a sign-in of its own first (HTTP 511).",
        )
        .remedy("Open any page in a browser, sign in there, and try again."),
        429 | 500..=599 => Error::new(
            Kind::Service,
            format!("{host} is in trouble: it answered HTTP {status}."),
        ),
        300..=399 => Error::new(
            Kind::Network,
            format!("{host} answered with a redirect (HTTP {status}), which a token endpoint never does."),
        )
        .remedy("A proxy or a sign-in portal of your network may stand in between."),
        _ => Error::new(
            Kind::Service,
            format!("{host} answered HTTP {status} without saying why."),
        )
        .remedy("A proxy or a sign-in portal of your network may stand in between."),
    };
    let error = passing(error, response);
    match response.retry_after() {
        Some(wait) => error.remedy(format!("Try again in {} s.", wait.as_secs())),
        None if status == 429 || (500..=510).contains(&status) => {
            error.remedy("Try again in a minute.")
        }
        None => error,
    }
}

/// The number in `AADSTS50076: …`.
fn aadsts_in(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once("AADSTS")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    fn answer(status: u16, body: &str) -> Error {
        let response = Response {
            status,
            headers: reqwest::header::HeaderMap::new(),
            body: Zeroizing::new(body.as_bytes().to_vec()),
        };
        parse(&response, "login.example")
    }

    #[test]
    fn everything_that_entra_says_is_kept() {
        let error = answer(
            400,
            r#"{"error":"invalid_grant","error_description":"AADSTS50076: MFA.\r\nTrace ID: t","error_codes":[50076],"suberror":"basic_action","claims":"{}","trace_id":"t","correlation_id":"c","timestamp":"2026-01-01 00:00:00Z"}"#,
        );
        assert_eq!(error.kind(), Kind::InteractionRequired);
        assert_eq!(error.message(), "AADSTS50076: MFA. Trace ID: t");
        let detail = error.entra_detail().unwrap();
        assert_eq!(detail.codes, [50076]);
        assert_eq!(detail.suberror.as_deref(), Some("basic_action"));
        assert_eq!(detail.claims.as_deref(), Some("{}"));
        assert_eq!(detail.correlation_id.as_deref(), Some("c"));
    }

    #[test]
    fn what_makes_no_sense_does_not_hide_the_rest() {
        let error = answer(
            400,
            r#"{"error":"invalid_grant","error_description":["x"],"error_codes":["50076",{},-1,65001],"suberror":7,"claims":{},"trace_id":null,"correlation_id":"c"}"#,
        );
        assert_eq!((error.kind(), error.message()), (Kind::InteractionRequired, "invalid_grant"));
        let detail = error.entra_detail().unwrap();
        assert_eq!(detail.codes, [50_076, 65_001]);
        assert_eq!((&detail.suberror, &detail.claims), (&None, &None));
        assert_eq!(detail.correlation_id.as_deref(), Some("c"));
    }

    #[test]
    fn what_may_pass_is_worth_another_try() {
        let after = |status, header: Option<&str>| {
            let mut headers = reqwest::header::HeaderMap::new();
            if let Some(header) = header {
                headers.insert("retry-after", header.parse().unwrap());
            }
            let body = Zeroizing::new(Vec::new());
            parse(&Response { status, headers, body }, "h").retry_after().map(|it| it.as_secs())
        };
        assert_eq!([429, 500, 503, 510].map(|status| after(status, None)), [Some(0); 4]);
        assert_eq!([400, 401, 404, 499, 511, 302].map(|status| after(status, None)), [None; 6]);
        assert_eq!(
            [" 7 ", "0", "Fri, 01 Jan 2027 00:00:00 GMT", "-1"].map(|it| after(503, Some(it))),
            [Some(7), Some(0), Some(0), Some(0)]
        );
    }

    #[test]
    fn kinds_tell_what_can_be_done() {
        for (status, body, kind) in [
            (
                401,
                r#"{"error":"invalid_client","error_description":"AADSTS7000215: x"}"#,
                Kind::Refused,
            ),
            (400, r#"{"error":"invalid_scope"}"#, Kind::Refused),
            (400, r#"{"error":"interaction_required"}"#, Kind::InteractionRequired),
            (503, r#"{"error":"temporarily_unavailable"}"#, Kind::Service),
            (503, "<html>", Kind::Service),
            (302, "", Kind::Network),
            (399, "", Kind::Network),
            (407, "", Kind::Network),
            (511, "<html>", Kind::Network),
            (429, r#"{"error":"x"}"#, Kind::Service),
            (500, r#"{"error":"x"}"#, Kind::Service),
            (499, r#"{"error":"x"}"#, Kind::Refused),
            (200, "{}", Kind::Service),
        ] {
            assert_eq!(answer(status, body).kind(), kind, "{status} {body}");
        }
    }

    #[test]
    fn the_code_is_found_in_the_text_when_it_is_not_listed() {
        let error = answer(400, r#"{"error":"x","error_description":"AADSTS700082: old"}"#);
        assert_eq!(error.entra_detail().unwrap().codes, [700_082]);
    }

    #[test]
    fn what_a_redirect_says_is_kept_as_well() {
        let error = of_redirect("access_denied", Some("AADSTS65004: No.\r\n"), Some("declined"));
        assert_eq!((error.kind(), error.message()), (Kind::Refused, "AADSTS65004: No."));
        let detail = error.entra_detail().unwrap();
        assert_eq!((&*detail.error, detail.codes.as_slice()), ("access_denied", &[65_004][..]));
        assert_eq!(detail.suberror.as_deref(), Some("declined"));
        assert_eq!(of_redirect("login_required", None, None).message(), "login_required");
        let error = of_redirect("a\nERROR: b", Some("c\n::d\u{202e}"), Some("e\u{1b}\nf"));
        let detail = error.entra_detail().unwrap();
        assert_eq!((error.message(), &*detail.error), ("c ::d", "a ERROR: b"));
        assert_eq!(detail.suberror.as_deref(), Some("e f"));
    }

    #[test]
    fn escape_sequences_are_removed() {
        let error = answer(400, r#"{"error":"x","error_description":"a\u001b[31mb\u0007"}"#);
        assert_eq!(error.message(), "a[31mb");
    }
}
