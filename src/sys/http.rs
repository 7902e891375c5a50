//! The HTTP client: no redirects, bounded answers, TLS except to this machine and its link.
#![allow(clippy::disallowed_methods, reason = "this module wraps the banned functions")]

use std::cell::{Cell, OnceCell};
use std::time::Duration;

use hyper::body::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use roxmltree::Document;
use serde::de::DeserializeOwned;
use serde_json::Value;
use zeroize::Zeroizing;

use super::certificate::{
    is_unknown_authority, refused_certificate, unfit_certificate, unknown_authority,
};
use super::endpoint_url::EndpointUrl;
use super::proxy::Way;
use super::sent::Sent;
use super::tls::{Authorities, extra_authorities};
use super::unreachable::{no_tls, unreachable_host};
use super::{System, pinned, text, xml};
use crate::error::{Error, Kind, Result};
use crate::foreign::{self, Sentence};
use crate::secret::Secret;

/// Time for DNS, TCP and TLS together.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// Time to connect to an endpoint of this host. It is short because machines without that endpoint
/// drop the packets.
const HOST_CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// Time to wait for each piece of an answer, including the first.
const READ_LIMIT: Duration = Duration::from_secs(15);
/// Time for a whole request.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);
/// Largest accepted answer, in bytes. A page of 1,000 subscriptions is about 1 MiB.
const BODY_LIMIT: usize = 16 * 1024 * 1024;
/// Largest accepted XML document, in bytes. The metadata of a federation server is about 100 KiB.
const XML_LIMIT: usize = 1024 * 1024;
/// Largest sum of all answers to one process, in bytes. A list of 100,000 subscriptions fits.
const SUM_LIMIT: usize = 128 * 1024 * 1024;
/// Initial capacity for a body, in bytes. A token response fits.
const USUAL_BODY: usize = 32 * 1024;

/// The content type of forms.
const FORM: &str = "application/x-www-form-urlencoded";

/// The HTTP methods that requests use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// `GET`.
    Get,
    /// `POST`.
    Post,
}

/// An HTTP request.
pub(crate) struct Request {
    method: Method,
    url: EndpointUrl,
    headers: Vec<(&'static str, String)>,
    secret_headers: Vec<(&'static str, Secret)>,
    pin: Option<String>,
    /// Content type and text.
    body: Option<(&'static str, Zeroizing<String>)>,
    /// The secret within a body that is no form.
    body_secret: Option<Secret>,
    expects_xml: bool,
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
            expects_xml: false,
        }
    }

    /// A POST of `form`, already encoded as `application/x-www-form-urlencoded`, to `url`.
    pub(crate) fn post_form(url: impl Into<EndpointUrl>, form: Zeroizing<String>) -> Self {
        Self { method: Method::Post, body: Some((FORM, form)), ..Self::get(url) }
    }

    /// A POST of the JSON text `json`, which may be empty, to `url`.
    pub(crate) fn post_json(url: impl Into<EndpointUrl>, json: &str) -> Self {
        let body = Some(("application/json", Zeroizing::new(json.to_owned())));
        Self { method: Method::Post, body, ..Self::get(url) }
    }

    /// A POST of the SOAP 1.2 envelope `xml`, which holds `secret`, to `url`. The answer is XML.
    pub(crate) fn post_soap(
        url: impl Into<EndpointUrl>,
        xml: Zeroizing<String>,
        secret: Option<&Secret>,
    ) -> Self {
        let body = Some(("application/soap+xml; charset=utf-8", xml));
        let request = Self { method: Method::Post, body, ..Self::get(url) };
        Self { body_secret: secret.cloned(), ..request }.expecting_xml()
    }

    /// Expects XML of at most 1 MiB as the answer.
    #[must_use]
    pub(crate) fn expecting_xml(mut self) -> Self {
        self.expects_xml = true;
        self
    }

    /// Adds a header.
    #[must_use]
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
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
        self.secret_headers.push((name, value));
        self
    }

    /// Trusts only the server certificate with this SHA-1 thumbprint (hexadecimal).
    #[must_use]
    pub(crate) fn pinned(mut self, thumbprint: &str) -> Self {
        self.pin = Some(thumbprint.to_owned());
        self
    }
}

/// An HTTP response of any status.
pub(crate) struct Response {
    /// HTTP status.
    pub(crate) status: u16,
    /// Headers.
    pub(crate) headers: HeaderMap,
    /// The body, wiped on drop because it may hold tokens. It is private so that callers use
    /// [`Response::json`] or [`Response::complaint`], which handle the servers' variations.
    text: Zeroizing<String>,
    sent: Sent,
}

impl Response {
    /// Makes a response; `body` is decoded by its byte order mark and its `Content-Type`.
    pub(crate) fn new(status: u16, headers: HeaderMap, body: &[u8]) -> Self {
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let text = text::of_answer(body, content_type);
        Self { status, headers, text, sent: Sent::default() }
    }

    /// True for any 2xx, because servers and gateways send 201 or 203 in place of 200.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Parses the body as JSON.
    ///
    /// # Errors
    /// The body is not JSON or does not match `T`.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        foreign::from_json(&self.text)
    }

    /// Parses the body as XML.
    ///
    /// # Errors
    /// Why the body is not XML, or is more than a service has to say ([`xml::parse`]).
    pub(crate) fn xml(&self) -> Result<Document<'_>, String> {
        xml::parse(&self.text)
    }

    /// Like [`Response::json`], for messages: the secrets of the request are masked.
    ///
    /// # Errors
    /// The body is not JSON or does not match `T`.
    pub(crate) fn words<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        let mut value = self.json()?;
        self.mask_value(&mut value);
        serde_json::from_value(value)
    }

    fn mask_value(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.masked(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.mask_value(item)),
            Value::Object(members) => members.values_mut().for_each(|value| self.mask_value(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Masks the secrets of the request in `text`, a part of this response.
    pub(crate) fn masked(&self, text: &str) -> String {
        self.sent.masked(text)
    }

    /// Returns the body as one line for messages, with the secrets of the request masked.
    pub(crate) fn line(&self) -> Sentence {
        Sentence::new(&self.masked(&self.text))
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    #[cfg(test)]
    pub(crate) fn of(status: u16, body: &str) -> Self {
        Self::new(status, HeaderMap::new(), body.as_bytes())
    }

    /// Returns a header's value; `None` if it is missing or not text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the `Retry-After` header if it is a number of seconds. Dates, its other form
    /// (RFC 9110 section 10.2.3), are ignored: the services that azt uses send none.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let seconds: u32 = self.header("retry-after")?.trim().parse().ok()?;
        Some(Duration::from_secs(seconds.into()))
    }
}

/// The HTTP clients, one for each kind of [`Way`]. Each is built at its first request, because
/// building one reads the platform's certificates (about 7 ms).
#[derive(Default)]
pub struct Http {
    local: OnceCell<reqwest::Client>,
    direct: OnceCell<reqwest::Client>,
    /// One client suffices: a process has only one proxy.
    through_proxy: OnceCell<reqwest::Client>,
    /// The authorities that the environment adds to the platform's.
    authorities: OnceCell<Authorities>,
    /// Bytes received so far in all answers.
    received: Cell<usize>,
}

impl Http {
    /// Sends `request` by the proxy settings of `system`, which owns `self`, and reads the whole
    /// answer. Redirects are not followed because requests carry secrets.
    ///
    /// # Errors
    /// [`Kind::Network`] with the host's name if there was no answer, or if a successful answer is
    /// a web page: no service that azt uses sends one, so it comes from a proxy or a captive
    /// portal. [`Kind::Service`] if the answer is too large or a secret is not valid in a header.
    pub(crate) async fn send(&self, system: &System, request: Request) -> Result<Response> {
        let pinned = request.pin.as_deref().map(pinned_client).transpose()?;
        let url = request.url.url();
        let way = Way::to(&request.url, &system.env)?;
        system.terminal.debug(&format!("{} is asked {way}", request.url.environment()));
        let client = match &pinned {
            Some(client) => client,
            None => self.client(system, &way)?,
        };
        let host = request.url.host();
        let mut builder = match request.method {
            Method::Get => client.get(url.clone()),
            Method::Post => client.post(url.clone()),
        };
        for (name, value) in request.headers {
            builder = builder.header(name, value);
        }
        for (name, secret) in &request.secret_headers {
            let mut value = HeaderValue::from_str(secret.expose())
                .map_err(|_| Error::new(Kind::Service, "The token cannot be sent in a header."))?;
            value.set_sensitive(true);
            builder = builder.header(HeaderName::from_static(name), value);
        }
        let headers = request.secret_headers.into_iter().map(|(_, secret)| secret).collect();
        let mut sent = Sent { form: Bytes::new(), headers, in_body: request.body_secret };
        if let Some((content_type, text)) = request.body {
            // Shares the text instead of copying it; the last owner wipes it.
            let text = Bytes::from_owner(text);
            if content_type == FORM {
                sent.form = text.clone();
            }
            builder = builder.header("content-type", content_type).body(text);
        }
        let mut answer = match builder.send().await {
            Ok(answer) => answer,
            Err(error) => {
                let refused = refused_certificate(&error).filter(|_| pinned.is_none());
                // An https proxy has a certificate too, which may be the refused one.
                let proxy = match &way {
                    Way::Through(proxy) if proxy.is_encrypted() => Some(proxy),
                    _ => None,
                };
                let holder = match proxy {
                    Some(proxy) => &format!("{host}, or of the proxy {proxy},"),
                    None => host,
                };
                return Err(match refused {
                    Some(reason) if is_unknown_authority(reason) => {
                        // The unverified request of `issuer_at` would show the proxy the password.
                        let issuer = match proxy {
                            Some(_) => None,
                            None => issuer_at(url, &way).await,
                        };
                        unknown_authority(holder, issuer)
                    }
                    Some(reason) => unfit_certificate(holder, reason),
                    None => unreachable_host(host, &error, &way),
                });
            }
        };
        let status = answer.status().as_u16();
        let headers = answer.headers().clone();
        let size = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len();
        self.count(headers.iter().map(size).sum(), host)?;
        // Allocated once: a growing vector would leave copies that are not wiped.
        let limit = if request.expects_xml { XML_LIMIT } else { BODY_LIMIT };
        let length = answer.content_length().and_then(|it| usize::try_from(it).ok()).unwrap_or(0);
        let mut body = Zeroizing::new(Vec::with_capacity(length.clamp(USUAL_BODY, limit)));
        while let Some(chunk) =
            answer.chunk().await.map_err(|error| unreachable_host(host, &error, &way))?
        {
            self.count(chunk.len(), host)?;
            if body.len() + chunk.len() > limit {
                return Err(Error::new(
                    Kind::Service,
                    format!("{host} sent an answer of more than {} MiB.", limit >> 20),
                ));
            }
            body.extend_from_slice(&chunk);
        }
        let answer = Response { sent, ..Response::new(status, headers, &body) };
        let begins =
            if request.expects_xml { xml::is_web_page } else { |text: &str| text.starts_with('<') };
        if answer.is_success() && begins(answer.text.trim_ascii_start()) {
            return Err(Error::new(
                Kind::Network,
                format!("{host} answered with a web page: a proxy or a sign-in portal of your network intercepted the request."),
            )
            .remedy("Open any page in a browser, sign in there if asked to, and try again."));
        }
        Ok(answer)
    }

    /// Counts `bytes` received from `host`.
    ///
    /// # Errors
    /// The sum is above [`SUM_LIMIT`].
    fn count(&self, bytes: usize, host: &str) -> Result<()> {
        let received = self.received.get().saturating_add(bytes);
        self.received.set(received);
        if received <= SUM_LIMIT {
            return Ok(());
        }
        Err(Error::new(
            Kind::Service,
            format!("{host} sends too much: azt received more than 128 MiB and stopped reading."),
        ))
    }

    fn client(&self, system: &System, way: &Way) -> Result<&reqwest::Client> {
        let cell = match way {
            Way::Local(_) => &self.local,
            Way::Direct(_) => &self.direct,
            Way::Through(_) => &self.through_proxy,
        };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        // Fails only if a provider is already installed, which does no harm.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = client_for(way)?.tls_certs_merge(self.authorities(system)?);
        let client = builder.build().map_err(no_tls)?;
        Ok(cell.get_or_init(|| client))
    }

    /// Returns the authorities that the environment names. Warns once about unusable ones.
    fn authorities(&self, system: &System) -> Result<Vec<reqwest::Certificate>> {
        let found = if let Some(found) = self.authorities.get() {
            found
        } else {
            let found = extra_authorities(&system.env)?;
            found.flaws.iter().for_each(|flaw| system.remark(flaw));
            self.authorities.get_or_init(|| found)
        };
        Ok(found.certificates.clone())
    }
}

/// The settings of every client: no redirects, no automatic proxy, time limits, a user agent.
fn base_client() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .no_proxy()
        .connect_timeout(HOST_CONNECT_LIMIT)
        .redirect(reqwest::redirect::Policy::none())
        .read_timeout(READ_LIMIT)
        .timeout(REQUEST_LIMIT)
        .user_agent(concat!("azt/", env!("CARGO_PKG_VERSION")))
}

/// The settings of a client for `way`.
fn client_for(way: &Way) -> Result<reqwest::ClientBuilder> {
    Ok(match way {
        Way::Local(_) => base_client(),
        Way::Direct(_) => base_client().connect_timeout(CONNECT_LIMIT),
        Way::Through(proxy) => {
            base_client().connect_timeout(CONNECT_LIMIT).proxy(proxy.for_client()?)
        }
    })
}

/// Builds a client for one request to a host endpoint with a pinned certificate.
fn pinned_client(thumbprint: &str) -> Result<reqwest::Client> {
    let configuration = pinned::configuration(thumbprint).map_err(|error| {
        Error::new(Kind::Network, format!("Cannot set up TLS: {error}.")).source(error)
    })?;
    base_client().tls_backend_preconfigured(configuration).build().map_err(no_tls)
}

/// Returns the issuer of the certificate at the host of `url`, trusted or not. Certificates are not
/// verified here, so the request carries no secret.
async fn issuer_at(url: &reqwest::Url, way: &Way) -> Option<String> {
    let mut url = url.clone();
    url.set_path("/");
    url.set_query(None);
    let unverified = client_for(way).ok()?.timeout(HOST_CONNECT_LIMIT);
    let unverified =
        unverified.tls_danger_accept_invalid_certs(true).tls_info(true).build().ok()?;
    let answer = unverified.head(url).send().await.ok()?;
    let info = answer.extensions().get::<reqwest::tls::TlsInfo>()?;
    let (_, certificate) = x509_parser::parse_x509_certificate(info.peer_certificate()?).ok()?;
    Some(Sentence::new(&certificate.issuer().to_string()).into())
}
