//! azd's external authentication: `POST /token` with `{"scopes": […], "tenantId": "…"}`. The status
//! is 200 also for a failure; the member `status` says which it is.

use chrono::{DateTime, SecondsFormat};
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::refused::{Refused, Why};
use super::tokens::{Ask, Held};
use crate::entra::Scopes;
use crate::sys::Reply;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    scopes: Vec<String>,
    tenant_id: Option<String>,
}

/// The request in `body`.
pub(super) fn asked(body: &[u8]) -> Result<Ask, Refused> {
    let malformed = |why: String| Refused::new(Why::Malformed, why);
    let body: Body = serde_json::from_slice(body)
        .map_err(|_| malformed("The body is not {\"scopes\": […]}.".to_owned()))?;
    let scopes =
        Scopes::new(&body.scopes).map_err(|error| malformed(error.message().to_owned()))?;
    Ok(Ask { scopes, tenant: body.tenant_id.filter(|tenant| !tenant.is_empty()) })
}

/// The answer with the token `held`.
pub(super) fn reply(held: &Held) -> Zeroizing<Vec<u8>> {
    let token = held.secret.expose();
    let expires_on = DateTime::from_timestamp(held.expires_on, 0).unwrap_or_default();
    let expires_on = expires_on.to_rfc3339_opts(SecondsFormat::Secs, true);
    // Allocated once: a growing text would leave copies of the token.
    let mut text = Zeroizing::new(Vec::with_capacity(token.len() + 256));
    text.extend_from_slice(br#"{"status":"success","token":"#);
    let _ = serde_json::to_writer(&mut *text, token);
    text.extend_from_slice(format!(r#","expiresOn":"{expires_on}"}}"#).as_bytes());
    text
}

/// A refusal. azd shows its message if the status is 200, and else the number alone.
pub(super) fn refusal(refused: &Refused) -> Reply {
    let status = match refused.why {
        Why::Malformed => 400,
        Why::WrongKey => 401,
        Why::Forbidden => 403,
        Why::Resource | Why::NotSignedIn | Why::Failed | Why::Transient => 200,
    };
    let code = match refused.why {
        Why::NotSignedIn => "NotSignedInError",
        _ => "GetTokenError",
    };
    let body = json!({"status": "error", "code": code, "message": refused.text()});
    Reply {
        status,
        json: Zeroizing::new(body.to_string().into_bytes()),
        retry_after: refused.error.retry_after(),
    }
}
