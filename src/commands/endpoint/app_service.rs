//! The token endpoint of a managed identity in App Service: `GET /token?api-version=2019-08-01&resource=R`.
//!
//! Terraform asks it too (`ARM_MSI_ENDPOINT`), with the api-version of a virtual machine.

use serde_json::json;
use zeroize::Zeroizing;

use super::refused::{Refused, Why};
use super::tokens::{Ask, Held};
use crate::entra::Scopes;
use crate::sys::Reply;

/// A request.
pub(super) struct Request {
    pub(super) ask: Ask,
    /// The resource as it was written; the answer repeats it.
    pub(super) resource: String,
    /// A user-assigned identity's client id; any is accepted, because programs name the one that
    /// they have in production.
    client_id: Option<String>,
}

impl Request {
    /// The request in `query`.
    pub(super) fn of(query: &str) -> Result<Self, Refused> {
        let (mut resource, mut client_id) = (None, None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let member = match &*name {
                "resource" => &mut resource,
                "client_id" | "clientid" => &mut client_id,
                _ => continue,
            };
            *member = Some(value.into_owned()).filter(|value| !value.is_empty());
        }
        let resource =
            resource.ok_or_else(|| Refused::new(Why::Malformed, "The resource is missing."))?;
        let scopes = if resource.ends_with("/.default") {
            Scopes::new([&resource])
                .map_err(|error| Refused::new(Why::Malformed, error.message()))?
        } else {
            Scopes::of_resource(&resource)
        };
        Ok(Self { ask: Ask { scopes, tenant: None }, resource, client_id })
    }

    /// The answer with the token `held`, at `now`. Rust's SDK wants `expires_on` as text; for .NET
    /// `expires_in` and `expires_on` are one member, and Terraform reads `expires_in` alone.
    pub(super) fn reply(&self, held: &Held, now: i64) -> Zeroizing<Vec<u8>> {
        let token = held.secret.expose();
        // Allocated once: a growing text would leave copies of the token.
        let mut text =
            Zeroizing::new(Vec::with_capacity(token.len() + self.resource.len() * 6 + 1024));
        text.extend_from_slice(br#"{"access_token":"#);
        let _ = serde_json::to_writer(&mut *text, token);
        let rest = json!({
            "expires_on": held.expires_on.to_string(),
            "expires_in": held.expires_on.saturating_sub(now).max(0).to_string(),
            "resource": self.resource,
            "token_type": "Bearer",
            "client_id": self.client_id.as_deref().unwrap_or(&held.client_id),
        });
        text.push(b',');
        text.extend_from_slice(rest.to_string().get(1..).unwrap_or_default().as_bytes());
        text
    }
}

/// A refusal, in the members of every SDK: Python reads `statusCode` and `message`, JavaScript
/// `message` or `error` and `error_description`.
pub(super) fn refusal(refused: &Refused) -> Reply {
    let status = refused.status();
    let error = match refused.why {
        super::Why::Malformed => "invalid_request",
        super::Why::Forbidden | super::Why::Resource | super::Why::WrongKey => "access_denied",
        super::Why::Transient => "temporarily_unavailable",
        super::Why::NotSignedIn | super::Why::Failed => "invalid_grant",
    };
    let body = json!({
        "error": error,
        "error_description": refused.text(),
        "statusCode": status,
        "message": refused.text(),
    });
    Reply {
        status,
        json: Zeroizing::new(body.to_string().into_bytes()),
        retry_after: refused.error.retry_after(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn the_answer_has_what_each_sdk_reads() {
        let query = "api-version=2019-08-01&resource=https%3A%2F%2Fvault.azure.net&client_id=c1";
        let request = Request::of(query).unwrap();
        let held = Held {
            secret: Secret::new("t\"oken"),
            expires_on: 4600,
            cached_at: 0,
            renew_from: 0,
            client_id: "own".into(),
            account: "alice".into(),
            tenant: "t".into(),
        };
        let reply: serde_json::Value = serde_json::from_slice(&request.reply(&held, 1000)).unwrap();
        let expected = json!({"access_token": "t\"oken", "expires_on": "4600", "expires_in": "3600",
            "resource": "https://vault.azure.net", "token_type": "Bearer", "client_id": "c1"});
        assert_eq!(reply, expected);
    }

    #[test]
    fn resources_keep_their_slash_and_may_be_scopes() {
        for (query, scope) in [
            ("resource=https://management.azure.com/", "https://management.azure.com//.default"),
            ("resource=https://a/.default", "https://a/.default"),
            (
                "resource=499b84ac-1321-427f-aa17-267ca6975798",
                "499b84ac-1321-427f-aa17-267ca6975798/.default",
            ),
        ] {
            assert_eq!(Request::of(query).unwrap().ask.scopes.joined(), scope);
        }
        for query in ["", "resource=", "api-version=1", "Resource=x"] {
            assert_eq!(Request::of(query).err().unwrap().status(), 400, "{query}");
        }
    }
}
