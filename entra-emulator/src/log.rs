//! What was asked of the emulator.

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
    /// The query, decoded; of a repeated name the last one.
    pub query: BTreeMap<String, String>,
    /// The form body, decoded; empty when the body was none.
    pub form: BTreeMap<String, String>,
    /// All headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Whether it came in over TLS.
    pub https: bool,
    /// The status sent; `None` while the answer is being made, and for good when the connection
    /// was dropped instead.
    pub status: Option<u16>,
}

impl RequestLogEntry {
    /// The header of this name (any case), if it was sent.
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
    /// Notes a request and returns the name to give [`Log::answered`].
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
