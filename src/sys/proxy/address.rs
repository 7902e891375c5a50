//! Parses the address of a proxy from an environment variable.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use reqwest::Url;
use reqwest::header::HeaderValue;
use zeroize::Zeroizing;

use crate::error::{Error, Kind, Result};
use crate::foreign::{is_line_end, visible};
use crate::secret::Secret;

/// The supported schemes, each with its default port.
const SCHEMES: [(&str, u16); 6] = [
    ("http", 80),
    ("https", 443),
    ("socks5", SOCKS_PORT),
    ("socks5h", SOCKS_PORT),
    ("socks4", SOCKS_PORT),
    ("socks4a", SOCKS_PORT),
];
const SOCKS_PORT: u16 = 1080;

/// Most bytes of user name and password together that SOCKS 5 allows (RFC 1929).
const SOCKS_LIMIT: usize = 255;

/// A proxy with the variable that names it. Displayed as `HTTPS_PROXY=http://…@host:port`.
pub(crate) struct Proxy {
    variable: String,
    scheme: &'static str,
    host: String,
    port: u16,
    user: Option<User>,
}

/// Decoded credentials, as bytes because a password may be in any encoding.
struct User {
    name: Zeroizing<Vec<u8>>,
    password: Zeroizing<Vec<u8>>,
}

impl Proxy {
    /// Parses the value of `variable`: `scheme://user:password@host:port`. Only the host is
    /// required.
    ///
    /// User name and password end at the last `@`, as in curl and az. They may contain any
    /// character except `/`, `?` and `#`, which begin another part of a URL; `%XX` is a byte.
    ///
    /// # Errors
    /// `value` is not such an address. The message names the variable but shows nothing of the
    /// value, which may contain a password.
    pub(super) fn parse(variable: &str, value: &str) -> Result<Self> {
        Self::read(variable, value.trim()).map_err(|why| {
            Error::new(Kind::Network, format!("{variable} {why}; nothing was sent."))
                .remedy("Write the proxy as http://host:port or http://user:password@host:port, with / ? # % and @ in the password as %2F %3F %23 %25 %40. NO_PROXY lists hosts to reach without it.")
        })
    }

    fn read(variable: &str, value: &str) -> Result<Self, &'static str> {
        if value.is_empty() {
            return Err("contains only white space");
        }
        if value.starts_with(is_quote) || value.ends_with(is_quote) {
            return Err("is in quotes, which do not belong to the value");
        }
        if value.contains(is_line_end) || value.contains('\t') {
            return Err("contains a line break or a tab");
        }
        if value.contains(char::REPLACEMENT_CHARACTER) {
            return Err("contains bytes that are not UTF-8");
        }
        if !visible(value).eq(value.chars()) {
            return Err("contains an invisible character");
        }
        let (scheme, rest) = match value.split_once("://") {
            Some((scheme, rest)) if scheme.bytes().all(is_scheme_byte) => (Some(scheme), rest),
            _ => (None, value),
        };
        let (scheme, usual_port) = match scheme {
            None => ("http", 80),
            Some(scheme) if scheme.eq_ignore_ascii_case("socks") => {
                return Err(
                    "does not say which SOCKS version it means: write it as socks5h://host:port",
                );
            }
            Some(scheme) => SCHEMES
                .into_iter()
                .find(|(known, _)| scheme.eq_ignore_ascii_case(known))
                .ok_or("begins with a scheme that is not one of a proxy")?,
        };
        let (user_info, address) = match rest.rsplit_once('@') {
            Some((user_info, address)) => (Some(user_info), address),
            None => (None, rest),
        };
        if user_info.is_some_and(|it| it.contains(['/', '?', '#'])) {
            return Err("has a / ? or # before its last @");
        }
        let authority = address.split(['/', '?', '#']).next().unwrap_or_default();
        let (host, port) = split_port(authority);
        let port = match port {
            // Such as a scheme without slashes.
            Some("") if !value.contains("://") => return Err("has no port after its colon"),
            None | Some("") => usual_port,
            Some(port) => port
                .parse()
                .ok()
                .filter(|number| *number > 0 && port.bytes().all(|byte| byte.is_ascii_digit()))
                .ok_or("has a port that is not a number from 1 to 65535")?,
        };
        let user = user_info.and_then(User::parse);
        if let Some(user) = &user
            && scheme.starts_with("socks")
        {
            user.fits_socks(scheme)?;
        }
        Ok(Self { variable: variable.to_owned(), scheme, host: usable_host(host)?, port, user })
    }

    /// True if the connection to the proxy itself uses TLS.
    pub(in crate::sys) fn is_encrypted(&self) -> bool {
        self.scheme == "https"
    }

    /// True if the address has a user name or a password.
    pub(in crate::sys) fn has_user(&self) -> bool {
        self.user.is_some()
    }

    /// Returns the variable that names the proxy.
    pub(in crate::sys) fn variable(&self) -> &str {
        &self.variable
    }

    /// Makes the proxy setting of the HTTP client.
    ///
    /// # Errors
    /// The client would not accept the address.
    pub(in crate::sys) fn for_client(&self) -> Result<reqwest::Proxy> {
        let user = match &self.user {
            Some(user) if self.scheme.starts_with("socks") => user.in_url(),
            _ => Secret::new(""),
        };
        let url =
            Secret::new(format!("{}://{}{}:{}", self.scheme, user.expose(), self.host, self.port));
        let unusable =
            || Error::new(Kind::Network, format!("{} names no usable proxy.", self.variable));
        // The client silently bypasses a proxy whose address does not parse as a `hyper::Uri`.
        url.expose().parse::<hyper::Uri>().map_err(|_| unusable())?;
        let proxy = reqwest::Proxy::all(url.expose()).map_err(|_| unusable())?;
        match &self.user {
            Some(user) if !self.scheme.starts_with("socks") => {
                Ok(proxy.custom_http_auth(user.basic().ok_or_else(unusable)?))
            }
            _ => Ok(proxy),
        }
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, scheme, host, port, user } = self;
        let user = if user.is_some() { "…@" } else { "" };
        write!(f, "{variable}={scheme}://{user}{host}:{port}")
    }
}

impl User {
    /// Returns `None` if both parts are empty.
    fn parse(user_info: &str) -> Option<Self> {
        let (name, password) = user_info.split_once(':').unwrap_or((user_info, ""));
        let decoded = |text: &str| {
            let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
            bytes.extend(percent_decode_str(text));
            bytes
        };
        let user = Self { name: decoded(name), password: decoded(password) };
        (!user_info.is_empty() && user_info != ":").then_some(user)
    }

    fn fits_socks(&self, scheme: &str) -> Result<(), &'static str> {
        if !scheme.starts_with("socks5") {
            return Err("has a user name, which only SOCKS 5 takes (socks5://, socks5h://)");
        }
        if self.name.len() + self.password.len() > SOCKS_LIMIT {
            return Err("has a user name and a password that are too long for SOCKS");
        }
        if [&self.name, &self.password].iter().any(|it| std::str::from_utf8(it).is_err()) {
            return Err(
                "has a user name or a password that is not UTF-8, which SOCKS does not support",
            );
        }
        Ok(())
    }

    /// Returns `name:password@` with all but ASCII letters and digits as `%XX`.
    fn in_url(&self) -> Secret {
        let text = |bytes: &[u8]| Zeroizing::new(String::from_utf8_lossy(bytes).into_owned());
        let (name, password) = (text(&self.name), text(&self.password));
        let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        Secret::new(format!("{}:{}@", encoded(&name), encoded(&password)))
    }

    /// Returns the value of `Proxy-Authorization` (RFC 7617).
    fn basic(&self) -> Option<HeaderValue> {
        let both = Zeroizing::new([&self.name[..], b":", &self.password[..]].concat());
        let text =
            Zeroizing::new(format!("Basic {}", Zeroizing::new(STANDARD.encode(&*both)).as_str()));
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`' | '\u{2018}'..='\u{201f}' | '\u{ab}' | '\u{bb}')
}

fn is_scheme_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)
}

/// Splits at the last colon. Colons within brackets belong to an IPv6 address.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

/// Normalises the host. Accepts only hosts that all URL parsers read the same way.
fn usable_host(host: &str) -> Result<String, &'static str> {
    let is_plain = |c: char| c.is_alphanumeric() || "-._".contains(c);
    let is_address = |host: &str| host.chars().all(|c| c.is_ascii_hexdigit() || ":.".contains(c));
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    if host.is_empty() {
        return Err("names no host");
    }
    if !inner.map_or_else(|| host.chars().all(is_plain), is_address) {
        return Err("has a character in its host that is not allowed there");
    }
    let url = Url::parse(&format!("http://{host}")).map_err(|_| "names no usable host")?;
    url.host_str().map(str::to_owned).ok_or("names no host")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the address that is parsed from `value`, and the credentials as they are sent.
    fn read(value: &str) -> Result<(String, String), String> {
        let proxy = Proxy::parse("P", value).map_err(|error| error.message().to_owned())?;
        proxy.for_client().map_err(|error| error.message().to_owned())?;
        let user = proxy.user.as_ref().map_or_else(String::new, |user| {
            [&user.name[..], b" ", &user.password[..]].concat().escape_ascii().to_string()
        });
        let shown = proxy.to_string();
        assert!(user.is_empty() || shown.contains("://…@"), "{shown}");
        Ok((shown.trim_start_matches("P=").replace("…@", ""), user))
    }

    #[test]
    fn addresses_of_curl_and_az_are_accepted() {
        for (value, address, user) in [
            ("http://proxy:3128", "http://proxy:3128", ""),
            ("http://proxy:3128/", "http://proxy:3128", ""),
            ("http://proxy:3128/path?query", "http://proxy:3128", ""),
            ("proxy:3128", "http://proxy:3128", ""),
            ("proxy", "http://proxy:80", ""),
            ("https://proxy", "https://proxy:443", ""),
            ("https://proxy:80", "https://proxy:80", ""),
            ("HTTP://Proxy.Example:3128", "http://proxy.example:3128", ""),
            ("http://proxy:", "http://proxy:80", ""),
            (" http://proxy:3128\t", "http://proxy:3128", ""),
            ("http://proxy:3128\n", "http://proxy:3128", ""),
            ("http://proxy:3128\r\n", "http://proxy:3128", ""),
            ("\u{a0}http://proxy:3128", "http://proxy:3128", ""),
            ("http://10.0.0.1:3128", "http://10.0.0.1:3128", ""),
            ("http://[2001:db8::1]:3128", "http://[2001:db8::1]:3128", ""),
            ("[::1]", "http://[::1]:80", ""),
            ("http://my_proxy.example:1", "http://my_proxy.example:1", ""),
            ("http://bücher.example:1", "http://xn--bcher-kva.example:1", ""),
            ("socks5://proxy", "socks5://proxy:1080", ""),
            ("socks5h://jo:pw@proxy:9050", "socks5h://proxy:9050", "jo pw"),
            ("socks4://proxy:1", "socks4://proxy:1", ""),
            ("SOCKS4A://proxy", "socks4a://proxy:1080", ""),
            ("jo:pw@proxy:3128", "http://proxy:3128", "jo pw"),
            ("http://jo@proxy", "http://proxy:80", "jo "),
            ("http://:pw@proxy", "http://proxy:80", " pw"),
            ("http://@proxy", "http://proxy:80", ""),
            ("http://:@proxy", "http://proxy:80", ""),
            ("http://jo:p@ss@proxy", "http://proxy:80", "jo p@ss"),
            ("http://jo@corp.example:pw@proxy", "http://proxy:80", "jo@corp.example pw"),
            ("http://jo:p:w@proxy", "http://proxy:80", "jo p:w"),
            ("http://CORP\\jo:pw@proxy", "http://proxy:80", "CORP\\\\jo pw"),
            ("http://jo:^[]{}|\"<>`'@proxy", "http://proxy:80", "jo ^[]{}|\\\"<>`\\\'"),
            ("http://jo:a b@proxy", "http://proxy:80", "jo a b"),
            ("http://jo:pä@proxy", "http://proxy:80", "jo p\\xc3\\xa4"),
            ("http://jo:p%E4@proxy", "http://proxy:80", "jo p\\xe4"),
            ("http://j%40o:%2F%3f%23%25@proxy", "http://proxy:80", "j@o /?#%"),
            ("http://jo:50%@proxy", "http://proxy:80", "jo 50%"),
            ("http://jo:%zz$!&*()=+,;~@proxy", "http://proxy:80", "jo %zz$!&*()=+,;~"),
            ("socks5://jo:%25^ ä@proxy", "socks5://proxy:1080", "jo %^ \\xc3\\xa4"),
        ] {
            let expected = Ok((address.to_owned(), user.to_owned()));
            assert_eq!(read(value), expected, "{value:?}");
        }
    }

    #[test]
    fn invalid_addresses_are_refused_and_not_shown() {
        for (value, says) in [
            (" \r\n", "white space"),
            ("\"http://jo:hunter2@proxy:3128\"", "in quotes"),
            ("'http://proxy:3128'", "in quotes"),
            ("\u{201c}http://proxy:3128\u{201d}", "in quotes"),
            ("http://proxy:3128\"", "in quotes"),
            ("http://pro\nxy:3128", "a line break"),
            ("http://proxy\t:3128", "tab"),
            ("http://jo:hunter2\u{7}@proxy", "invisible"),
            ("\u{feff}http://proxy:3128", "invisible"),
            ("http://pro\u{200b}xy:3128", "invisible"),
            ("http://jo:hunter2\u{fffd}@proxy", "not UTF-8"),
            ("::::", "no port"),
            ("http://::::", "character in its host"),
            ("http://", "names no host"),
            ("//proxy:3128", "names no host"),
            ("http:///proxy:3128", "names no host"),
            (":3128", "names no host"),
            ("http:proxy:3128", "character in its host"),
            ("http:/proxy:3128", "no port"),
            ("http:\\\\proxy:3128", "character in its host"),
            ("ftp://proxy", "scheme"),
            ("socks://127.0.0.1:1080/", "which SOCKS"),
            ("HTTPS_PROXY=http://proxy:3128", "character in its host"),
            ("http://jo:hunter2/@proxy", "a / ? or #"),
            ("http://jo:hunter2?@proxy", "a / ? or #"),
            ("http://jo:#hunter2@proxy", "a / ? or #"),
            ("http://pro xy:3128", "character in its host"),
            ("http://proxy :3128", "character in its host"),
            ("http://proxy:3128,http://other:3128", "character in its host"),
            ("http://proxy;http://other", "character in its host"),
            ("http://proxy\\@evil.example\\x", "character in its host"),
            ("http://pro%78y:3128", "character in its host"),
            ("http://${PROXY_HOST}:3128", "character in its host"),
            ("http://<proxy>:3128", "character in its host"),
            ("http://proxy:port", "1 to 65535"),
            ("http://proxy:0", "1 to 65535"),
            ("http://proxy:+1", "1 to 65535"),
            ("http://proxy:65536", "1 to 65535"),
            ("http://proxy: 3128", "1 to 65535"),
            ("http://2001:db8::1:3128", "character in its host"),
            ("http://[2001:db8::1", "character in its host"),
            ("http://[fe80::1%25eth0]:3128", "character in its host"),
            ("http://[10.0.0.1]:3128", "no usable host"),
            ("http://999.0.0.1:3128", "no usable host"),
            ("socks4://jo@proxy", "only SOCKS 5"),
            ("socks5://jo:p%E4@proxy", "not UTF-8"),
            (&format!("socks5://jo:{}@proxy", "hunter2".repeat(40)), "too long"),
        ] {
            let error = read(value).expect_err(value);
            assert!(error.starts_with("P ") && error.contains(says), "{value:?}: {error}");
            assert!(!error.contains("hunter2") && !error.contains("evil"), "{value:?}: {error}");
        }
    }
}
