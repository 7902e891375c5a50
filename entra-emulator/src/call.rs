//! A complete request, and the response to it.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Names and values of a query or a form.
pub(crate) type Params = BTreeMap<String, String>;

/// A request.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) path: String,
    /// The undecoded query, for links.
    pub(crate) raw_query: String,
    pub(crate) query: Params,
    pub(crate) form: Params,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
    pub(crate) https: bool,
}

impl Call {
    pub(crate) fn new(request: &hyper::http::request::Parts, body: Vec<u8>, https: bool) -> Self {
        let headers: BTreeMap<String, String> = request
            .headers
            .iter()
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                (name.as_str().to_owned(), value)
            })
            .collect();
        let is_form = headers
            .get("content-type")
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        let form = if is_form { pairs(&body) } else { Params::new() };
        let raw_query = request.uri.query().unwrap_or_default().to_owned();
        Self {
            method: request.method.as_str().to_owned(),
            path: request.uri.path().to_owned(),
            query: pairs(raw_query.as_bytes()),
            raw_query,
            form,
            headers,
            body,
            https,
        }
    }

    /// The header with this lower-case name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The form field, unless empty.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.form.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The query parameter, unless empty.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

fn pairs(text: &[u8]) -> Params {
    form_urlencoded::parse(text).into_owned().collect()
}

/// The members of a JSON object, so that a caller can add more.
pub(crate) fn fields(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// A response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("Content-Type".into(), content_type.into())],
            body: body.into(),
        }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json; charset=utf-8", body.to_string())
    }

    pub(crate) fn html(status: u16, body: String) -> Self {
        Self::new(status, "text/html; charset=utf-8", body).header("Cache-Control", "no-store")
    }

    pub(crate) fn redirect(location: &str) -> Self {
        Self::new(302, "text/plain", "")
            .header("Location", location)
            .header("Cache-Control", "no-store")
    }

    pub(crate) fn not_found() -> Self {
        Self::new(404, "text/plain", "The emulator has no such endpoint.\n")
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}
