//! Selects the proxy for a request, or none, with the reason.

mod address;
mod exceptions;

use std::fmt;

use super::endpoint_url::EndpointUrl;
use super::env::Env;
use crate::error::Result;
pub(super) use address::Proxy;

/// The route of a request, by the rules of az (Python's requests) and curl. Messages show it after
/// "is asked": `directly (no proxy is set)`, `through HTTPS_PROXY=http://…@host:port`.
pub(crate) enum Way {
    /// Without a proxy, because the host is this machine or on its link. Holds the reason.
    Local(&'static str),
    /// Without a proxy. Holds the reason.
    Direct(String),
    /// Through this proxy.
    Through(Box<Proxy>),
}

impl Way {
    /// Selects the route to `url`.
    ///
    /// # Errors
    /// The variable's value is not a usable proxy. Nothing is sent then, because a direct request
    /// would bypass the configured proxy.
    pub(crate) fn to(url: &EndpointUrl, env: &Env) -> Result<Self> {
        if url.is_host_endpoint() {
            return Ok(Self::Local("it is this host's own endpoint"));
        }
        if !url.is_encrypted() {
            return Ok(Self::Local("it does not use TLS, and a proxy could read the request"));
        }
        let Some((variable, value)) = from_variables(env).or_else(|| from_system(url)) else {
            let is_off = env.get("https_proxy").is_some_and(|value| value.is_empty());
            let why = if is_off { "https_proxy is empty" } else { "no proxy is set" };
            return Ok(Self::Direct(why.to_owned()));
        };
        match exceptions::exception_for(url, env) {
            Some(exception) => Ok(Self::Direct(exception)),
            None => Ok(Self::Through(Box::new(Proxy::parse(&variable, &value)?))),
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(why) => write!(f, "directly ({why})"),
            Self::Direct(why) => write!(f, "directly ({why})"),
            Self::Through(proxy) => write!(f, "through {proxy}"),
        }
    }
}

/// Returns the variable that names the proxy for https, and its value.
fn from_variables(env: &Env) -> Option<(String, String)> {
    ["https_proxy", "all_proxy"].into_iter().find_map(|name| {
        let spellings = env.spellings(name);
        // An empty lower-case variable disables the other spellings, as in Python.
        let is_off = spellings.first().is_some_and(|(it, value)| it == name && value.is_empty());
        spellings.into_iter().find(|(_, value)| !is_off && !value.is_empty())
    })
}

/// Returns the proxy in the system's settings.
#[cfg(any(windows, target_os = "macos"))]
fn from_system(url: &EndpointUrl) -> Option<(String, String)> {
    let matcher = hyper_util::client::proxy::matcher::Matcher::from_system();
    let proxy = matcher.intercept(&url.as_str().parse().ok()?)?;
    Some(("The system's proxy".to_owned(), proxy.uri().to_string()))
}

/// Other systems have no such settings; their desktops set the variables.
#[cfg(not(any(windows, target_os = "macos")))]
fn from_system(_: &EndpointUrl) -> Option<(String, String)> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(vars: &[(&str, &str)], url: &str) -> String {
        let url = EndpointUrl::parse(url, "").unwrap();
        match Way::to(&url, &Env::fixed(vars.iter().copied())) {
            Ok(way) => way.to_string(),
            Err(error) => error.message().to_owned(),
        }
    }

    #[test]
    fn variables_have_the_precedence_of_az() {
        let (a, b) = ("http://a:1", "http://b:2");
        for (vars, expected) in [
            (&[][..], "directly (no proxy is set)"),
            (&[("HTTPS_PROXY", a)], "through HTTPS_PROXY=http://a:1"),
            (&[("HTTPS_PROXY", a), ("https_proxy", b)], "through https_proxy=http://b:2"),
            (&[("Https_Proxy", a), ("HTTPS_PROXY", b)], "through HTTPS_PROXY=http://b:2"),
            (&[("Https_Proxy", a)], "through Https_Proxy=http://a:1"),
            (&[("ALL_PROXY", a), ("https_proxy", b)], "through https_proxy=http://b:2"),
            (&[("ALL_PROXY", a), ("HTTPS_PROXY", "")], "through ALL_PROXY=http://a:1"),
            (&[("ALL_PROXY", a), ("all_proxy", b)], "through all_proxy=http://b:2"),
            (&[("HTTPS_PROXY", a), ("https_proxy", "")], "directly (https_proxy is empty)"),
            (&[("all_proxy", a), ("https_proxy", "")], "through all_proxy=http://a:1"),
            (&[("HTTP_PROXY", a), ("http_proxy", b)], "directly (no proxy is set)"),
            (&[("HTTPS_PROXY", a), ("REQUEST_METHOD", "GET")], "through HTTPS_PROXY=http://a:1"),
            (
                &[("HTTPS_PROXY", a), ("NO_PROXY", "login.example")],
                "directly (NO_PROXY has login.example)",
            ),
            (&[("HTTPS_PROXY", "::::"), ("NO_PROXY", "*")], "directly (NO_PROXY has *)"),
            (&[("NO_PROXY", "*")], "directly (no proxy is set)"),
        ] {
            assert_eq!(way(vars, "https://login.example"), expected, "{vars:?}");
        }
    }

    #[test]
    fn this_host_is_reached_without_a_proxy() {
        let vars = [("HTTPS_PROXY", "::::"), ("HTTP_PROXY", "::::"), ("ALL_PROXY", "::::")];
        assert!(way(&vars, "http://localhost:1").starts_with("directly (it does not use TLS"));
        let url = EndpointUrl::parse_host_endpoint("https://localhost:1", "").unwrap();
        let way = Way::to(&url, &Env::fixed(vars)).unwrap();
        assert_eq!(way.to_string(), "directly (it is this host's own endpoint)");
    }
}
