//! Errors as one line of JSON for programs (`--error-format json`, `core.error_format`).

use serde_json::{Map, Value, json};

use crate::error::{Error, Kind};

/// Formats `error` as `{"error": {...}}` on one line: kind, message, remedy, command, exit code
/// (`code`), retry time and Entra's details. Members without a value are omitted.
pub(crate) fn failure(error: &Error, code: u8) -> String {
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| {
        members.insert(name.to_owned(), value);
    };
    put("kind", name(error.kind()).into());
    put("message", error.message().into());
    put("exitCode", code.into());
    let remedy = error.remedy_lines();
    if !remedy.is_empty() {
        put("remedy", remedy.into());
    }
    if let Some(command) = error.curing_command() {
        put("command", command.into());
    }
    if let Some(after) = error.retry_after() {
        put("retryAfter", after.as_secs().into());
    }
    if let Some(entra) = error.entra_detail() {
        put("code", (*entra.error).into());
        put("aadsts", entra.codes.clone().into());
        for (name, text) in [
            ("suberror", entra.suberror.as_deref()),
            ("claims", entra.claims.as_deref()),
            ("traceId", entra.trace_id.as_deref()),
            ("correlationId", entra.correlation_id.as_deref()),
            ("timestamp", entra.timestamp.as_deref()),
        ] {
            if let Some(text) = text {
                put(name, text.into());
            }
        }
    }
    format!("{}\n", json!({"error": members}))
}

/// Returns the kind's name for programs. The names are stable.
fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Failed => "failed",
        Kind::Usage | Kind::Inapplicable => "usage",
        Kind::NotFound => "not_found",
        Kind::NotSignedIn => "not_signed_in",
        Kind::InteractionRequired => "interaction_required",
        Kind::Refused => "refused",
        Kind::Network => "network",
        Kind::Service => "service",
        Kind::Cancelled => "cancelled",
        Kind::Vault => "vault",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::EntraDetail;
    use crate::foreign::Name;

    fn of(error: &Error) -> Value {
        let text = failure(error, 5);
        assert!(text.ends_with('\n') && text.lines().count() == 1, "{text}");
        serde_json::from_str::<Value>(&text).unwrap()["error"].clone()
    }

    #[test]
    fn all_details_of_entra_are_shown() {
        let error = Error::new(Kind::InteractionRequired, "AADSTS50076: \"MFA\",\n\u{1b}[31mnow.")
            .remedy("Please explicitly log in with:")
            .cured_by("azt login --tenant t --scope https://x/.default")
            .entra(EntraDetail {
                error: Name::new("interaction_required"),
                codes: vec![50076],
                suberror: Some(Name::new("basic_action")),
                claims: Some("{\"a\": 1}".into()),
                trace_id: Some(Name::new("t")),
                correlation_id: Some(Name::new("c")),
                timestamp: None,
            });
        assert_eq!(
            of(&error),
            json!({
                "kind": "interaction_required", "exitCode": 5,
                "message": "AADSTS50076: \"MFA\",\n\u{1b}[31mnow.",
                "remedy": ["Please explicitly log in with:", "azt login --tenant t --scope https://x/.default"],
                "command": "azt login --tenant t --scope https://x/.default",
                "code": "interaction_required", "aadsts": [50076], "suberror": "basic_action",
                "claims": "{\"a\": 1}", "traceId": "t", "correlationId": "c",
            })
        );
        assert!(!failure(&error, 5).contains('\u{1b}'), "escaped");
    }
}
