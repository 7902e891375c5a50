//! Finds the endpoint for a path.

use crate::call::{Answer, Call};
use crate::error::EntraError;
use crate::world::{Authority, World};
use crate::{arm, authorize, control, device, device_page, discovery, echo, federation};
use crate::{managed_identity, metadata, negotiate, pages, pipeline, policy, token};

/// Answers a request.
pub(crate) fn route(world: &mut World, call: &Call) -> Answer {
    let path: Vec<&str> = call.path.split('/').filter(|part| !part.is_empty()).collect();
    let (method, path) = (call.method.as_str(), path.as_slice());
    if let ["_emulator", path @ ..] = path {
        return control::answer(world, call, path);
    }
    if !call.https {
        return managed_identity::answer(world, call, path);
    }
    match (method, path) {
        ("GET", []) => pages::welcome(world),
        ("GET", ["error"]) => pages::error_code(call),
        ("GET", ["common", "discovery", "instance"]) => {
            let answer = discovery::instance(world, call);
            answer.unwrap_or_else(|error| error.answer(world, call))
        }
        ("GET", ["common", "userrealm", username]) => discovery::user_realm(world, call, username),
        ("GET" | "POST", ["devicelogin"] | [_, "oauth2", "deviceauth"]) => {
            device_page::answer(world, call)
        }
        ("GET", ["servicefabric", "token"]) => {
            managed_identity::service_fabric(world, call).unwrap_or_else(|refusal| refusal)
        }
        ("GET", ["pipeline", "github"]) => pipeline::github(world, call),
        ("POST", ["pipeline", "azure"]) => pipeline::azure(world, call),
        ("POST", [tenant, "winauth", "trust", "2005", "windowstransport"]) => {
            negotiate::autologon(world, call, tenant)
        }
        (_, ["adfs", "services", "trust", endpoint @ ..]) => {
            federation::answer(world, call, endpoint)
        }
        ("GET", ["metadata", "endpoints"]) => metadata::endpoints(world, call),
        (_, ["echo", ..]) => echo::answer(world, call),
        ("GET", ["tenants"] | ["subscriptions", ..]) => arm::answer(world, call, path),
        (_, [tenant, second, endpoint @ ..]) if policy::is_policy(second) => {
            entra(world, call, tenant, endpoint).unwrap_or_else(|error| error.answer(world, call))
        }
        (_, [tenant, endpoint @ ..]) => {
            entra(world, call, tenant, endpoint).unwrap_or_else(|error| error.answer(world, call))
        }
        _ => Answer::not_found(),
    }
}

/// The endpoints of one tenant.
fn entra(
    world: &mut World,
    call: &Call,
    tenant: &str,
    endpoint: &[&str],
) -> Result<Answer, EntraError> {
    let find = |world: &World| Authority::find(world, tenant);
    let v1 = !endpoint.contains(&"v2.0");
    match (call.method.as_str(), endpoint) {
        (
            "GET",
            ["v2.0", ".well-known", "openid-configuration"]
            | [".well-known", "openid-configuration"],
        ) => {
            let authority = find(world)?;
            Ok(discovery::openid_configuration(world, &authority, v1))
        }
        ("GET", ["discovery", "v2.0", "keys"] | ["discovery", "keys"]) => {
            let authority = find(world)?;
            Ok(discovery::keys(world, &authority))
        }
        (_, ["oauth2", "v2.0", name] | ["oauth2", name]) => {
            let authority = find(world)?;
            match (call.method.as_str(), *name) {
                ("POST", "token") => token::answer(world, call, authority, v1),
                ("GET" | "POST", "devicecode") => device::issue(world, call, authority, v1),
                ("GET" | "POST", "authorize") => Ok(authorize::answer(world, call, &authority, v1)),
                ("GET", "logout") => Ok(pages::signed_out(call)),
                _ => Ok(Answer::not_found()),
            }
        }
        _ => Ok(Answer::not_found()),
    }
}
