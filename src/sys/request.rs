//! An HTTP request.

use reqwest::header::{HeaderName, HeaderValue};
use zeroize::Zeroizing;

use super::endpoint_url::EndpointUrl;
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;

/// The content type of forms.
pub(super) const FORM: &str = "application/x-www-form-urlencoded";

/// The HTTP methods that requests use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// `DELETE`.
    Delete,
    /// `GET`.
    Get,
    /// `HEAD`.
    Head,
    /// `OPTIONS`.
    Options,
    /// `PATCH`.
    Patch,
    /// `POST`.
    Post,
    /// `PUT`.
    Put,
}

impl Method {
    /// As in a request: `GET`.
    pub(crate) fn name(self) -> String {
        reqwest::Method::from(self).to_string()
    }
}

impl From<Method> for reqwest::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Delete => Self::DELETE,
            Method::Get => Self::GET,
            Method::Head => Self::HEAD,
            Method::Options => Self::OPTIONS,
            Method::Patch => Self::PATCH,
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
        }
    }
}

/// What the answer to a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// JSON or a short text, soon.
    Json,
    /// XML of at most 1 MiB, soon.
    Xml,
    /// Anything, however long the service takes.
    Anything,
}

/// An HTTP request.
pub(crate) struct Request {
    pub(super) method: Method,
    pub(super) url: EndpointUrl,
    pub(super) headers: Vec<(HeaderName, String)>,
    pub(super) secret_headers: Vec<(HeaderName, Secret)>,
    pub(super) pin: Option<String>,
    /// Content type, unless a header has it, and text.
    pub(super) body: Option<(Option<&'static str>, Zeroizing<String>)>,
    /// The secret within a body that is no form.
    pub(super) body_secret: Option<Secret>,
    pub(super) expected: Expected,
}

impl Request {
    /// A GET of `url`.
    pub(crate) fn get(url: impl Into<EndpointUrl>) -> Self {
        Self {
            method: Method::Get,
            url: url.into(),
            headers: Vec::new(),
            secret_headers: Vec::new(),
            pin: None,
            body: None,
            body_secret: None,
            expected: Expected::Json,
        }
    }

    /// A request that the user made up, of any answer.
    pub(crate) fn of_user(
        method: Method,
        url: impl Into<EndpointUrl>,
        body: Option<&Secret>,
    ) -> Self {
        let body = body.map(|body| (None, Zeroizing::new(body.expose().to_owned())));
        Self { method, body, expected: Expected::Anything, ..Self::get(url) }
    }

    /// A POST of `form`, already encoded as `application/x-www-form-urlencoded`, to `url`.
    pub(crate) fn post_form(url: impl Into<EndpointUrl>, form: Zeroizing<String>) -> Self {
        Self { method: Method::Post, body: Some((Some(FORM), form)), ..Self::get(url) }
    }

    /// A POST of the JSON text `json`, which may be empty, to `url`.
    pub(crate) fn post_json(url: impl Into<EndpointUrl>, json: &str) -> Self {
        let body = Some((Some("application/json"), Zeroizing::new(json.to_owned())));
        Self { method: Method::Post, body, ..Self::get(url) }
    }

    /// A POST of the SOAP 1.2 envelope `xml`, which holds `secret`, to `url`. The answer is XML.
    pub(crate) fn post_soap(
        url: impl Into<EndpointUrl>,
        xml: Zeroizing<String>,
        secret: Option<&Secret>,
    ) -> Self {
        let body = Some((Some("application/soap+xml; charset=utf-8"), xml));
        let request = Self { method: Method::Post, body, ..Self::get(url) };
        Self { body_secret: secret.cloned(), ..request }.expecting_xml()
    }

    /// Expects XML of at most 1 MiB as the answer.
    #[must_use]
    pub(crate) fn expecting_xml(mut self) -> Self {
        self.expected = Expected::Xml;
        self
    }

    /// Adds a header; `name` is lower-case.
    #[must_use]
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((HeaderName::from_static(name), value.into()));
        self
    }

    /// Adds `Authorization: Bearer …`.
    #[must_use]
    pub(crate) fn bearer(self, token: &Secret) -> Self {
        self.secret_header("authorization", Secret::new(format!("Bearer {}", token.expose())))
    }

    /// Adds `Authorization: Negotiate …` (RFC 4559).
    #[must_use]
    pub(crate) fn negotiate(self, token: &Secret) -> Self {
        self.secret_header("authorization", Secret::new(["Negotiate ", token.expose()].concat()))
    }

    /// Adds a header whose value is a secret; `name` is lower-case.
    #[must_use]
    pub(crate) fn secret_header(mut self, name: &'static str, value: Secret) -> Self {
        self.secret_headers.push((HeaderName::from_static(name), value));
        self
    }

    /// Adds a header that the user typed. Its value is a secret if its name says so.
    ///
    /// # Errors
    /// [`Kind::Inapplicable`]: the name or the value cannot be sent in a header.
    pub(crate) fn header_of_user(mut self, name: &str, value: &Secret) -> Result<Self> {
        const SECRETS: [&str; 7] =
            ["auth", "cookie", "key", "password", "secret", "signature", "token"];
        let unfit = |what: &str| {
            Error::new(
                Kind::Inapplicable,
                format!("The {what} of a header has characters that it cannot have."),
            )
        };
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit("name"))?;
        let value = Secret::new(value.expose().trim());
        if HeaderValue::from_str(value.expose()).is_err() {
            return Err(unfit("value"));
        }
        // The length and the encoding of the body are the client's to say.
        if ["content-length", "transfer-encoding"].contains(&header.as_str()) {
            return Ok(self);
        }
        if SECRETS.iter().any(|word| header.as_str().contains(word)) {
            self.secret_headers.push((header, value));
        } else {
            self.headers.push((header, value.expose().to_owned()));
        }
        Ok(self)
    }

    /// Trusts only the server certificate with this SHA-1 thumbprint (hexadecimal).
    #[must_use]
    pub(crate) fn pinned(mut self, thumbprint: &str) -> Self {
        self.pin = Some(thumbprint.to_owned());
        self
    }
}
