//! Faults: what goes wrong, where, and how often.

use crate::call::Call;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// One thing that goes wrong. Of several that fit a request the first one pushed is taken, but
/// delays are served and the search goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// Part of the path (`/oauth2/v2.0/token`, `/subscriptions`); empty fits every request.
    #[serde(default)]
    pub path: String,
    /// Only requests whose form has this `grant_type`.
    #[serde(default)]
    pub grant_type: Option<String>,
    /// How many requests it hits; `None`: all until cleared.
    #[serde(default)]
    pub times: Option<u32>,
    /// What happens.
    pub action: Action,
}

/// What a [`Fault`] does to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Action {
    /// This answer instead of the real one.
    Answer {
        /// The HTTP status.
        status: u16,
        /// Headers, e.g. `Retry-After`. `Content-Type` is `application/json` unless given.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// The body as it is.
        #[serde(default)]
        body: String,
    },
    /// [`Action::Answer`] with what the request said in it, as careless gateways answer: in `body`
    /// stands `{form}` for the form as it came, `{values}` for its values as they were meant,
    /// `{authorization}` for that header.
    Echo {
        /// The HTTP status.
        status: u16,
        /// The `Content-Type`. In JSON the values are escaped.
        content_type: String,
        /// The body.
        body: String,
    },
    /// An error in Entra's shape (RFC 6749 5.2 and Entra's additions).
    EntraError {
        /// The HTTP status. 400.
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
        /// The claims to come back with, as JSON text.
        #[serde(default)]
        claims: Option<String>,
    },
    /// The answer comes this much later.
    Delay {
        /// How much later.
        milliseconds: u64,
    },
    /// The real answer, written otherwise: what is left out stays as it is.
    Rewrite {
        /// The HTTP status of a success; errors keep theirs.
        #[serde(default)]
        status: Option<u16>,
        /// How the bytes of the body are to be read.
        #[serde(default)]
        encoding: Option<Encoding>,
        /// How the numbers in JSON are written.
        #[serde(default)]
        numbers: Option<Numbers>,
    },
    /// The connection is closed without an answer, before the request has any effect.
    Drop,
    /// The real answer, of which only the first `keep` bytes of the body are sent although
    /// `Content-Length` promises all; then the connection is closed.
    Truncate {
        /// How many bytes of the body are sent.
        keep: usize,
    },
}

/// An encoding of text; without a byte order mark `Content-Type` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Encoding {
    /// UTF-8 behind a byte order mark.
    Utf8Bom,
    /// UTF-16, the low byte first.
    Utf16Le,
    /// The same behind a byte order mark.
    Utf16LeBom,
    /// UTF-16, the high byte first.
    Utf16Be,
    /// The same behind a byte order mark.
    Utf16BeBom,
    /// One byte a character, those beyond as `?`.
    Latin1,
}

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Numbers {
    /// As text.
    Text,
    /// With a decimal point.
    Float,
}

impl Encoding {
    /// The bytes of `text`, and the charset that is named.
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
    /// `value` with its numbers so written.
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
    /// A fault for every request whose path contains `path`.
    pub fn on(path: &str, action: Action) -> Self {
        Self { path: path.into(), grant_type: None, times: None, action }
    }

    /// Only for token requests with this `grant_type`.
    #[must_use]
    pub fn grant_type(mut self, grant_type: &str) -> Self {
        self.grant_type = Some(grant_type.into());
        self
    }

    /// Only for the next `times` requests that fit.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    fn fits(&self, call: &Call) -> bool {
        self.times != Some(0)
            && call.path.contains(&self.path)
            && (self.grant_type.is_none()
                || self.grant_type.as_ref() == call.form.get("grant_type"))
    }
}

/// The actions this request is in for, in order; at most the last one is no delay.
pub(crate) fn take(faults: &mut Vec<Fault>, call: &Call) -> Vec<Action> {
    let mut actions = Vec::new();
    for fault in faults.iter_mut() {
        if fault.fits(call) {
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
