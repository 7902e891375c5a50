//! What azt itself asks at a Unix socket (`AZT_BROKER`): the settings of the account, and tokens with
//! everything that a call of azt can ask for. Failures keep their kind and their remedy.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::refused::Refused;
use super::tokens::{Ask, Held};
use crate::accounts::{RemoteRequest, RemoteToken};
use crate::entra::Scopes;
use crate::error::{Error, Kind};
use crate::settings::ServedFiles;
use crate::sys::Reply;

/// The paths.
pub(super) const SETTINGS: &str = "/azt/settings";
pub(super) const TOKEN: &str = "/azt/token";

/// A request for a token.
pub(super) struct Request {
    pub(super) ask: Ask,
    pub(super) claims: Option<String>,
    pub(super) wanted: crate::broker::Wanted,
}

/// The request in `body`, if it is for `account`.
pub(super) fn asked(body: &[u8], account: &str) -> Result<Request, Refused> {
    let malformed = |_| Refused::from(Error::new(Kind::Usage, "The request is not azt's."));
    let request: RemoteRequest = serde_json::from_slice(body).map_err(malformed)?;
    if request.account != account {
        return Err(Refused::from(Error::new(
            Kind::NotSignedIn,
            format!("The azt of AZT_BROKER hands out tokens of {account} only."),
        )));
    }
    let scopes = Scopes::new(&request.scopes).map_err(Refused::from)?;
    let ask = Ask { scopes, tenant: Some(request.tenant) };
    Ok(Request { ask, claims: request.claims, wanted: request.wanted })
}

/// The answer with the token `held`.
pub(super) fn reply(held: &Held) -> Zeroizing<Vec<u8>> {
    let token = RemoteToken {
        secret: held.secret.clone(),
        cached_at: held.cached_at,
        expires_on: held.expires_on,
        renew_from: held.renew_from,
    };
    // Allocated once: a growing text would leave copies of the token.
    let mut text = Zeroizing::new(Vec::with_capacity(held.secret.expose().len() + 256));
    let _ = serde_json::to_writer(&mut *text, &token);
    text
}

/// The settings, for [`SETTINGS`].
pub(super) fn settings(cloud: &str, files: &ServedFiles) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(json!({ "cloud": cloud, "files": files }).to_string().into_bytes())
}

/// A refusal: the whole error.
pub(super) fn refusal(refused: &Refused) -> Reply {
    let error = serde_json::to_value(&*refused.error).unwrap_or(Value::Null);
    let json = json!({ "error": error }).to_string().into_bytes();
    Reply {
        status: refused.status(),
        json: Zeroizing::new(json),
        retry_after: refused.error.retry_after(),
    }
}
