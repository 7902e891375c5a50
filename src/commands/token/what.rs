//! What a token is for: a short name, the URL or host of a service, a resource, or a scope.

use crate::accounts::Context;
use crate::cli::Token;
use crate::entra::Scopes;
use crate::error::{Error, Kind, Result};
use crate::foreign::{Guid, Typed};
use crate::hosts::{Destination, Service};
use crate::near::nearest;
use crate::shell;
use crate::sys::EndpointUrl;

/// The scopes that `request` names as WHAT; `None` if it names none.
pub(super) fn scopes(request: &Token, context: &Context<'_>) -> Result<Option<Scopes>> {
    let Some(what) = &request.what else { return Ok(None) };
    let options = &request.request;
    if options.resource.is_some() || options.resource_type.is_some() || options.scope.is_some() {
        return Err(Error::new(
            Kind::Usage,
            format!("'{}' or --resource, --scope, --resource-type: give only one.", Typed(what)),
        ));
    }
    of(what.trim(), context).map(Some)
}

/// The scopes of `what`.
pub(in crate::commands) fn of(what: &str, context: &Context<'_>) -> Result<Scopes> {
    let cloud = context.cloud();
    if let Some(service) = Service::named(what) {
        return Ok(Scopes::of_resource(&service.audience(cloud, None)?));
    }
    let lower = what.to_ascii_lowercase();
    if lower.starts_with("http://") {
        return Err(unencrypted(what));
    }
    let is_url = lower.starts_with("https://");
    if is_scope(what) {
        let resource = what.rsplit_once('/').map_or(what, |(resource, _)| resource);
        if is_url && !is_known(resource, context)? {
            return Err(unknown_host(resource, "--scope", what));
        }
        return Scopes::new([what]);
    }
    if is_url {
        return of_url(what, context);
    }
    // A resource: an application id, or an application's own URI.
    if Guid::parse(what).is_some() || lower.starts_with("api://") || lower.starts_with("urn:") {
        return Ok(Scopes::of_resource(what));
    }
    let url = EndpointUrl::parse(&format!("https://{what}"), "");
    if let Ok(url) = url
        && let Some(destination) = destination(&url, context)?
    {
        return Ok(Scopes::of_resource(&destination.audience));
    }
    Err(unknown(what))
}

/// A URL is that of a service, by its host, or the name of a service's resource. Another one may be
/// a look-alike, or an application's own name, which only an option says.
fn of_url(what: &str, context: &Context<'_>) -> Result<Scopes> {
    let cloud = context.cloud();
    // Without query and fragment, which often hold secrets, and say nothing about the service.
    let bare = without_query(what);
    let Ok(url) = EndpointUrl::parse(bare, "") else {
        return Err(unknown(bare).remedy("It is no plain URL: name the resource with --resource."));
    };
    match destination(&url, context)? {
        Some(Destination { audience, .. }) => {
            // The audience itself is taken as it is written: a slash at its end is part of it.
            let is_it =
                bare.trim_end_matches('/').eq_ignore_ascii_case(audience.trim_end_matches('/'));
            Ok(Scopes::of_resource(if is_it { bare } else { &audience }))
        }
        None if Service::has_audience_at(cloud, &url) => Ok(Scopes::of_resource(bare)),
        None => Err(unknown_host(bare, "--resource", bare)),
    }
}

/// True if `url` leads to a service that azt knows, or is the name of its resource.
fn is_known(url: &str, context: &Context<'_>) -> Result<bool> {
    let Ok(url) = EndpointUrl::parse(url, "") else { return Ok(false) };
    Ok(destination(&url, context)?.is_some() || Service::has_audience_at(context.cloud(), &url))
}

fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

fn unencrypted(what: &str) -> Error {
    let bare = without_query(what);
    let text = format!("A token must not be sent to {} without encryption.", Typed(host(bare)));
    let error = Error::new(Kind::Refused, text).remedy("Use https.");
    // A user name and a password are not shown.
    if bare.contains('@') { error } else { named_by(error, "--resource", bare) }
}

/// The error for a URL that nothing in the table knows. `option` and `value` name it all the same.
fn unknown_host(url: &str, option: &str, value: &str) -> Error {
    let text = format!("{} is no host of a service that azt knows.", Typed(host(url)));
    named_by(Error::new(Kind::Inapplicable, text), option, value)
}

fn host(url: &str) -> &str {
    let authority = url.split('/').nth(2).unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

fn named_by(error: Error, option: &str, value: &str) -> Error {
    error.remedy(match shell::shown(value) {
        Some(value) => format!("If it is the name of a resource: azt token {option} {value}"),
        None => format!("If it is the name of a resource, give it with {option}."),
    })
}

fn destination(url: &EndpointUrl, context: &Context<'_>) -> Result<Option<Destination>> {
    Destination::of(url, context.cloud(), &context.config)
}

/// True for a scope: all permissions of a resource, or one (`User.Read`) of a resource with an
/// address. Anything else in a path may be a page of the service.
fn is_scope(what: &str) -> bool {
    let Some((resource, permission)) = what.rsplit_once('/') else { return false };
    let is_address = |text: &str| {
        text.split_once("://").is_some_and(|(_, rest)| !rest.is_empty() && !rest.contains('/'))
    };
    let is_word = |text: &str| text.starts_with(|c: char| c.is_ascii_uppercase());
    let is_permission = permission == "user_impersonation"
        || (permission.contains('.') && permission.split('.').all(is_word));
    !resource.is_empty() && (permission == ".default" || (is_permission && is_address(resource)))
}

fn unknown(what: &str) -> Error {
    let error = Error::new(Kind::Usage, format!("azt knows no service '{}'.", Typed(what)));
    let error = match nearest(what, Service::names()) {
        Some(name) => error.remedy(format!("Did you mean {name}?")),
        None => error.remedy(
            "Services are arm, graph, vault, storage, sql, postgres, devops, …: see 'azt token --help'.",
        ),
    };
    error.remedy("Any resource: azt token --resource RESOURCE")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_told_from_pages_of_a_service() {
        for (what, expected) in [
            ("https://graph.microsoft.com/.default", true),
            ("https://graph.microsoft.com//.default", true),
            ("499b84ac-1321-427f-aa17-267ca6975798/.default", true),
            ("api://app/.default", true),
            ("https://graph.microsoft.com/User.Read", true),
            ("https://graph.microsoft.com/Mail.Read.Shared", true),
            ("https://management.azure.com/user_impersonation", true),
            ("https://graph.microsoft.com/v1.0", false),
            ("https://graph.microsoft.com/v1.0/me", false),
            ("https://a.blob.core.windows.net/c/File.Txt", false),
            ("https://a.vault.azure.net/secrets/x", false),
            ("https://graph.microsoft.com/", false),
            ("/.default", false),
            ("User.Read", false),
            ("", false),
        ] {
            assert_eq!(is_scope(what), expected, "{what}");
        }
    }
}
