//! Times as MSAL writes them: seconds since 1970-01-01 UTC as text of decimal digits.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde demands")]
pub(super) fn serialize<S: Serializer>(time: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    deserializer.deserialize_any(Seconds)
}

/// The same for an optional time.
pub(super) mod option {
    use serde::{Deserialize, Deserializer, Serializer};

    #[derive(Deserialize)]
    struct Present(#[serde(deserialize_with = "super::deserialize")] i64);

    #[allow(clippy::ref_option, reason = "the signature that serde demands")]
    pub(in super::super) fn serialize<S: Serializer>(
        time: &Option<i64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => serializer.collect_str(time),
            None => serializer.serialize_none(),
        }
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<i64>, D::Error> {
        let time = Option::<Present>::deserialize(deserializer)?;
        Ok(time.map(|Present(seconds)| seconds))
    }
}

struct Seconds;

impl Visitor<'_> for Seconds {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("seconds since 1970-01-01, as digits or a number")
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<i64, E> {
        Ok(seconds)
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<i64, E> {
        i64::try_from(seconds).map_err(E::custom)
    }

    #[allow(clippy::cast_possible_truncation, reason = "fractions of a second are dropped")]
    fn visit_f64<E: Error>(self, seconds: f64) -> Result<i64, E> {
        Ok(seconds as i64)
    }

    fn visit_str<E: Error>(self, digits: &str) -> Result<i64, E> {
        digits.trim().parse().map_err(E::custom)
    }
}
