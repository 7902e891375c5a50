//! Errors about a service that cannot be reached, with remedies.

use std::time::Duration;

use super::os_error::limit_remedy;
use super::proxy::{Proxy, Way};
use crate::error::{Error, Kind};

pub(super) fn no_tls(error: reqwest::Error) -> Error {
    Error::new(Kind::Network, format!("Cannot set up TLS: {}.", root_cause(&error))).source(error)
}

/// Returns the innermost cause. The outer ones only repeat "error sending request" and the URL.
fn root_cause(error: &reqwest::Error) -> &(dyn std::error::Error + 'static) {
    let mut cause: &(dyn std::error::Error + 'static) = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause
}

/// Returns the remedy if this machine refused the connection.
fn local_remedy(error: &reqwest::Error) -> Option<&'static str> {
    let cause = root_cause(error).downcast_ref::<std::io::Error>()?;
    if cause.kind() == std::io::ErrorKind::PermissionDenied {
        return Some("A firewall or a sandbox on this machine forbids the connection.");
    }
    limit_remedy(cause)
}

/// The error for `host`, which was not reached on `way`.
pub(super) fn unreachable_host(host: &str, error: &reqwest::Error, way: &Way) -> Error {
    let proxy = match way {
        Way::Through(proxy) if error.is_connect() => Some(proxy),
        _ => None,
    };
    let mut cause = root_cause(error).to_string();
    if cause.contains("close_notify") {
        "it was closed before the answer was complete".clone_into(&mut cause);
    }
    if error.is_builder() {
        return Error::new(Kind::Network, format!("Not a usable address: {cause}."));
    }
    if cause.contains("ApplicationVerificationFailure") {
        return Error::new(
            Kind::Network,
            format!(
                "{host} does not have the certificate that this host's variables name; nothing was sent."
            ),
        );
    }
    let what = if error.is_timeout() {
        format!("{host} did not answer in time")
    } else if error.is_connect() {
        format!("Cannot connect to {host}: {cause}")
    } else {
        format!("The connection to {host} broke: {cause}")
    };
    let remedy = match (local_remedy(error), proxy) {
        (Some(remedy), _) => remedy.to_owned(),
        (None, Some(proxy)) => remedy_of_proxy(proxy, &cause),
        (None, None) => {
            "Check the network, and HTTPS_PROXY if you are behind a proxy, then try again."
                .to_owned()
        }
    };
    let unreachable = Error::new(Kind::Network, format!("{what}.")).remedy(remedy);
    if error.is_timeout() || error.is_connect() {
        unreachable
    } else {
        // The server may have restarted, or the connection was cut.
        unreachable.worth_another_try(Duration::ZERO)
    }
}

/// Returns the remedy for a connection that failed at `proxy` with this `cause`.
fn remedy_of_proxy(proxy: &Proxy, cause: &str) -> String {
    let wants_user = ["proxy authorization required", "user/pass authentication", "credentials"];
    let variable = proxy.variable();
    if cause.ends_with("tunnel error: unsuccessful") {
        return format!(
            "The proxy refused the connection: {proxy}. It may want another user name and password, or not allow this host."
        );
    }
    if wants_user.iter().any(|words| cause.contains(words)) {
        return if proxy.has_user() {
            format!(
                "The proxy does not accept this user name and password: {proxy}. Write special characters in them as %XX (@ as %40)."
            )
        } else {
            format!(
                "The proxy wants a user name and a password: set {variable} to http://user:password@host:port."
            )
        };
    }
    let no_tls = ["corrupt message", "handshake eof"];
    if proxy.is_encrypted() && no_tls.iter().any(|words| cause.contains(words)) {
        return format!("The proxy does not speak TLS: write http:// in {variable}, not https://.");
    }
    format!("Check that the proxy is right: {proxy}. NO_PROXY lists hosts to reach without it.")
}
