//! Fuzz target for what programs ask the endpoint, and for what azt at a socket is answered.

use serde_json::Value;

use super::allowed::audience_of;
use super::refused::Refused;
use super::tokens::{Ask, Held};
use super::{app_service, azd, azt};
use crate::accounts::RemoteBroker;
use crate::secret::Secret;

/// The only resource that is allowed here.
const VAULT: &str = "https://vault.azure.net";

/// The first byte says what the others are: a query, azd's or azt's body, or an answer to azt.
pub fn endpoint(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else { return };
    match kind {
        b'q' => {
            let Ok(query) = std::str::from_utf8(rest) else { return };
            match app_service::Request::of(query) {
                Err(refused) => is_told(&refused, &app_service::refusal(&refused).json),
                Ok(request) => {
                    let reply = json(&request.reply(&held(), 1000));
                    assert_eq!(reply["resource"], *request.resource);
                    assert_eq!(reply["access_token"], held().secret.expose());
                    is_allowed_by_name_alone(&request.ask);
                }
            }
        }
        b'd' => match azd::asked(rest) {
            Err(refused) => is_told(&refused, &azd::refusal(&refused).json),
            Ok(ask) => {
                assert_eq!(json(&azd::reply(&held()))["token"], held().secret.expose());
                is_allowed_by_name_alone(&ask);
            }
        },
        b'a' => match azt::asked(rest, "alice@contoso.example") {
            Err(refused) => is_told(&refused, &azt::refusal(&refused).json),
            Ok(request) => is_allowed_by_name_alone(&request.ask),
        },
        b'b' => RemoteBroker::fuzz_answer(200, rest),
        _ => RemoteBroker::fuzz_answer(403, rest),
    }
}

fn held() -> Held {
    Held {
        secret: Secret::new("to\"ken"),
        expires_on: 4600,
        cached_at: 0,
        renew_from: 0,
        client_id: "own".into(),
        account: "alice".into(),
    }
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|error| panic!("{error}"))
}

/// A refusal is JSON, says something, and is none that SDKs repeat.
fn is_told(refused: &Refused, reply: &[u8]) {
    let _ = json(reply);
    assert!(!refused.text().is_empty() && matches!(refused.status(), 400 | 403));
}

/// What counts as [`VAULT`] begins with its name, and nothing but slashes and a permission follows.
fn is_allowed_by_name_alone(ask: &Ask) {
    for scope in ask.scopes.iter().filter(|scope| audience_of(scope) == VAULT) {
        let scope = scope.to_ascii_lowercase();
        let rest = scope.strip_prefix(VAULT).unwrap_or_else(|| panic!("{scope}"));
        let permission = rest.trim_start_matches('/');
        assert!(rest.starts_with('/') && !permission.contains('/'), "{scope}");
    }
}
