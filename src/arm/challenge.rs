//! Claims challenges from resources (continuous access evaluation).

use serde_json::{Map, Value};

use crate::foreign::{self, Guid};
use crate::sys::Response;

/// The JSON text of the challenge in `response`, if there is one: status 401 with
/// `WWW-Authenticate: Bearer …, error="insufficient_claims", claims="<base64>"`.
pub(crate) fn of_response(response: &Response) -> Option<String> {
    let mut headers = response.headers.get_all("www-authenticate").iter();
    headers.find_map(|header| {
        let header = header.to_str().ok().filter(|_| response.status == 401)?;
        let is_one = parameter(header, "error")? == "insufficient_claims";
        let claims = parameter(header, "claims").filter(|_| is_one).and_then(decode_challenge)?;
        serde_json::from_str::<Map<String, Value>>(&claims).is_ok().then_some(claims)
    })
}

/// The tenant that `response` names: status 401 with `WWW-Authenticate: Bearer
/// authorization_uri="https://login…/TENANT…"`, as Azure DevOps and Azure Resource Manager send it.
pub(crate) fn tenant_of(response: &Response) -> Option<String> {
    let mut headers = response.headers.get_all("www-authenticate").iter();
    headers.find_map(|header| {
        let header = header.to_str().ok().filter(|_| response.status == 401)?;
        let address = parameter(header, "authorization_uri")
            .or_else(|| parameter(header, "authorization"))?;
        let tenant = address.split_once("://")?.1.split('/').nth(1)?;
        // Not `common`: the id of one tenant.
        Guid::parse(tenant).map(String::from)
    })
}

/// A parameter of the challenges in `header`, in quotes or not (RFC 9110 section 11.6.1).
fn parameter<'h>(header: &'h str, name: &str) -> Option<&'h str> {
    let lower = header.to_ascii_lowercase();
    lower.match_indices(name).find_map(|(at, _)| {
        if !header.get(..at)?.ends_with([' ', ',']) {
            return None;
        }
        let value = header.get(at + name.len()..)?.strip_prefix('=')?;
        match value.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next(),
            None => value.split([',', ' ']).next(),
        }
    })
}

/// The JSON text of the challenge in `WWW-Authenticate: … claims="…"`: base64 in either alphabet,
/// padded or not.
pub(crate) fn decode_challenge(text: &str) -> Option<String> {
    String::from_utf8(foreign::base64(text)?).ok()
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderValue};

    use super::*;

    fn challenge(status: u16, values: &[&'static str]) -> Option<String> {
        let values = values.iter().map(|value| HeaderValue::from_static(value));
        let name = reqwest::header::WWW_AUTHENTICATE;
        let headers: HeaderMap = values.map(|value| (name.clone(), value)).collect();
        of_response(&Response::new(status, headers, b""))
    }

    #[test]
    fn a_challenge_is_found_in_every_form() {
        let arm = r#"Bearer realm="", authorization_uri="https://login.example/common/oauth2/authorize", error="insufficient_claims", claims="eyJhIjoxfQ==""#;
        let found = Some(r#"{"a":1}"#.to_owned());
        assert_eq!(challenge(401, &[arm]), found);
        assert_eq!(challenge(401, &["Basic realm=x", arm]), found);
        assert_eq!(challenge(401, &["bearer Error=insufficient_claims,Claims=eyJhIjoxfQ"]), found);
        assert_eq!(challenge(403, &[arm]), None);
        for other in [
            r#"Bearer error="invalid_token", claims="eyJhIjoxfQ==""#,
            r#"Bearer error="insufficient_claims""#,
            r#"Bearer error="insufficient_claims", claims="%%""#,
            r#"Bearer error="insufficient_claims", claims="WzFd""#,
            r#"Bearer error="insufficient_claims", other_claims="eyJhIjoxfQ==""#,
        ] {
            assert_eq!(challenge(401, &[other]), None, "{other}");
        }
    }
}
