//! The log of requests.

use crate::call::Call;
use serde::Serialize;
use std::collections::BTreeMap;

/// One request, in the order of arrival. Requests to `/_emulator/…` are not logged.
#[derive(Clone, Debug, Serialize)]
pub struct RequestLogEntry {
    #[serde(skip)]
    pub(crate) id: u64,
    /// `GET`, `POST`, …
    pub method: String,
    /// The path as sent, without the query.
    pub path: String,
    /// The decoded query; of a repeated name the last value.
    pub query: BTreeMap<String, String>,
    /// The decoded form; empty if the body was no form.
    pub form: BTreeMap<String, String>,
    /// All headers, with lower-case names.
    pub headers: BTreeMap<String, String>,
    /// True if it came over TLS.
    pub https: bool,
    /// The status of the response; `None` until it is sent, and if a fault closed the connection
    /// instead.
    pub status: Option<u16>,
}

impl RequestLogEntry {
    /// The header with this name (any case), if it was sent.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(&name.to_ascii_lowercase()).map(String::as_str)
    }

    /// The `grant_type` of a token request.
    pub fn grant_type(&self) -> Option<&str> {
        self.form.get("grant_type").map(String::as_str)
    }
}

/// All requests so far.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) entries: Vec<RequestLogEntry>,
    next: u64,
}

impl Log {
    /// Adds a request and returns its id for [`Log::answered`].
    pub(crate) fn arrived(&mut self, call: &Call) -> u64 {
        let id = self.next;
        self.next += 1;
        self.entries.push(RequestLogEntry {
            id,
            method: call.method.clone(),
            path: call.path.clone(),
            query: call.query.clone(),
            form: call.form.clone(),
            headers: call.headers.clone(),
            https: call.https,
            status: None,
        });
        id
    }

    pub(crate) fn answered(&mut self, id: u64, status: u16) {
        if let Some(entry) = self.entries.iter_mut().rev().find(|entry| entry.id == id) {
            entry.status = Some(status);
        }
    }
}
