//! A request with its redirects.

use super::granted::Granted;
use super::pairs;
use crate::error::{Error, Kind, Result};
use crate::foreign::Sentence;
use crate::secret::Secret;
use crate::settings::python_json;
use crate::sys::{EndpointUrl, Method, Request, Response, Sink, System, random_uuid};

/// Most redirects, as in az.
const MOST: usize = 30;

/// What goes out.
pub(super) struct Outgoing<'r> {
    method: Method,
    headers: Vec<(String, Secret)>,
    body: Option<&'r Secret>,
    /// The body, if it was typed in Python's notation of JSON.
    rewritten: Option<Secret>,
    is_json: bool,
    pub(super) token: Option<Granted>,
}

impl<'r> Outgoing<'r> {
    pub(super) fn new(
        method: Method,
        headers: Vec<(String, Secret)>,
        body: Option<&'r Secret>,
        token: Option<Granted>,
    ) -> Self {
        let text = body.map_or("", Secret::expose);
        let value = pairs::json(text);
        let is_json = value.is_some();
        // JSON goes out as it was typed: reading it would lose digits of long numbers.
        let rewritten = value
            .filter(|_| serde_json::from_str::<serde::de::IgnoredAny>(text).is_err())
            .and_then(|value| String::from_utf8(python_json(&value).ok()?).ok())
            .map(Secret::new);
        Self { method, headers, body, rewritten, is_json, token }
    }

    /// Sends it to `url` and follows redirects, to the same origin only: another host would get what
    /// is meant for this one.
    pub(super) async fn exchange(
        &self,
        url: &EndpointUrl,
        sink: &mut Option<Sink<'_>>,
        system: &System,
    ) -> Result<Response> {
        let (mut method, mut url, mut keeps_body) = (self.method, url.clone(), true);
        for _ in 0..=MOST {
            system.terminal.debug(&format!("{} {}", method.name(), url.without_query()));
            let request = self.request(method, &url, keeps_body)?;
            let sink: Option<Sink<'_>> = match sink {
                Some(sink) => Some(&mut **sink),
                None => None,
            };
            let response = system.http.receive(system, request, sink).await?;
            system.terminal.debug(&format!("{} {}", response.status, response.reason()));
            let is_redirect = matches!(response.status, 301 | 302 | 303 | 307 | 308);
            let Some(location) = response.header("location").filter(|_| is_redirect) else {
                return Ok(response);
            };
            url = redirected(&url, location)?;
            keeps_body &= matches!(response.status, 307 | 308);
            method = match (response.status, method) {
                (302 | 303, Method::Head) | (307 | 308, _) => method,
                (302 | 303, _) | (301, Method::Post) => Method::Get,
                _ => method,
            };
        }
        let text = format!("{} redirects without end.", url.environment());
        Err(Error::new(Kind::Service, text))
    }

    fn request(&self, method: Method, url: &EndpointUrl, keeps_body: bool) -> Result<Request> {
        let has = |wanted: &str| self.headers.iter().any(|it| it.0.eq_ignore_ascii_case(wanted));
        let body = self.rewritten.as_ref().or(self.body).filter(|_| keeps_body);
        let mut request = Request::of_user(method, url, body);
        if self.is_json && body.is_some() && !has("content-type") {
            request = request.header("content-type", "application/json");
        }
        if !has("x-ms-client-request-id") {
            request = request.header("x-ms-client-request-id", random_uuid()?);
        }
        let is_kept = |name: &str| keeps_body || !name.eq_ignore_ascii_case("content-type");
        for (name, value) in self.headers.iter().filter(|(name, _)| is_kept(name)) {
            request = request.header_of_user(name, value)?;
        }
        Ok(match &self.token {
            Some(granted) => request.bearer(granted.secret()),
            None => request,
        })
    }
}

/// Where `location` leads from `url`.
///
/// # Errors
/// [`Kind::Refused`]: to another origin.
fn redirected(url: &EndpointUrl, location: &str) -> Result<EndpointUrl> {
    let next = url.joined(location);
    if let Ok(next) = &next
        && next.same_origin(url)
    {
        return Ok(next.clone());
    }
    let place = next.map_or_else(|_| "another place".to_owned(), |next| next.environment());
    let text = format!(
        "{} redirects to {}. azt follows redirects only to the same host; nothing was sent there.",
        url.environment(),
        Sentence::new(&place)
    );
    Err(Error::new(Kind::Refused, text)
        .remedy("If you trust that host, ask it with --url and --skip-authorization-header."))
}
