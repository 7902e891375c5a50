//! What others write loosely: members that are missing or odd, numbers as text, truths in any spelling.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A time or a length of time in seconds: a number, whole or not, or the text of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seconds(pub(crate) i64);

/// An element of a list that counts if it is a `T`: one that is odd does not cost the others.
#[derive(Debug, Deserialize)]
#[serde(transparent, bound(deserialize = "T: DeserializeOwned"))]
pub(crate) struct Loose<T>(#[serde(deserialize_with = "if_it_is_one")] pub Option<T>);

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
        seconds.map(Self).ok_or_else(|| Error::custom("no seconds"))
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "saturates; a fraction of a second is meant to go"
)]
fn whole(seconds: f64) -> Option<i64> {
    seconds.is_finite().then_some(seconds as i64)
}

/// The `T` in the JSON `text`. Of members that are there twice the last counts, as everywhere else.
///
/// # Errors
/// It is no JSON, or no `T`.
pub(crate) fn from_json<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    serde_json::from_str(text).or_else(|error: serde_json::Error| {
        // A value has each member once. The way round by it leaves copies of secrets.
        if error.is_data() {
            serde_json::from_str::<Value>(text).and_then(serde_json::from_value)
        } else {
            Err(error)
        }
    })
}

/// A member that counts if it makes sense: `None` for anything that is no `T`
/// (`#[serde(default, deserialize_with = "crate::foreign::if_it_is_one")]`).
pub(crate) fn if_it_is_one<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    // A secret moves on from the value, which leaves no copy of it.
    Value::deserialize(deserializer).map(|value| serde_json::from_value(value).ok())
}

/// [`if_it_is_one`] for a member that has a value in any case.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    if_it_is_one(deserializer).map(Option::unwrap_or_default)
}

/// True for what others write for a truth: `true`, a number but 0, a text but the empty one, `0` and
/// `false`.
pub(crate) fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !["", "0", "false"].contains(&text.trim().to_lowercase().as_str()),
        _ => false,
    }
}

/// The bytes in base64 of either alphabet, padded or not.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    let lenient = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let standard = text.trim().replace('-', "+").replace('_', "/");
    GeneralPurpose::new(&STANDARD, lenient).decode(standard).ok()
}
