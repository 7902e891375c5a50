//! Lenient parsing of answers: missing or invalid members, numbers as strings, booleans in any
//! spelling.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A time or a duration in seconds, from a number or its text. Fractions are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seconds(pub(crate) i64);

/// An element of a list; `None` if it is not a `T`, so that the other elements are kept.
#[derive(Debug, Deserialize)]
#[serde(transparent, bound(deserialize = "T: DeserializeOwned"))]
pub(crate) struct Loose<T>(#[serde(deserialize_with = "lenient")] pub Option<T>);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = match Value::deserialize(deserializer)? {
            Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
            Value::String(text) => {
                let text = text.trim();
                text.parse().ok().or_else(|| whole(text.parse().ok()?))
            }
            _ => None,
        };
        seconds.map(Self).ok_or_else(|| Error::custom("not a number of seconds"))
    }
}

#[allow(clippy::cast_possible_truncation, reason = "saturates, and drops the fraction on purpose")]
fn whole(seconds: f64) -> Option<i64> {
    seconds.is_finite().then_some(seconds as i64)
}

/// Parses a `T` from the JSON `text`. Of duplicate members the last one counts, as in other
/// parsers.
///
/// # Errors
/// `text` is not JSON or does not match `T`.
pub(crate) fn from_json<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    serde_json::from_str(text).or_else(|error: serde_json::Error| {
        // serde refuses duplicate members, but a `Value` keeps the last. Only a fallback, because
        // the `Value` leaves copies of secrets in memory.
        if error.is_data() {
            serde_json::from_str::<Value>(text).and_then(serde_json::from_value)
        } else {
            Err(error)
        }
    })
}

/// Deserialises a member to `None` if it is not a `T`. Use it as
/// `#[serde(default, deserialize_with = "crate::foreign::lenient")]`.
pub(crate) fn lenient<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    // `from_value` moves strings out of the value, so no copy of a secret remains.
    Value::deserialize(deserializer).map(|value| serde_json::from_value(value).ok())
}

/// Like [`lenient`], but returns the default value instead of `None`.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    lenient(deserializer).map(Option::unwrap_or_default)
}

/// True for `true`, for any number except 0, and for any string except the empty one, `0` and
/// `false`.
pub(crate) fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !["", "0", "false"].contains(&text.trim().to_lowercase().as_str()),
        _ => false,
    }
}

/// Decodes base64 in the standard or the URL alphabet, with or without padding.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let standard = text.trim().replace('-', "+").replace('_', "/");
    GeneralPurpose::new(&STANDARD, config).decode(standard).ok()
}
