//! The HTTP client: no redirects, bounded answers, TLS except to this machine and its link.
#![allow(clippy::disallowed_methods, reason = "this module wraps the banned functions")]

use std::cell::{Cell, OnceCell};
use std::time::Duration;

use hyper::body::Bytes;
use hyper::ext::ReasonPhrase;
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
use super::request::{Expected, FORM, Request};
use super::sent::Sent;
use super::tls::{Authorities, extra_authorities};
use super::unreachable::{no_tls, unreachable_host};
use super::{System, pinned, text, xml};
use crate::error::{Error, Kind, Result};
use crate::foreign::{self, Sentence};

/// Time for DNS, TCP and TLS together.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// Time to connect to an endpoint of this host. It is short because machines without that endpoint
/// drop the packets.
const HOST_CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// Time to wait for each piece of an answer, including the first.
const READ_LIMIT: Duration = Duration::from_secs(15);
/// Time for a whole request.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);
/// Time to wait for each piece of an answer to a request of the user's own. Queries of Log Analytics
/// may take this long.
const USER_READ_LIMIT: Duration = Duration::from_mins(10);
/// Time for the whole of such a request, which may be the download of a large file.
const USER_REQUEST_LIMIT: Duration = Duration::from_hours(24);
/// Largest accepted answer, in bytes. A page of 1,000 subscriptions is about 1 MiB.
const BODY_LIMIT: usize = 16 * 1024 * 1024;
/// Largest accepted XML document, in bytes. The metadata of a federation server is about 100 KiB.
const XML_LIMIT: usize = 1024 * 1024;
/// Largest sum of all answers to one process, in bytes. A list of 100,000 subscriptions fits.
const SUM_LIMIT: usize = 128 * 1024 * 1024;
/// Initial capacity for a body, in bytes. A token response fits.
const USUAL_BODY: usize = 32 * 1024;

/// What takes the body of an answer, piece by piece.
pub(crate) type Sink<'s> = &'s mut dyn FnMut(&[u8]) -> Result<()>;

/// An HTTP response of any status.
pub(crate) struct Response {
    /// HTTP status.
    pub(crate) status: u16,
    /// Headers.
    pub(crate) headers: HeaderMap,
    /// The body, wiped on drop because it may hold tokens. It is private so that callers use
    /// [`Response::json`] or [`Response::complaint`], which handle the servers' variations.
    text: Zeroizing<String>,
    /// The reason phrase of the status, if the server has its own.
    own_reason: Option<String>,
    sent: Sent,
}

impl Response {
    /// Makes a response; `body` is decoded by its byte order mark and its `Content-Type`.
    pub(crate) fn new(status: u16, headers: HeaderMap, body: &[u8]) -> Self {
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let text = text::of_answer(body, content_type);
        Self { status, headers, text, own_reason: None, sent: Sent::default() }
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

    /// The whole body, for the user who asked for it.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The reason phrase of the status: `Not Found`.
    pub(crate) fn reason(&self) -> String {
        let usual = || {
            let status = reqwest::StatusCode::from_u16(self.status).ok();
            status.and_then(|status| status.canonical_reason()).unwrap_or_default().to_owned()
        };
        self.own_reason.clone().unwrap_or_else(usual)
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
        self.receive(system, request, None).await
    }

    /// Like [`Http::send`]; the body of a success goes to `sink`, if there is one, however large it is.
    ///
    /// # Errors
    /// As for [`Http::send`], and those of `sink`.
    pub(crate) async fn receive(
        &self,
        system: &System,
        request: Request,
        mut sink: Option<Sink<'_>>,
    ) -> Result<Response> {
        let url = request.url.url();
        let way = Way::to(&request.url, &system.env)?;
        system.terminal.debug(&format!("{} is asked {way}", request.url.environment()));
        let pinned = request.pin.as_deref().map(pinned_client).transpose()?;
        let patient;
        let client = match &pinned {
            Some(client) => client,
            None if request.expected == Expected::Anything => {
                patient = self.build(system, patient_client(&way)?)?;
                &patient
            }
            None => self.client(system, &way)?,
        };
        let host = request.url.host();
        let mut builder = client.request(request.method.into(), url.clone());
        for (name, value) in request.headers {
            builder = builder.header(name, value);
        }
        for (name, secret) in &request.secret_headers {
            let mut value = HeaderValue::from_str(secret.expose())
                .map_err(|_| Error::new(Kind::Service, "The token cannot be sent in a header."))?;
            value.set_sensitive(true);
            builder = builder.header(name, value);
        }
        let headers = request.secret_headers.into_iter().map(|(_, secret)| secret).collect();
        let mut sent = Sent { form: Bytes::new(), headers, in_body: request.body_secret };
        if let Some((content_type, text)) = request.body {
            // Shares the text instead of copying it; the last owner wipes it.
            let text = Bytes::from_owner(text);
            if content_type == Some(FORM) {
                sent.form = text.clone();
            }
            if let Some(content_type) = content_type {
                builder = builder.header(CONTENT_TYPE, content_type);
            }
            builder = builder.body(text);
        }
        let mut answer = match builder.send().await {
            Ok(answer) => answer,
            Err(error) => {
                return Err(unanswered(&error, &request.url, &way, pinned.is_some()).await);
            }
        };
        let status = answer.status().as_u16();
        let own_reason = answer.extensions().get::<ReasonPhrase>();
        let own_reason =
            own_reason.map(|it| Sentence::new(&String::from_utf8_lossy(it.as_bytes())).into());
        let headers = answer.headers().clone();
        let size = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len();
        self.count(headers.iter().map(size).sum(), host)?;
        // Allocated once: a growing vector would leave copies that are not wiped.
        let limit = if request.expected == Expected::Xml { XML_LIMIT } else { BODY_LIMIT };
        let length = answer.content_length().and_then(|it| usize::try_from(it).ok()).unwrap_or(0);
        let mut body = Zeroizing::new(Vec::with_capacity(length.clamp(USUAL_BODY, limit)));
        while let Some(chunk) =
            answer.chunk().await.map_err(|error| unreachable_host(host, &error, &way))?
        {
            if let Some(sink) = sink.as_mut().filter(|_| (200..300).contains(&status)) {
                sink(&chunk)?;
                continue;
            }
            self.count(chunk.len(), host)?;
            if body.len() + chunk.len() > limit {
                let text = format!("{host} sent an answer of more than {} MiB.", limit >> 20);
                let error = Error::new(Kind::Service, text);
                return Err(match request.expected {
                    Expected::Anything => error.remedy("Save it to a file: --output-file FILE"),
                    _ => error,
                });
            }
            body.extend_from_slice(&chunk);
        }
        let answer = Response { own_reason, sent, ..Response::new(status, headers, &body) };
        let begins = match request.expected {
            Expected::Json => |text: &str| text.starts_with('<'),
            Expected::Xml => xml::is_web_page,
            Expected::Anything => |_: &str| false,
        };
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
        let client = self.build(system, client_for(way)?)?;
        Ok(cell.get_or_init(|| client))
    }

    fn build(&self, system: &System, builder: reqwest::ClientBuilder) -> Result<reqwest::Client> {
        // Fails only if a provider is already installed, which does no harm.
        let _ = rustls::crypto::ring::default_provider().install_default();
        builder.tls_certs_merge(self.authorities(system)?).build().map_err(no_tls)
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

/// The settings of a client for one request of the user's own.
fn patient_client(way: &Way) -> Result<reqwest::ClientBuilder> {
    Ok(client_for(way)?.read_timeout(USER_READ_LIMIT).timeout(USER_REQUEST_LIMIT))
}

/// Builds a client for one request to a host endpoint with a pinned certificate.
fn pinned_client(thumbprint: &str) -> Result<reqwest::Client> {
    let configuration = pinned::configuration(thumbprint).map_err(|error| {
        Error::new(Kind::Network, format!("Cannot set up TLS: {error}.")).source(error)
    })?;
    base_client().tls_backend_preconfigured(configuration).build().map_err(no_tls)
}

/// Why there was no answer.
async fn unanswered(
    error: &reqwest::Error,
    url: &EndpointUrl,
    way: &Way,
    is_pinned: bool,
) -> Error {
    let host = url.host();
    let refused = refused_certificate(error).filter(|_| !is_pinned);
    // An https proxy has a certificate too, which may be the refused one.
    let proxy = match way {
        Way::Through(proxy) if proxy.is_encrypted() => Some(proxy),
        _ => None,
    };
    let holder = match proxy {
        Some(proxy) => &format!("{host}, or of the proxy {proxy},"),
        None => host,
    };
    match refused {
        Some(reason) if is_unknown_authority(reason) => {
            // The unverified request of `issuer_at` would show the proxy the password.
            let issuer = match proxy {
                Some(_) => None,
                None => issuer_at(url.url(), way).await,
            };
            unknown_authority(holder, issuer)
        }
        Some(reason) => unfit_certificate(holder, reason),
        None => unreachable_host(host, error, way),
    }
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
