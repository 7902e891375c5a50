//! The HTTP client: TLS only, no redirects, bounded answers.
#![allow(clippy::disallowed_methods, reason = "this is the seam that the ban points to")]

use std::cell::{Cell, OnceCell};
use std::time::Duration;

use hyper::body::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use serde_json::Value;
use zeroize::Zeroizing;

use super::certificate::{
    is_of_unknown_authority, of_unknown_authority, refused_certificate, unfit_certificate,
};
use super::endpoint_url::EndpointUrl;
use super::proxy::Way;
use super::sent::Sent;
use super::tls::{Authorities, extra_authorities};
use super::unreachable::{no_tls, unreachable_host};
use super::{System, pinned, text};
use crate::error::{Error, Kind, Result};
use crate::foreign::{self, Sentence};
use crate::secret::Secret;

/// Time for DNS, TCP and TLS together.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// Time to connect to an endpoint of this host: its address leads nowhere on other machines.
const HOST_CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// Time between two pieces of an answer, the first included.
const READ_LIMIT: Duration = Duration::from_secs(15);
/// Time for a whole request.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);
/// Largest answer that is read, in bytes. A page of 1,000 subscriptions is about 1 MiB.
const BODY_LIMIT: usize = 16 * 1024 * 1024;
/// Largest sum of all answers to one call, in bytes: a list of 100,000 subscriptions has room in it.
const SUM_LIMIT: usize = 128 * 1024 * 1024;
/// A token's answer fits, in bytes.
const USUAL_BODY: usize = 32 * 1024;

/// HTTP methods in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// Reads.
    Get,
    /// Sends a body.
    Post,
}

/// A request to be sent.
pub(crate) struct Request {
    method: Method,
    url: EndpointUrl,
    headers: Vec<(&'static str, String)>,
    secret_headers: Vec<(&'static str, Secret)>,
    pin: Option<String>,
    /// Content type and text.
    body: Option<(&'static str, Zeroizing<String>)>,
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
        }
    }

    /// A POST of `form`, already encoded as `application/x-www-form-urlencoded`, to `url`.
    pub(crate) fn post_form(url: impl Into<EndpointUrl>, form: Zeroizing<String>) -> Self {
        Self {
            method: Method::Post,
            url: url.into(),
            headers: Vec::new(),
            secret_headers: Vec::new(),
            pin: None,
            body: Some(("application/x-www-form-urlencoded", form)),
        }
    }

    /// A POST of the JSON text `json`, which may be empty, to `url`.
    pub(crate) fn post_json(url: impl Into<EndpointUrl>, json: &str) -> Self {
        let body = Some(("application/json", Zeroizing::new(json.to_owned())));
        Self { method: Method::Post, body, ..Self::get(url) }
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

    /// Adds a header whose value is a secret; `name` is lower-case.
    #[must_use]
    pub(crate) fn secret_header(mut self, name: &'static str, value: Secret) -> Self {
        self.secret_headers.push((name, value));
        self
    }

    /// Trusts the server's certificate by its SHA-1 thumbprint (hexadecimal) alone.
    #[must_use]
    pub(crate) fn pinned(mut self, thumbprint: &str) -> Self {
        self.pin = Some(thumbprint.to_owned());
        self
    }
}

/// An answer, whatever its status.
pub(crate) struct Response {
    /// HTTP status.
    pub(crate) status: u16,
    /// Headers.
    pub(crate) headers: HeaderMap,
    /// The body; wiped, since it may hold tokens. Nobody else sees it: whoever reads an answer reads it
    /// by [`Response::json`] or [`Response::complaint`], which know what servers make of both.
    text: Zeroizing<String>,
    sent: Sent,
}

impl Response {
    /// An answer with `body`, decoded as its bytes and its `Content-Type` say.
    pub(crate) fn new(status: u16, headers: HeaderMap, body: &[u8]) -> Self {
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let text = text::of_answer(body, content_type);
        Self { status, headers, text, sent: Sent::default() }
    }

    /// True for 2xx: servers and gateways make 201 and 203 of 200.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The JSON in the body.
    ///
    /// # Errors
    /// It is none, or no `T`.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        foreign::from_json(&self.text)
    }

    /// [`Response::json`] for messages: without the secrets that the request carried.
    ///
    /// # Errors
    /// It is none, or no `T`.
    pub(crate) fn words<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        let mut value = self.json()?;
        self.blot(&mut value);
        serde_json::from_value(value)
    }

    fn blot(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.blotted(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.blot(item)),
            Value::Object(members) => members.values_mut().for_each(|value| self.blot(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// `text`, which is of this answer, without the secrets that the request carried.
    pub(super) fn blotted(&self, text: &str) -> String {
        self.sent.blotted(text)
    }

    /// The body as one line, for messages.
    pub(crate) fn line(&self) -> Sentence {
        Sentence::new(&self.blotted(&self.text))
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    #[cfg(test)]
    pub(crate) fn of(status: u16, body: &str) -> Self {
        Self::new(status, HeaderMap::new(), body.as_bytes())
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// How long the server asks to wait, if in seconds: the other form, a date, is for other
    /// servers (RFC 9110 section 10.2.3).
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let seconds: u32 = self.header("retry-after")?.trim().parse().ok()?;
        Some(Duration::from_secs(seconds.into()))
    }
}

/// The clients, one for each [`Way`]. Building one costs some 7 ms (it reads the platform's
/// certificates), so that happens at the first request.
#[derive(Default)]
pub struct Http {
    of_host: OnceCell<reqwest::Client>,
    direct: OnceCell<reqwest::Client>,
    /// There is but one proxy to a process.
    through_proxy: OnceCell<reqwest::Client>,
    /// Whom all trust besides the platform's authorities.
    authorities: OnceCell<Authorities>,
    /// How many bytes came in so far, of all answers.
    received: Cell<usize>,
}

impl Http {
    /// Sends `request` on the way that the environment of `system` says, and reads the whole answer;
    /// `system` is the one that this is of.
    ///
    /// Every failure to get an answer is [`Kind::Network`] and names the host; so is a page in its
    /// place, which none of the services that this program asks ever sends. Redirects are not
    /// followed: requests carry secrets.
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
        let mut sent = Sent { form: Bytes::new(), headers };
        if let Some((content_type, text)) = request.body {
            // The text itself, which is wiped with its last owner, not a copy of it.
            sent.form = Bytes::from_owner(text);
            builder = builder.header("content-type", content_type).body(sent.form.clone());
        }
        let mut answer = match builder.send().await {
            Ok(answer) => answer,
            Err(error) => {
                let refused = refused_certificate(&error).filter(|_| pinned.is_none());
                // With a proxy that speaks TLS itself it may be that one's.
                let proxy = match &way {
                    Way::Through(proxy) if proxy.is_encrypted() => Some(proxy),
                    _ => None,
                };
                let holder = match proxy {
                    Some(proxy) => &format!("{host}, or of the proxy {proxy},"),
                    None => host,
                };
                return Err(match refused {
                    Some(reason) if is_of_unknown_authority(reason) => {
                        // Who asks carelessly would show such a proxy the password.
                        let issuer = match proxy {
                            Some(_) => None,
                            None => issuer_at(url, &way).await,
                        };
                        of_unknown_authority(holder, issuer)
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
        // In one place, which is wiped: what grows leaves copies behind.
        let length = answer.content_length().and_then(|it| usize::try_from(it).ok()).unwrap_or(0);
        let mut body = Zeroizing::new(Vec::with_capacity(length.clamp(USUAL_BODY, BODY_LIMIT)));
        while let Some(chunk) =
            answer.chunk().await.map_err(|error| unreachable_host(host, &error, &way))?
        {
            self.count(chunk.len(), host)?;
            if body.len() + chunk.len() > BODY_LIMIT {
                return Err(Error::new(
                    Kind::Service,
                    format!("{host} sent an answer of more than 16 MiB."),
                ));
            }
            body.extend_from_slice(&chunk);
        }
        let answer = Response { sent, ..Response::new(status, headers, &body) };
        if answer.is_success() && answer.text.trim_ascii_start().starts_with('<') {
            return Err(Error::new(
                Kind::Network,
                format!("{host} answered with a web page: a proxy or a sign-in portal of your network stands in between."),
            )
            .remedy("Open any page in a browser, sign in there if asked to, and try again."));
        }
        Ok(answer)
    }

    /// Adds `bytes` from `host` to what came in.
    fn count(&self, bytes: usize, host: &str) -> Result<()> {
        let received = self.received.get().saturating_add(bytes);
        self.received.set(received);
        if received <= SUM_LIMIT {
            return Ok(());
        }
        Err(Error::new(
            Kind::Service,
            format!("{host} goes on sending: more than 128 MiB came in all; the rest is not read."),
        ))
    }

    fn client(&self, system: &System, way: &Way) -> Result<&reqwest::Client> {
        let cell = match way {
            Way::OfHost(_) => &self.of_host,
            Way::Direct(_) => &self.direct,
            Way::Through(_) => &self.through_proxy,
        };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        // Fails only when a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = on(way)?.tls_certs_merge(self.authorities(system)?);
        let client = builder.build().map_err(no_tls)?;
        Ok(cell.get_or_init(|| client))
    }

    /// The authorities that the environment names; what is left out of them is told once.
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

/// What holds for every client: no redirects, no proxy that it finds itself, time limits, a name.
fn careful() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .no_proxy()
        .connect_timeout(HOST_CONNECT_LIMIT)
        .redirect(reqwest::redirect::Policy::none())
        .read_timeout(READ_LIMIT)
        .timeout(REQUEST_LIMIT)
        .user_agent(concat!("azt/", env!("CARGO_PKG_VERSION")))
}

/// A client that takes this way.
fn on(way: &Way) -> Result<reqwest::ClientBuilder> {
    Ok(match way {
        Way::OfHost(_) => careful(),
        Way::Direct(_) => careful().connect_timeout(CONNECT_LIMIT),
        Way::Through(proxy) => careful().connect_timeout(CONNECT_LIMIT).proxy(proxy.for_client()?),
    })
}

/// A client for one request to the host's endpoint with a pinned certificate.
fn pinned_client(thumbprint: &str) -> Result<reqwest::Client> {
    let configuration = pinned::configuration(thumbprint).map_err(|error| {
        Error::new(Kind::Network, format!("Cannot set up TLS: {error}.")).source(error)
    })?;
    careful().tls_backend_preconfigured(configuration).build().map_err(no_tls)
}

/// Who issued the certificate that stands at the host of `url`, trusted or not: asked with a request
/// that carries nothing.
async fn issuer_at(url: &reqwest::Url, way: &Way) -> Option<String> {
    let mut url = url.clone();
    url.set_path("/");
    url.set_query(None);
    let careless = on(way).ok()?.timeout(HOST_CONNECT_LIMIT);
    let careless = careless.tls_danger_accept_invalid_certs(true).tls_info(true).build().ok()?;
    let answer = careless.head(url).send().await.ok()?;
    let info = answer.extensions().get::<reqwest::tls::TlsInfo>()?;
    let (_, certificate) = x509_parser::parse_x509_certificate(info.peer_certificate()?).ok()?;
    Some(Sentence::new(&certificate.issuer().to_string()).into())
}
