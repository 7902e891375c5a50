//! Reads the profile without building its entries.

use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::super::subscription::Subscription;
use super::{Profile, SUBSCRIPTIONS};

/// An entry with more brackets than this may be nested too deeply for the whole file.
const FEW_BRACKETS: usize = 100;

impl Profile {
    /// Reads `json`, a part of `file`. What this accepts, it reads as [`Profile::parse_whole`]
    /// does; it refuses more.
    pub(super) fn read(file: &Arc<String>, json: &str) -> serde_json::Result<Self> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let profile = RootIn(file).deserialize(&mut deserializer)?;
        deserializer.end().map(|()| profile)
    }
}

struct RootIn<'f>(&'f Arc<String>);

impl<'de> DeserializeSeed<'de> for RootIn<'_> {
    type Value = Profile;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Profile, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RootIn<'_> {
    type Value = Profile;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Profile, A::Error> {
        let mut root = Map::new();
        let mut subscriptions = Vec::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = if name == SUBSCRIPTIONS {
                if root.contains_key(SUBSCRIPTIONS) {
                    return Err(A::Error::custom("two lists"));
                }
                for entry in members.next_value::<Option<Vec<&RawValue>>>()?.unwrap_or_default() {
                    // A null entry describes no account.
                    if entry.get() != "null" {
                        subscriptions.push(self.entry(entry.get()).map_err(A::Error::custom)?);
                    }
                }
                Value::Null
            } else {
                members.next_value()?
            };
            root.insert(name, value);
        }
        Ok(Profile { root, subscriptions })
    }
}

impl RootIn<'_> {
    fn entry(&self, json: &str) -> serde_json::Result<Subscription> {
        let brackets = json.bytes().filter(|c| matches!(c, b'[' | b'{')).count();
        if brackets > FEW_BRACKETS {
            // As deep as it is in the file.
            serde_json::from_str::<Value>(&format!("[[{json}]]"))?;
        }
        Subscription::read(self.0, json)
    }
}
