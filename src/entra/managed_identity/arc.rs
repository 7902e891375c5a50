//! Azure Arc: the agent names a key file that only privileged users can read.
//!
//! <https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication>

use std::path::Path;

use super::{HostIdentity, answer, ask, url};
use crate::entra::TokenResponse;
use crate::error::{Error, Kind, Result};
use crate::foreign::Json;
use crate::secret::Secret;
use crate::sys::{EndpointUrl, Request, Response, System, read_arc_key};

/// The agent's address if `IDENTITY_ENDPOINT` is not set.
pub(super) const DEFAULT_ENDPOINT: &str = "http://localhost:40342/metadata/identity/oauth2/token";

const VERSION: &str = "2020-06-01";

pub(super) async fn token(
    system: &System,
    endpoint: &EndpointUrl,
    resource: &str,
    identity: HostIdentity<'_>,
) -> Result<TokenResponse> {
    let url = url(endpoint, VERSION, resource, identity, "msi_res_id");
    let request = || Request::get(&url).header("metadata", "true");
    let challenge = ask(system, request()).await?;
    if challenge.status != 401 {
        // The agent wants no key, or refuses.
        return checked(system, &challenge, identity);
    }
    let file = challenge.header("www-authenticate").and_then(key_file).ok_or_else(|| {
        Error::new(Kind::Service, "The Azure Arc agent did not say which file holds its key.")
    })?;
    let key = read_arc_key(&system.env, Path::new(file))?;
    let proof = Secret::new(format!("Basic {}", key.expose()));
    let response = ask(system, request().secret_header("authorization", proof)).await?;
    checked(system, &response, identity)
}

/// The path in `Basic realm=<path>`, in quotes or not (RFC 9110 section 11.4).
fn key_file(challenge: &str) -> Option<&str> {
    let (scheme, realm) = challenge.trim().split_once(char::is_whitespace)?;
    let (name, path) = realm.split_once('=')?;
    let is_it = scheme.eq_ignore_ascii_case("basic") && name.trim().eq_ignore_ascii_case("realm");
    is_it.then(|| path.trim().trim_matches('"'))
}

/// The token, unless it belongs to another identity. Agents without support for user-assigned
/// identities ignore the id and send the token of the system-assigned one.
fn checked(
    system: &System,
    response: &Response,
    identity: HostIdentity<'_>,
) -> Result<TokenResponse> {
    let token = answer::read(system, response)?;
    let (HostIdentity::Client(id) | HostIdentity::Object(id) | HostIdentity::Resource(id)) =
        identity
    else {
        return Ok(token);
    };
    let body = response.json::<Json>().unwrap_or_default().into_value();
    let is_echoed = ["client_id", "object_id", "msi_res_id"]
        .into_iter()
        .filter_map(|name| body.get(name)?.as_str())
        .any(|echoed| echoed.eq_ignore_ascii_case(id));
    if is_echoed {
        Ok(token)
    } else {
        Err(Error::new(
            Kind::Refused,
            "The Azure Arc agent of this machine does not support user-assigned identities.",
        )
        .remedy("Sign in with the system-assigned identity: omit the id."))
    }
}
