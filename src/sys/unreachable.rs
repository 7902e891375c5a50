//! Why a service was not reached, and what to do about it.

use std::time::Duration;

use hyper_util::client::proxy::matcher::Matcher;

use super::env::Env;
use super::os_error::limit_remedy;
use crate::error::{Error, Kind};

pub(super) fn no_tls(error: reqwest::Error) -> Error {
    Error::new(Kind::Network, format!("Cannot set up TLS: {}.", root_cause(&error))).source(error)
}

/// The innermost cause: the outer ones only repeat "error sending request" and the URL.
fn root_cause(error: &reqwest::Error) -> &(dyn std::error::Error + 'static) {
    let mut cause: &(dyn std::error::Error + 'static) = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause
}

/// What to do when it is this machine that refuses the connection.
fn local_remedy(error: &reqwest::Error) -> Option<&'static str> {
    let cause = root_cause(error).downcast_ref::<std::io::Error>()?;
    if cause.kind() == std::io::ErrorKind::PermissionDenied {
        return Some("A firewall or a sandbox of this machine forbids the connection.");
    }
    limit_remedy(cause)
}

/// `proxy` is what the request would have gone through.
pub(super) fn unreachable_host(host: &str, error: &reqwest::Error, proxy: Option<String>) -> Error {
    let mut cause = root_cause(error).to_string();
    if cause.contains("close_notify") {
        "it was closed before the answer had ended".clone_into(&mut cause);
    }
    if error.is_builder() {
        return Error::new(Kind::Network, format!("Not a usable address: {cause}."));
    }
    if cause.contains("ApplicationVerificationFailure") {
        return Error::new(
            Kind::Network,
            format!(
                "{host} has another certificate than the one that this host's variables name; nothing was sent."
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
    let remedy = match (local_remedy(error), proxy.filter(|_| error.is_connect())) {
        (Some(remedy), _) => remedy.to_owned(),
        (None, Some(proxy)) => format!(
            "Check that the proxy is right, {proxy}; NO_PROXY names hosts to reach without it."
        ),
        (None, None) => {
            "Check the network, and HTTPS_PROXY if you are behind a proxy, then try again."
                .to_owned()
        }
    };
    let unreachable = Error::new(Kind::Network, format!("{what}.")).remedy(remedy);
    if error.is_timeout() || error.is_connect() {
        unreachable
    } else {
        // A server that restarts, a connection that was cut on the way.
        unreachable.worth_another_try(Duration::ZERO)
    }
}

/// The address of a proxy without its user name and password: `http://…@host:port`.
pub fn without_password(address: &str) -> String {
    let Some((user, host)) = address.rsplit_once('@') else { return address.to_owned() };
    let scheme = user.split_once("://").map_or("", |(scheme, _)| scheme);
    if scheme.is_empty() { format!("…@{host}") } else { format!("{scheme}://…@{host}") }
}

/// The proxy that a request to `url` goes through, as reqwest finds it: the variable that names it,
/// `HTTPS_PROXY=http://host:port`, without a password, else the address that the system has.
pub(super) fn proxy_to(env: &Env, url: &reqwest::Url) -> Option<String> {
    let proxy = Matcher::from_system().intercept(&url.as_str().parse().ok()?)?;
    let variables = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let named = variables.into_iter().find_map(|name| {
        let value = env.non_empty(name)?;
        Some(format!("{name}={}", without_password(&value)))
    });
    Some(named.unwrap_or_else(|| proxy.uri().to_string()))
}
