//! Error responses (RFC 6749 section 5.2, RFC 8628 section 3.5, with Entra's members).

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::error::{EntraDetail, Error, Kind};
use crate::foreign::{Json, Name, Sentence, lenient};
use crate::sys::{Complaint, Response, mark_retryable};

/// The error code while the user has not approved a device code yet (RFC 8628 section 3.5).
pub(crate) const AUTHORIZATION_PENDING: &str = "authorization_pending";

/// Longest challenge to accept, in bytes. Real ones have some hundreds, and go into command lines.
const LONGEST_CHALLENGE: usize = 16 << 10;

/// The longest `Retry-After` to show.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// The body. A proxy or a broken server may send anything, so each invalid member is ignored.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    #[serde(deserialize_with = "lenient")]
    error: Option<Name>,
    #[serde(deserialize_with = "lenient")]
    error_description: Option<Sentence>,
    #[serde(deserialize_with = "lenient")]
    error_codes: Option<Json>,
    #[serde(deserialize_with = "lenient")]
    suberror: Option<Name>,
    #[serde(deserialize_with = "lenient")]
    claims: Option<String>,
    #[serde(deserialize_with = "lenient")]
    trace_id: Option<Name>,
    #[serde(deserialize_with = "lenient")]
    correlation_id: Option<Name>,
    #[serde(deserialize_with = "lenient")]
    timestamp: Option<Name>,
}

/// The error in `response`, from `host`; `None` for a success. Some servers and gateways send an
/// error with the status of a success.
pub(super) fn refusal(response: &Response, host: &str) -> Option<Error> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Marked {
        #[serde(deserialize_with = "lenient")]
        error: Option<Json>,
    }
    let is_marked = || {
        let error = response.json::<Marked>().unwrap_or_default().error.map(Json::into_value);
        error.is_some_and(|error| match error {
            Value::String(code) => !code.trim().is_empty(),
            Value::Object(members) => !members.is_empty(),
            _ => false,
        })
    };
    (!response.is_success() || is_marked()).then(|| parse(response, host))
}

/// Converts `response`, an error from `host`.
///
/// The message is Entra's own description, as az shows it. The kind says what helps:
/// [`Kind::InteractionRequired`] if the user must act, [`Kind::Refused`] if that does not help,
/// [`Kind::Service`] if a later attempt may succeed.
pub(super) fn parse(response: &Response, host: &str) -> Error {
    let body: Body = response.words().unwrap_or_default();
    // Codes and ids are short ASCII; a truncated one ends in a non-ASCII character.
    let text = |text: Option<Name>| text.filter(|text| !text.is_empty() && text.is_ascii());
    // Some servers send Entra's description in the form that Azure's services use.
    let Complaint { code, message } = response.complaint();
    let said = message.as_deref().and_then(aadsts_in);
    let Some(code) = text(body.error).or_else(|| text(said.and(code))) else {
        return without_oauth_error(response, host);
    };
    let description = body.error_description.or(message);
    let description = description.unwrap_or_else(|| Sentence::new(&code));
    let mut codes = body.error_codes.map(Json::into_value).map_or_else(Vec::new, numbers);
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
    mark_retryable(error, response)
}

/// The numbers in `codes`: a list or a single one, as numbers or text, with or without `AADSTS`.
fn numbers(codes: Value) -> Vec<u32> {
    match codes {
        Value::Number(number) => {
            number.as_u64().and_then(|it| it.try_into().ok()).into_iter().collect()
        }
        Value::String(text) => {
            let words = text.split([',', ' ']).map(|word| word.trim_start_matches("AADSTS"));
            words.filter_map(|digits| digits.parse().ok()).collect()
        }
        Value::Array(all) => all.into_iter().flat_map(numbers).collect(),
        _ => Vec::new(),
    }
}

fn sentence(description: Sentence, code: &Name) -> String {
    if description.is_empty() {
        format!("The service refused: {:?}.", &**code)
    } else {
        description.into()
    }
}

/// Converts the error parameters of a redirect (RFC 6749 section 4.1.2.1).
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

/// The error of a response without an OAuth error code, from Entra or another server; quotes its
/// text.
fn without_oauth_error(response: &Response, host: &str) -> Error {
    let status = response.status;
    let said = response.complaint().told();
    let said = said.map_or_else(|| ".".to_owned(), |said| format!(": {said}"));
    let error = match status {
        407 => Error::new(Kind::Network, "The proxy requires a user name and a password (HTTP 407).")
            .remedy("Put them into the proxy's address, in the variable that sets it: http://user:password@host:port"),
        511 => Error::new(
            Kind::Network,
            "This network requires its own sign-in first (HTTP 511).",
        )
        .remedy("Open any page in a browser, sign in there, and try again."),
        429 => Error::new(
            Kind::Service,
            format!("{host} asks to slow down: it answered HTTP {status}."),
        ),
        500..=599 => Error::new(
            Kind::Service,
            format!("{host} has a problem: it answered HTTP {status}{said}"),
        ),
        300..=399 => Error::new(
            Kind::Network,
            format!("{host} answered with a redirect (HTTP {status}), which a token endpoint never does."),
        )
        .remedy("A proxy or a sign-in portal of your network may stand in between."),
        _ => Error::new(
            Kind::Service,
            match said.as_str() {
                "." => format!("{host} answered HTTP {status} without a reason."),
                said => format!("{host} answered HTTP {status}{said}"),
            },
        )
        .remedy("A proxy or a sign-in portal of your network may stand in between."),
    };
    let error = mark_retryable(error, response);
    match response.retry_after() {
        Some(wait) if wait <= LONGEST_WAIT => {
            error.remedy(format!("Try again in {} s.", wait.as_secs()))
        }
        None if status == 429 || (500..=510).contains(&status) => {
            error.remedy("Try again in a minute.")
        }
        Some(_) | None => error,
    }
}

/// The number in `AADSTS50076: …`.
pub(crate) fn aadsts_in(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once("AADSTS")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Error {
        parse(&Response::of(status, body), "login.example")
    }

    #[test]
    fn all_members_are_kept() {
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
    fn an_invalid_member_does_not_hide_the_others() {
        let error = answer(
            400,
            r#"{"error":"invalid_grant","error_description":["x"],"error_codes":["50076",{},-1,65001],"suberror":[7],"claims":{},"trace_id":null,"correlation_id":"c"}"#,
        );
        assert_eq!((error.kind(), error.message()), (Kind::InteractionRequired, "invalid_grant"));
        let detail = error.entra_detail().unwrap();
        assert_eq!(detail.codes, [50_076, 65_001]);
        assert_eq!((&detail.suberror, &detail.claims), (&None, &None));
        assert_eq!(detail.correlation_id.as_deref(), Some("c"));
    }

    #[test]
    fn temporary_errors_are_worth_a_retry() {
        let after = |status, header: Option<&str>| {
            let mut headers = reqwest::header::HeaderMap::new();
            if let Some(header) = header {
                headers.insert("retry-after", header.parse().unwrap());
            }
            let response = Response::new(status, headers, b"");
            parse(&response, "h").retry_after().map(|it| it.as_secs())
        };
        assert_eq!([429, 500, 503, 510].map(|status| after(status, None)), [Some(0); 4]);
        assert_eq!([400, 401, 404, 499, 511, 302].map(|status| after(status, None)), [None; 6]);
        assert_eq!(
            [" 7 ", "0", "Fri, 01 Jan 2027 00:00:00 GMT", "-1"].map(|it| after(503, Some(it))),
            [Some(7), Some(0), Some(0), Some(0)]
        );
    }

    #[test]
    fn only_a_sensible_wait_is_shown() {
        let told = |seconds: &str| {
            let headers = [("retry-after".parse().unwrap(), seconds.parse().unwrap())];
            let response = Response::new(503, headers.into_iter().collect(), b"");
            parse(&response, "h").remedy_lines().to_vec()
        };
        assert_eq!(told("86400"), ["Try again in 86400 s."]);
        assert_eq!([told("86401"), told("4294967295")], [vec![], Vec::<String>::new()]);
        let proxy = answer(407, "");
        assert!(!proxy.remedy_lines().iter().any(|line| line.contains("HTTPS_PROXY")));
    }

    #[test]
    fn kinds_say_what_helps() {
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
    fn a_message_is_found_in_every_form() {
        for body in [
            "Because.",
            "<html><title>Because.</title></html>",
            r#"{"error":{"code":"X","message":"Because."}}"#,
            r#"{"code":"X","message":"Because."}"#,
            r#"{"odata.error":{"code":"X","message":{"value":"Because."}}}"#,
            r#""Because.""#,
            r#"{"error":["x"],"error_description":"Because."}"#,
        ] {
            let error = answer(403, body);
            let told = "login.example answered HTTP 403: Because.";
            assert_eq!((error.kind(), error.message()), (Kind::Service, told), "{body}");
            let error = answer(503, body);
            assert!(error.message().ends_with("has a problem: it answered HTTP 503: Because."));
        }
        for body in ["", "null", "{}", "[]", r#"{"error":null}"#, "<"] {
            let told = "login.example answered HTTP 403 without a reason.";
            assert_eq!(answer(403, body).message(), told, "{body}");
        }
        // Entra's own text makes it a refusal of Entra.
        for body in [
            r#"{"error":{"code":"invalid_grant","message":"AADSTS50076: MFA."}}"#,
            r#"{"code":"invalid_grant","message":"AADSTS50076: MFA."}"#,
            r#"{"Error":"x","code":"invalid_grant","error_description":"AADSTS50076: MFA."}"#,
        ] {
            let error = answer(400, body);
            let found = (error.kind(), error.message());
            assert_eq!(found, (Kind::InteractionRequired, "AADSTS50076: MFA."), "{body}");
            assert_eq!(error.entra_detail().unwrap().codes, [50_076], "{body}");
        }
    }

    #[test]
    fn a_success_status_may_carry_an_error() {
        let of = |status, body: &str| refusal(&Response::of(status, body), "h");
        let body =
            r#"{"error":"invalid_grant","error_description":"AADSTS50173: No.","access_token":""}"#;
        for status in [200, 201, 203, 400] {
            let error = of(status, body).unwrap();
            let found = (error.kind(), error.message());
            assert_eq!(found, (Kind::InteractionRequired, "AADSTS50173: No."), "{status}");
        }
        let error = of(200, r#"{"error":{"code":"X","message":"Because."}}"#).unwrap();
        assert_eq!(error.message(), "h answered HTTP 200: Because.");
        for body in ["{}", "x", "[]", r#"{"error":null}"#, r#"{"error":""}"#, r#"{"error":{}}"#] {
            assert!(of(200, body).is_none() && of(201, body).is_none(), "{body}");
            assert!(of(400, body).is_some() && of(302, body).is_some(), "{body}");
        }
    }

    #[test]
    fn codes_are_read_in_every_form() {
        for codes in ["[50076]", "50076", r#""50076""#, r#"["AADSTS50076", null]"#, "[[50076]]"] {
            let error = answer(400, &format!(r#"{{"error":"x","error_codes":{codes}}}"#));
            assert_eq!(error.entra_detail().unwrap().codes, [50_076], "{codes}");
        }
    }

    #[test]
    fn an_unlisted_code_is_found_in_the_text() {
        let error = answer(400, r#"{"error":"x","error_description":"AADSTS700082: old"}"#);
        assert_eq!(error.entra_detail().unwrap().codes, [700_082]);
    }

    #[test]
    fn a_redirects_members_are_kept() {
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
