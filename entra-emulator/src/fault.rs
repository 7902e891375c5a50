//! Faults: failures that a test orders for certain requests.

use crate::call::Call;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// One ordered failure. Of several that match a request the first one applies; delays apply in
/// addition to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// Part of the path (`/oauth2/v2.0/token`, `/subscriptions`); empty matches every request.
    #[serde(default)]
    pub path: String,
    /// Matches only requests whose form has this `grant_type`.
    #[serde(default)]
    pub grant_type: Option<String>,
    /// Number of requests that it applies to; `None`: all until it is removed.
    #[serde(default)]
    pub times: Option<u32>,
    /// The failure.
    pub action: Action,
}

/// What a [`Fault`] does to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Action {
    /// Sends this response instead of the real one.
    Answer {
        /// The HTTP status.
        status: u16,
        /// Headers, e.g. `Retry-After`. `Content-Type` is `application/json` unless given.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// The body.
        #[serde(default)]
        body: String,
    },
    /// [`Action::Answer`] that repeats parts of the request, as careless gateways do. In `body`,
    /// `{form}` is the undecoded form, `{values}` its decoded values and `{authorization}` that
    /// header.
    Echo {
        /// The HTTP status.
        status: u16,
        /// The `Content-Type`. In JSON the values are escaped.
        content_type: String,
        /// The body.
        body: String,
    },
    /// Sends an error in Entra's form (RFC 6749 5.2 and Entra's additions).
    EntraError {
        /// The HTTP status. Default: 400.
        #[serde(default = "bad_request")]
        status: u16,
        /// `invalid_grant`, `interaction_required`, `temporarily_unavailable`, …
        error: String,
        /// The number of the AADSTS code.
        code: u32,
        /// The sentence after `AADSTS<code>: `.
        #[serde(default)]
        description: String,
        /// `basic_action`, `bad_token`, `consent_required`, …
        #[serde(default)]
        suberror: Option<String>,
        /// The claims of the challenge, as JSON text.
        #[serde(default)]
        claims: Option<String>,
    },
    /// Delays the response.
    Delay {
        /// The delay.
        milliseconds: u64,
    },
    /// Sends the real response in another form; omitted members change nothing.
    Rewrite {
        /// The HTTP status of a success; errors keep theirs.
        #[serde(default)]
        status: Option<u16>,
        /// The encoding of the body.
        #[serde(default)]
        encoding: Option<Encoding>,
        /// The form of numbers in JSON.
        #[serde(default)]
        numbers: Option<Numbers>,
    },
    /// Closes the connection without a response, before the request has any effect.
    Drop,
    /// Sends only the first `keep` bytes of the real response's body, although `Content-Length` is
    /// that of the whole body; then closes the connection.
    Truncate {
        /// Number of bytes of the body to send.
        keep: usize,
    },
}

/// An encoding of text. UTF-16 without a byte order mark and Latin-1 are named in `Content-Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Encoding {
    /// UTF-8 with a byte order mark.
    Utf8Bom,
    /// UTF-16, little-endian.
    Utf16Le,
    /// UTF-16, little-endian, with a byte order mark.
    Utf16LeBom,
    /// UTF-16, big-endian.
    Utf16Be,
    /// UTF-16, big-endian, with a byte order mark.
    Utf16BeBom,
    /// Latin-1; other characters become `?`.
    Latin1,
}

/// The form of numbers in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Numbers {
    /// As text.
    Text,
    /// With a decimal point.
    Float,
}

impl Encoding {
    /// The bytes of `text`, and the charset for `Content-Type`.
    pub(crate) fn bytes_of(self, text: &str) -> (Vec<u8>, Option<&'static str>) {
        let utf16 = |mark: &str, bytes: fn(u16) -> [u8; 2]| {
            mark.encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect()
        };
        match self {
            Self::Utf8Bom => (format!("{BOM}{text}").into_bytes(), None),
            Self::Utf16Le => (utf16("", u16::to_le_bytes), Some("utf-16")),
            Self::Utf16LeBom => (utf16(BOM, u16::to_le_bytes), None),
            Self::Utf16Be => (utf16("", u16::to_be_bytes), Some("utf-16be")),
            Self::Utf16BeBom => (utf16(BOM, u16::to_be_bytes), None),
            Self::Latin1 => {
                let byte = |c: char| u8::try_from(u32::from(c)).unwrap_or(b'?');
                (text.chars().map(byte).collect(), Some("iso-8859-1"))
            }
        }
    }
}

const BOM: &str = "\u{feff}";

impl Numbers {
    /// Returns `value` with all numbers in this form.
    pub(crate) fn rewrite(self, value: Value) -> Value {
        match value {
            Value::Number(number) => match self {
                Self::Text => number.to_string().into(),
                Self::Float => number.as_f64().into(),
            },
            Value::Array(items) => items.into_iter().map(|item| self.rewrite(item)).collect(),
            Value::Object(members) => {
                members.into_iter().map(|(name, value)| (name, self.rewrite(value))).collect()
            }
            other => other,
        }
    }
}

const fn bad_request() -> u16 {
    400
}

impl Fault {
    /// Makes a fault for every request whose path contains `path`.
    pub fn on(path: &str, action: Action) -> Self {
        Self { path: path.into(), grant_type: None, times: None, action }
    }

    /// Restricts it to token requests with this `grant_type`.
    #[must_use]
    pub fn grant_type(mut self, grant_type: &str) -> Self {
        self.grant_type = Some(grant_type.into());
        self
    }

    /// Restricts it to the next `times` matching requests.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    fn matches(&self, call: &Call) -> bool {
        self.times != Some(0)
            && call.path.contains(&self.path)
            && (self.grant_type.is_none()
                || self.grant_type.as_ref() == call.form.get("grant_type"))
    }
}

/// The actions for this request, in order: delays, then at most one other action. Counts them as
/// used.
pub(crate) fn take(faults: &mut Vec<Fault>, call: &Call) -> Vec<Action> {
    let mut actions = Vec::new();
    for fault in faults.iter_mut() {
        if fault.matches(call) {
            fault.times = fault.times.map(|times| times - 1);
            actions.push(fault.action.clone());
            if !matches!(fault.action, Action::Delay { .. }) {
                break;
            }
        }
    }
    faults.retain(|fault| fault.times != Some(0));
    actions
}
