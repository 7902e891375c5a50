//! Tokens of the host's own identities: managed identities and the user of Azure Cloud Shell.

use super::{Identity, remedy};
use crate::entra::{HostIdentity, Scopes, TokenResponse, managed_identity_token};
use crate::error::{Error, Result};
use crate::settings::AssignedIdentity;
use crate::sys::System;

/// The suffixes that az removes from a scope to get the resource.
const SUFFIXES: [&str; 2] = ["/.default", "/user_impersonation"];

/// The resources that Cloud Shell takes with their path (MSAL's list).
const CLOUD_SHELL_AUDIENCES: [&str; 2] = [
    "https://analysis.windows.net/powerbi/api",
    "https://pas.windows.net/CheckMyAccess/Linux/.default",
];

/// A token from the host for `identity` and the resource in `scopes`.
pub(super) async fn token(
    system: &System,
    identity: &Identity,
    scopes: &Scopes,
) -> Result<TokenResponse> {
    let (host_identity, resource) = match identity {
        Identity::ManagedIdentity(assigned) => (of_host(assigned), resource(scopes)),
        Identity::CloudShell { .. } => (HostIdentity::CloudShell, cloud_shell_resources(scopes)),
        Identity::User { .. }
        | Identity::ServicePrincipal { .. }
        | Identity::Environment(_)
        | Identity::Client(_) => {
            return Err(Error::failed("The host has no tokens for users and applications."));
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

/// The resource of the first scope: these endpoints take one resource per request, as in az.
fn resource(scopes: &Scopes) -> String {
    let scope = scopes.iter().next().unwrap_or_default();
    let resource = SUFFIXES.iter().find_map(|suffix| scope.strip_suffix(suffix));
    resource.unwrap_or(scope).to_owned()
}

/// The resources of all scopes, as MSAL derives them for Cloud Shell (`cloudshell.py`).
fn cloud_shell_resources(scopes: &Scopes) -> String {
    scopes.iter().map(cloud_shell_resource).collect::<Vec<_>>().join(" ")
}

/// MSAL's `_scope_to_resource`: scheme and host, plus a slash if the path begins with two. A scope
/// without both (`<GUID>/…`) gives the part before its first slash.
fn cloud_shell_resource(scope: &str) -> String {
    let known = CLOUD_SHELL_AUDIENCES.iter().find(|known| scope.starts_with(**known));
    if let Some(known) = known {
        return (*known).to_owned();
    }
    let is_scheme = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    let (scheme, rest) = match scope.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) {
        Some((scheme, rest)) => (Some(scheme.to_lowercase()), rest),
        None => (None, scope),
    };
    let after = rest.strip_prefix("//");
    let (host, path) = match after.map(|after| (after, after.find(['/', '?', '#']))) {
        Some((after, end)) => after.split_at(end.unwrap_or(after.len())),
        None => ("", rest),
    };
    match scheme {
        Some(scheme) => {
            format!("{scheme}://{host}{}", if path.starts_with("//") { "/" } else { "" })
        }
        None if host.is_empty() => {
            path.split(['/', '?', '#']).next().unwrap_or_default().to_owned()
        }
        None => scope.to_owned(),
    }
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
            ("api-guid/.default", "api-guid", "api-guid"),
        ] {
            let scopes = Scopes::new([scope]).unwrap();
            assert_eq!(resource(&scopes), of_identity);
            assert_eq!(cloud_shell_resources(&scopes), of_cloud_shell);
        }
    }

    /// The expected values are the results of `_scope_to_resource` in MSAL 1.39.0.
    #[test]
    fn cloud_shell_resources_match_msal() {
        for (scope, resource) in [
            (
                "https://analysis.windows.net/powerbi/api/.default",
                "https://analysis.windows.net/powerbi/api",
            ),
            (
                "https://pas.windows.net/CheckMyAccess/Linux/.default",
                "https://pas.windows.net/CheckMyAccess/Linux/.default",
            ),
            ("https://pas.windows.net/Other/.default", "https://pas.windows.net"),
            (
                "00000003-0000-0000-c000-000000000000/User.Read",
                "00000003-0000-0000-c000-000000000000",
            ),
            ("00000003-0000-0000-c000-000000000000", "00000003-0000-0000-c000-000000000000"),
            ("api://c0ffee/Read", "api://c0ffee"),
            ("api://c0ffee", "api://c0ffee"),
            ("HTTPS://Graph.Example//.default", "https://Graph.Example/"),
            ("https://arm.example?x//y", "https://arm.example"),
            ("spn:c0ffee/.default", "spn://"),
            ("//host.example/Read", "//host.example/Read"),
            ("1x:y/z", "1x:y"),
            ("https://arm.example///.default", "https://arm.example/"),
            ("/a/b", ""),
            ("guid?x/y", "guid"),
            ("https://arm.example#//", "https://arm.example"),
        ] {
            assert_eq!(cloud_shell_resource(scope), resource, "{scope}");
        }
    }
}
