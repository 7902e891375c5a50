//! The redirect URI of a sign-in: where the service sends the browser with its answer.

use crate::error::{Error, Kind, Result};
use crate::shell::quoted;
use crate::sys::EndpointUrl;

/// The port in azure-cli's redirect address at ADFS; Entra accepts any port.
const ADFS_PORT: u16 = 8400;

/// A redirect URI, or az's: `http://localhost`.
#[derive(Clone, Debug, Default)]
pub(crate) struct RedirectUri {
    url: Option<EndpointUrl>,
    /// The port as typed: a URL has none if it is the scheme's default.
    port: Option<u16>,
}

impl RedirectUri {
    /// The URI in `text`, the value of `--redirect-uri`, for a browser on this machine; if `is_pasted`,
    /// for a browser whose final address the user pastes.
    ///
    /// # Errors
    /// [`Kind::Inapplicable`]: azt cannot receive what the browser sends there.
    pub(crate) fn parse(text: &str, is_pasted: bool) -> Result<Self> {
        let wrong = |why: &str| Error::new(Kind::Inapplicable, format!("--redirect-uri {why}."));
        let url = EndpointUrl::parse(text, "--redirect-uri");
        if let Ok(url) = &url
            && !url.is_encrypted()
            && ["localhost", "127.0.0.1"].contains(&url.host())
        {
            return Ok(Self { url: Some(url.clone()), port: port_in(text) });
        }
        if is_pasted {
            let url = url.map_err(|error| error.with_kind(Kind::Inapplicable))?;
            return if url.is_encrypted() {
                Ok(Self { url: Some(url), port: None })
            } else {
                Err(wrong("leads to this machine by an address other than localhost and 127.0.0.1"))
            };
        }
        Err(wrong("must be http://localhost or http://127.0.0.1, with or without a port and a path, because azt itself receives the browser's answer")
            .remedy("Register such an address for the application, as Mobile and desktop applications.")
            .remedy("Or paste the answer, with --no-browser, or sign in with a code, with --use-device-code."))
    }

    /// The port to listen on; 0 for any.
    pub(super) fn port(&self, is_adfs: bool) -> u16 {
        self.port.unwrap_or(if is_adfs { ADFS_PORT } else { 0 })
    }

    /// The option that names the URI, with a blank before it; empty for az's URI.
    pub(super) fn option(&self) -> String {
        let Some(url) = &self.url else { return String::new() };
        let uri = self.port.map_or_else(|| url.as_str().to_owned(), |port| self.with_port(port));
        format!(" --redirect-uri {}", quoted(&uri))
    }

    /// The path at which the browser arrives.
    pub(super) fn path(&self) -> &str {
        self.url.as_ref().map_or("/", EndpointUrl::path)
    }

    /// The URI of the request, with this `port` if it is on this machine.
    pub(super) fn with_port(&self, port: u16) -> String {
        match &self.url {
            Some(url) if url.is_encrypted() => url.as_str().to_owned(),
            Some(url) => {
                let path = Some(url.path()).filter(|path| *path != "/").unwrap_or_default();
                format!("http://{}:{port}{path}", url.host())
            }
            None => format!("http://localhost:{port}"),
        }
    }
}

/// The port in `text`, a URL that was parsed, of a host name or an IPv4 address.
fn port_in(text: &str) -> Option<u16> {
    let (_, rest) = text.split_once("://")?;
    let (_, port) = rest.split('/').next()?.split_once(':')?;
    port.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_on_this_machine_needs_a_loopback_address() {
        for (text, port, shown) in [
            ("http://localhost", 0, "http://localhost:7"),
            ("http://localhost/", 0, "http://localhost:7"),
            ("http://127.0.0.1:8400/in", 8400, "http://127.0.0.1:7/in"),
            ("http://localhost:80", 80, "http://localhost:7"),
            ("HTTP://localhost:80/in", 80, "http://localhost:7/in"),
        ] {
            let uri = RedirectUri::parse(text, false).unwrap();
            assert_eq!((uri.port(false), uri.with_port(7).as_str()), (port, shown), "{text}");
        }
        assert_eq!(RedirectUri::default().port(true), ADFS_PORT);
        for text in [
            "https://app.example/in",
            "https://localhost/in",
            "http://localhost.evil.example",
            "http://localhost@evil.example",
            "http://[::1]",
            "http://127.1",
            "myapp://auth",
            "urn:ietf:wg:oauth:2.0:oob",
            "http://localhost?x=1",
            "http://localhost#x",
            "",
        ] {
            assert!(RedirectUri::parse(text, false).is_err(), "{text}");
        }
    }

    #[test]
    fn a_pasted_answer_may_come_from_any_encrypted_address() {
        let text = "https://app.example/in";
        assert_eq!(RedirectUri::parse(text, true).unwrap().with_port(7), text);
        for text in ["http://app.example", "myapp://auth", "https://app.example@evil.example"] {
            assert!(RedirectUri::parse(text, true).is_err(), "{text}");
        }
    }
}
