//! Which way a request goes: through which proxy, or past it, and why.

mod address;
mod exceptions;

use std::fmt;

use super::endpoint_url::EndpointUrl;
use super::env::Env;
use crate::error::Result;
pub(super) use address::Proxy;

/// The way of a request, by the rules of az (Python, requests) and curl. It is shown behind "is
/// asked": `directly (no proxy is set)`, `through HTTPS_PROXY=http://…@host:port`.
pub(crate) enum Way {
    /// To this machine or its link, which no proxy leads to; why.
    OfHost(&'static str),
    /// Past any proxy; why.
    Direct(String),
    /// Through this one.
    Through(Box<Proxy>),
}

impl Way {
    /// The way to `url`.
    ///
    /// # Errors
    /// The variable that decides names no usable proxy: then nothing is sent anywhere.
    pub(crate) fn to(url: &EndpointUrl, env: &Env) -> Result<Self> {
        if url.is_of_host() {
            return Ok(Self::OfHost("it is this host's own endpoint"));
        }
        if !url.is_encrypted() {
            return Ok(Self::OfHost("it is asked without TLS, and a proxy could read that"));
        }
        let Some((variable, value)) = of_variables(env).or_else(|| of_system(url)) else {
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
            Self::OfHost(why) => write!(f, "directly ({why})"),
            Self::Direct(why) => write!(f, "directly ({why})"),
            Self::Through(proxy) => write!(f, "through {proxy}"),
        }
    }
}

/// The variable that names the proxy for TLS, and its value.
fn of_variables(env: &Env) -> Option<(String, String)> {
    ["https_proxy", "all_proxy"].into_iter().find_map(|name| {
        let spellings = env.spellings(name);
        // An empty one in lower case takes back the others, as in Python.
        let is_off = spellings.first().is_some_and(|(it, value)| it == name && value.is_empty());
        spellings.into_iter().find(|(_, value)| !is_off && !value.is_empty())
    })
}

/// The proxy in the system's settings.
#[cfg(any(windows, target_os = "macos"))]
fn of_system(url: &EndpointUrl) -> Option<(String, String)> {
    let matcher = hyper_util::client::proxy::matcher::Matcher::from_system();
    let proxy = matcher.intercept(&url.as_str().parse().ok()?)?;
    Some(("The system's proxy".to_owned(), proxy.uri().to_string()))
}

/// Such settings are the desktops' alone, which put them into variables.
#[cfg(not(any(windows, target_os = "macos")))]
fn of_system(_: &EndpointUrl) -> Option<(String, String)> {
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
    fn the_variable_that_az_takes_is_taken() {
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
    fn this_host_is_asked_without_a_proxy() {
        let vars = [("HTTPS_PROXY", "::::"), ("HTTP_PROXY", "::::"), ("ALL_PROXY", "::::")];
        assert!(way(&vars, "http://localhost:1").starts_with("directly (it is asked without TLS"));
        let url = EndpointUrl::parse_host_endpoint("https://localhost:1", "").unwrap();
        let way = Way::to(&url, &Env::fixed(vars)).unwrap();
        assert_eq!(way.to_string(), "directly (it is this host's own endpoint)");
    }
}
