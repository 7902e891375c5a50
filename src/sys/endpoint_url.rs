//! Validated endpoint URLs. Each is parsed once, so comparisons, messages and requests all use the
//! same host.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;

use crate::error::{Error, Result};

/// A URL with an unambiguous host: https, or http to this machine, without user info or fragment.
/// The host is the lower-case ASCII of the text; the port is kept if it is not the scheme's
/// default.
///
/// URL parsers disagree about other forms (`https://a:x@b`, `https://a\@b`, `https://0x7f.1`). Such
/// a form could pass a comparison with one host and then send the secret to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EndpointUrl {
    url: Url,
    is_host_endpoint: bool,
}

impl EndpointUrl {
    /// Parses an endpoint without a query.
    ///
    /// # Errors
    /// `text` is not such a URL. The message begins with `what`, which names the source of `text`.
    pub(crate) fn parse(text: &str, what: &str) -> Result<Self> {
        let url = Self::parse_with_query(text, what)?;
        if url.url.query().is_some() {
            return Err(wrong(what, "has a query (?), which an endpoint cannot have"));
        }
        Ok(url)
    }

    /// Like [`EndpointUrl::parse`], but allows a query.
    pub(crate) fn parse_with_query(text: &str, what: &str) -> Result<Self> {
        let url = read(text, what)?;
        if url.scheme() != "https" && !is_this_machine(host_of(&url)) {
            return Err(wrong(
                what,
                &format!(
                    "leads to {} without encryption (http://), which is allowed to this machine only",
                    host_of(&url)
                ),
            ));
        }
        Ok(Self { url, is_host_endpoint: false })
    }

    /// Parses a managed identity endpoint of the host. Its address must be loopback or link-local,
    /// with or without TLS; requests to it bypass proxies.
    pub(crate) fn parse_host_endpoint(text: &str, what: &str) -> Result<Self> {
        let url = read(text, what)?;
        let host = host_of(&url);
        if !is_this_machine(host) && !is_link_local(host) {
            return Err(wrong(
                what,
                &format!(
                    "leads to {host}, but a host's own endpoint is at localhost or at a link-local address (169.254.0.0/16, fe80::/10); nothing was sent there"
                ),
            ));
        }
        Ok(Self { url, is_host_endpoint: true })
    }

    /// Returns `host`, or `host:port` if the port is not the scheme's default. Keys, comparisons
    /// and messages use this form.
    pub(crate) fn environment(&self) -> String {
        match self.url.port() {
            Some(port) => format!("{}:{port}", self.host()),
            None => self.host().to_owned(),
        }
    }

    /// Returns the host without the port.
    pub(crate) fn host(&self) -> &str {
        host_of(&self.url)
    }

    /// True if scheme, host and port equal those of `other`.
    pub(crate) fn same_origin(&self, other: &Self) -> bool {
        self.url.origin() == other.url.origin()
    }

    /// True if the host is this machine.
    pub(crate) fn is_on_this_machine(&self) -> bool {
        is_this_machine(self.host())
    }

    /// True for https.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Appends `tail`, a path with an optional query, to this URL.
    ///
    /// # Errors
    /// The path would leave this URL's path (`..`, a backslash).
    pub(crate) fn at(&self, tail: &str) -> Result<Self> {
        let (path, query) = match tail.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (tail, None),
        };
        let base = self.url.path().trim_end_matches('/');
        let wanted = format!("{base}/{path}");
        let mut url = self.url.clone();
        url.set_path(&wanted);
        url.set_query(query);
        let depth = |path: &str| path.matches('/').count();
        if depth(url.path()) != depth(&wanted) || !url.path().starts_with(&format!("{base}/")) {
            return Err(Error::failed(format!(
                "A request to {} would have gone to another path; nothing was sent.",
                self.environment()
            )));
        }
        Ok(Self { url, is_host_endpoint: self.is_host_endpoint })
    }

    /// Returns this URL with `query` appended to its own query.
    #[must_use]
    pub(crate) fn with_query(&self, query: &str) -> Self {
        let mut url = self.url.clone();
        match self.url.query().filter(|own| !own.is_empty()) {
            Some(own) => url.set_query(Some(&format!("{own}&{query}"))),
            None => url.set_query(Some(query)),
        }
        Self { url, is_host_endpoint: self.is_host_endpoint }
    }

    /// Returns the URL that `reference`, such as a `Location`, means here. A fragment is dropped.
    ///
    /// # Errors
    /// It is none that [`EndpointUrl::parse_with_query`] accepts.
    pub(crate) fn joined(&self, reference: &str) -> Result<Self> {
        let what = "The place of the redirect";
        let mut url = self.url.join(reference).map_err(|_| wrong(what, "is not a URL"))?;
        url.set_fragment(None);
        let joined = Self::parse_with_query(url.as_str(), what)?;
        Ok(Self { is_host_endpoint: self.is_host_endpoint, ..joined })
    }

    /// Returns this URL without its query, for messages.
    #[must_use]
    pub(crate) fn without_query(&self) -> Self {
        let mut url = self.url.clone();
        url.set_query(None);
        Self { url, is_host_endpoint: self.is_host_endpoint }
    }

    /// Returns the whole URL without trailing slashes.
    pub(crate) fn as_str(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// Returns the path.
    pub(crate) fn path(&self) -> &str {
        self.url.path()
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// True if [`EndpointUrl::parse_host_endpoint`] made this URL.
    pub(super) fn is_host_endpoint(&self) -> bool {
        self.is_host_endpoint
    }
}

impl fmt::Display for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<&EndpointUrl> for EndpointUrl {
    fn from(url: &EndpointUrl) -> Self {
        url.clone()
    }
}

/// The message leaves out the URL: it may hold a password, or text that an attacker wants shown.
fn wrong(what: &str, why: &str) -> Error {
    Error::failed(format!("{what} {why}."))
}

fn host_of(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}

/// Makes the checks that apply to every endpoint.
fn read(text: &str, what: &str) -> Result<Url> {
    let wrong = |why| wrong(what, why);
    if text.is_empty() {
        return Err(wrong("is empty"));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) || text.contains('\\') {
        return Err(wrong(
            "is not a URL: it has white space, a backslash or a character that is not ASCII",
        ));
    }
    let not_a_url = || wrong("is not a URL that begins with https:// and names a host");
    let Some((scheme, rest)) = text.split_once("://") else { return Err(not_a_url()) };
    if !["https", "http"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Err(not_a_url());
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(wrong("has a user name before its host (…@), which hides the real host"));
    }
    if text.contains('#') {
        return Err(wrong("has a fragment (#), which an endpoint cannot have"));
    }
    let url = Url::parse(text).map_err(|_| not_a_url())?;
    // The parser decodes and normalises hosts. Other parsers may read such a host differently, so
    // the parsed host must equal the written one.
    let host = host_of(&url);
    let written = authority.to_ascii_lowercase();
    let port = written.strip_prefix(host).filter(|_| !host.is_empty());
    let is_port = |port: &str| port.strip_prefix(':').is_some_and(|digits| !digits.is_empty());
    if !port.is_some_and(|port| port.is_empty() || is_port(port)) {
        return Err(wrong("has a host in an encoded or unusual form"));
    }
    if host.split('.').any(str::is_empty) {
        return Err(wrong("has a host with an extra dot"));
    }
    Ok(url)
}

fn address_of(host: &str) -> Option<IpAddr> {
    host.trim_matches(['[', ']']).parse().ok()
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || address_of(host).is_some_and(|address| address.is_loopback())
}

fn is_link_local(host: &str) -> bool {
    match address_of(host) {
        Some(IpAddr::V4(address)) => address.is_link_local(),
        Some(IpAddr::V6(address)) => address.is_unicast_link_local(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<EndpointUrl> {
        EndpointUrl::parse(text, "This")
    }

    #[test]
    fn accepted_urls_keep_their_host_and_port() {
        for (text, environment, whole) in [
            ("https://login.example", "login.example", "https://login.example"),
            ("https://Login.EXAMPLE/Adfs/", "login.example", "https://login.example/Adfs"),
            ("HTTPS://login.example:443/", "login.example", "https://login.example"),
            ("https://login.example:8443", "login.example:8443", "https://login.example:8443"),
            ("https://[2001:db8::1]:8443/x", "[2001:db8::1]:8443", "https://[2001:db8::1]:8443/x"),
            ("https://10.0.0.1", "10.0.0.1", "https://10.0.0.1"),
            (
                "https://xn--bcher-kva.example",
                "xn--bcher-kva.example",
                "https://xn--bcher-kva.example",
            ),
            ("http://localhost:1/x", "localhost:1", "http://localhost:1/x"),
            ("http://127.0.0.9", "127.0.0.9", "http://127.0.0.9"),
            ("http://[::1]:80", "[::1]", "http://[::1]"),
        ] {
            let url = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!((url.environment().as_str(), url.as_str()), (environment, whole), "{text}");
        }
    }

    #[test]
    fn ambiguous_urls_are_refused() {
        for text in [
            "",
            "login.example",
            "https:login.example",
            "https:/login.example",
            "https://",
            "https:///login.example",
            "https://:443",
            "https://login.example:x@evil.example",
            "https://login.example@evil.example",
            "https://@login.example",
            "https://:@login.example",
            "https://login.example\\@evil.example",
            "https:\\\\login.example",
            "https://evil.example/#@login.example",
            "https://evil.example#",
            "https://login.example?",
            "https://login.example/?x=1",
            "https://login.example.",
            "https://login.example.:443",
            "https://.login.example",
            "https://login..example",
            "https://localhost.",
            "https://login.example:",
            "https://login.example:0443x",
            "https://login.example:99999",
            "https://login%2eexample",
            "https://login.example%00.evil.example",
            "https://login.exam\tple",
            "https://login.example\n.evil.example",
            " https://login.example",
            "https://login.example ",
            "https://login.example\u{200b}",
            "https://l\u{3bf}gin.example",
            "https://\u{ff4c}ogin.example",
            "https://login\u{3002}example",
            "https://login.microsoftonline.com\u{2215}.evil.example",
            "https://\u{212a}.example",
            "https://0x7f.0.0.1",
            "https://0177.0.0.1",
            "https://2130706433",
            "https://127.1",
            "https://[0:0:0:0:0:0:0:1]",
            "https://[::ffff:127.0.0.1]",
            "http://login.example",
            "http://localhost.evil.example",
            "http://10.0.0.1",
            "http://0x7f.1",
            "http://[::ffff:7f00:1]",
            "http://169.254.169.254",
            "ftp://login.example",
            "ws://localhost",
            "file:///etc/passwd",
            "file://login.example/x",
            "javascript://login.example/%0aalert(1)",
            "javascript:alert(1)",
            "data:text/html,x",
            "vscode://login.example",
            "ms-msdt:/id",
        ] {
            assert!(parse(text).is_err(), "{text:?} is {:?}", parse(text));
        }
        let error = parse("https://login.example:hunter2@evil.example").unwrap_err();
        assert!(error.message().starts_with("This has a user name"), "{error}");
        assert!(!error.message().contains("hunter2"), "{error}");
    }

    #[test]
    fn a_host_endpoint_is_loopback_or_link_local() {
        let parse = |text: &str| EndpointUrl::parse_host_endpoint(text, "IDENTITY_ENDPOINT");
        for text in [
            "http://169.254.129.2:8081/msi/token",
            "http://127.0.0.1:41741/MSI/token/",
            "http://localhost:42356/msi/token",
            "https://localhost:1/x",
            "http://[fe80::1]/x",
        ] {
            assert!(parse(text).is_ok_and(|url| url.is_host_endpoint()), "{text}");
        }
        for text in [
            "http://10.0.0.4/x",
            "https://identity.example/x",
            "http://169.254.169.254.evil.example/",
            "http://169.254.169.254@evil.example/",
            "http://[fec0::1]/x",
            "http://0xa9fea9fe/",
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.message().starts_with("IDENTITY_ENDPOINT "), "{text}: {error}");
        }
    }

    #[test]
    fn appended_paths_stay_below_the_base() {
        let base = parse("https://adfs.local/adfs/").unwrap();
        let at = |tail: &str| base.at(tail).map(|url| url.as_str().to_owned()).ok();
        assert_eq!(at("oauth2/token").as_deref(), Some("https://adfs.local/adfs/oauth2/token"));
        assert_eq!(at("x?a=b/../c").as_deref(), Some("https://adfs.local/adfs/x?a=b/../c"));
        for tail in ["..", "../x", "a/../b", "a/%2e%2e/b", "a\\b", "./x", "a/.%2E"] {
            assert_eq!(at(tail), None, "{tail}");
        }
        assert_eq!(
            at("@evil.example/x#y").as_deref(),
            Some("https://adfs.local/adfs/@evil.example/x%23y")
        );
        let asked = EndpointUrl::parse_with_query("https://a.example//id?v=2", "").unwrap();
        let asked = asked.with_query("audience=x#y");
        assert_eq!(asked.as_str(), "https://a.example//id?v=2&audience=x%23y");
        assert_eq!(asked.without_query().as_str(), "https://a.example//id");
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let base = parse("https://management.azure.com").unwrap();
        let is_same = |text: &str| {
            EndpointUrl::parse_with_query(text, "").is_ok_and(|url| url.same_origin(&base))
        };
        assert!(is_same("https://management.azure.com/subscriptions?$skiptoken=x"));
        assert!(is_same("https://MANAGEMENT.azure.com:443/x"));
        for text in [
            "https://management.azure.com.evil.example/x",
            "http://management.azure.com/x",
            "https://management.azure.com:444/x",
            "https://management.azure.com@evil.example/x",
            "//management.azure.com/x",
            "/subscriptions",
        ] {
            assert!(!is_same(text), "{text}");
        }
    }
}
