//! Reads the profile without building its entries.

use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::super::subscription::{Subscription, SubscriptionIn};
use super::{Profile, SUBSCRIPTIONS};

impl Profile {
    /// Reads `json`, a part of `file`. What this accepts, it reads as [`Profile::parse_whole`]
    /// does; it refuses more.
    pub(super) fn read(file: &Arc<String>, json: &str) -> serde_json::Result<Self> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let profile = Deserializer::deserialize_map(&mut deserializer, RootIn(file))?;
        deserializer.end().map(|()| profile)
    }
}

struct RootIn<'f>(&'f Arc<String>);

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
                subscriptions = members.next_value_seed(EntriesIn(self.0))?;
                Value::Null
            } else {
                members.next_value()?
            };
            root.insert(name, value);
        }
        Ok(Profile { root, subscriptions })
    }
}

/// The list of entries. Refuses a null in it, and null instead of it.
struct EntriesIn<'f>(&'f Arc<String>);

impl<'de> DeserializeSeed<'de> for EntriesIn<'_> {
    type Value = Vec<Subscription>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for EntriesIn<'_> {
    type Value = Vec<Subscription>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut subscriptions = Vec::new();
        while let Some(entry) = entries.next_element_seed(SubscriptionIn(self.0))? {
            subscriptions.push(entry);
        }
        Ok(subscriptions)
    }
}
