//! Tokens of the host's own identities: managed identities and the person of Azure Cloud Shell.

use super::{Identity, remedy};
use crate::entra::{HostIdentity, Scopes, TokenResponse, managed_identity_token};
use crate::error::{Error, Result};
use crate::settings::AssignedIdentity;
use crate::sys::System;

/// What az takes off the end of a scope to get the resource.
const SUFFIXES: [&str; 2] = ["/.default", "/user_impersonation"];

/// A token of `identity`, which the host serves, for the resource that `scopes` name.
pub(super) async fn token(
    system: &System,
    identity: &Identity,
    scopes: &Scopes,
) -> Result<TokenResponse> {
    let (host_identity, resource) = match identity {
        Identity::ManagedIdentity(assigned) => (of_host(assigned), resource(scopes)),
        Identity::CloudShell { .. } => (HostIdentity::CloudShell, origins(scopes)),
        Identity::User { .. } | Identity::ServicePrincipal { .. } | Identity::Environment(_) => {
            return Err(Error::failed("The host has no tokens of people and applications."));
        }
    };
    managed_identity_token(system, &resource, host_identity)
        .await
        .map_err(|error| remedy::for_host_identity(error, system.program))
}

fn of_host(assigned: &AssignedIdentity) -> HostIdentity<'_> {
    match assigned {
        AssignedIdentity::System => HostIdentity::System,
        AssignedIdentity::Client(id) => HostIdentity::Client(id),
        AssignedIdentity::Object(id) => HostIdentity::Object(id),
        AssignedIdentity::Resource(id) => HostIdentity::Resource(id),
    }
}

/// The resource of the first scope: these endpoints give out one at a time (az's rule).
fn resource(scopes: &Scopes) -> String {
    let scope = scopes.iter().next().unwrap_or_default();
    let resource = SUFFIXES.iter().find_map(|suffix| scope.strip_suffix(suffix));
    resource.unwrap_or(scope).to_owned()
}

/// Scheme and host of each scope, with a slash after it where the path begins with two (az's rule
/// for Cloud Shell).
fn origins(scopes: &Scopes) -> String {
    let origin = |scope: &str| {
        let Some((scheme, rest)) = scope.split_once("://") else { return scope.to_owned() };
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let slash = if path.starts_with('/') { "/" } else { "" };
        format!("{scheme}://{host}{slash}")
    };
    scopes.iter().map(origin).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_become_resources_as_in_az() {
        for (scope, of_identity, of_cloud_shell) in [
            ("https://arm.example//.default", "https://arm.example/", "https://arm.example/"),
            ("https://arm.example/.default", "https://arm.example", "https://arm.example"),
            (
                "https://arm.example/user_impersonation",
                "https://arm.example",
                "https://arm.example",
            ),
            ("https://arm.example/Read", "https://arm.example/Read", "https://arm.example"),
            ("api-guid/.default", "api-guid", "api-guid/.default"),
        ] {
            let scopes = Scopes::new([scope]).unwrap();
            assert_eq!(resource(&scopes), of_identity);
            assert_eq!(origins(&scopes), of_cloud_shell);
        }
    }
}
