//! The members of an entry that azt uses, read without building the others.
//!
//! A text stays where it is in the file. Every other member is parsed and dropped, so that an
//! entry is refused for the same reasons as when it is parsed into a [`Value`].

use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

use super::ASSIGNED_IDENTITY;
use crate::foreign::{Name, Sentence, is_true};

/// A text, sanitized.
#[derive(Clone, Debug)]
pub(super) enum Text {
    /// The text is in the file at this place, and needs no change.
    Here(Range<u32>),
    /// The text has escapes or was sanitized; or it is the digits of a number.
    Own(Box<str>),
}

/// The members of an entry. A text is `None` when the member is missing or has another type.
#[derive(Clone, Debug, Default)]
pub(super) struct Members {
    pub(super) id: Option<Text>,
    pub(super) name: Option<Text>,
    pub(super) state: Option<Text>,
    pub(super) tenant_id: Option<Text>,
    pub(super) tenant_default_domain: Option<Text>,
    pub(super) tenant_display_name: Option<Text>,
    pub(super) environment_name: Option<Text>,
    pub(super) user: User,
    pub(super) is_default: bool,
    /// False when `isDefault` is missing or, in any other spelling, no boolean.
    pub(super) has_boolean_default: bool,
}

/// The member `user`.
#[derive(Clone, Debug, Default)]
pub(super) struct User {
    pub(super) name: Option<Text>,
    pub(super) kind: Option<Text>,
    pub(super) assigned_identity: Option<Text>,
    pub(super) is_cloud_shell: bool,
    pub(super) use_cert_sn_issuer: bool,
}

impl Members {
    /// Reads the entry `json`.
    pub(super) fn read(json: &str) -> serde_json::Result<Self> {
        EntryIn(json)
            .deserialize(&mut serde_json::Deserializer::from_str(json))
            .map(|it| it.members)
    }
}

/// Where `part` is in `file`; `None` if it is a copy.
fn place(file: &str, part: &str) -> Option<Range<usize>> {
    let at = part.as_ptr().addr().checked_sub(file.as_ptr().addr())?;
    let place = at..at.checked_add(part.len())?;
    (place.end <= file.len()).then_some(place)
}

/// A value; the items of a list or an object are parsed and dropped.
enum Scalar<'t> {
    Here(&'t str),
    Own(String),
    Number(Number),
    Bool(bool),
    Other,
}

impl Scalar<'_> {
    fn text(self, file: &str) -> Option<Text> {
        let text = match self {
            Self::Here(text) if Name::is_clean(text) => return Some(here(file, text)),
            Self::Here(text) => Name::new(text).into(),
            Self::Own(text) => Name::new(&text).into(),
            Self::Number(number) => number.to_string(),
            Self::Bool(_) | Self::Other => return None,
        };
        Some(Text::Own(text.into()))
    }

    /// [`Scalar::text`] for the member that may be longer than a name.
    fn sentence(self, file: &str) -> Option<Text> {
        match self {
            Self::Here(text) => Some(Text::Own(String::from(Sentence::new(text)).into())),
            Self::Own(text) => Some(Text::Own(String::from(Sentence::new(&text)).into())),
            other => other.text(file),
        }
    }

    fn into_truth(self) -> bool {
        match self {
            Self::Here(text) => is_true(&text.into()),
            Self::Own(text) => is_true(&text.into()),
            Self::Number(number) => is_true(&Value::Number(number)),
            Self::Bool(truth) => truth,
            Self::Other => false,
        }
    }

    /// [`Scalar::into_truth`] of the sanitized value, in which a number is its digits.
    fn into_truth_when_clean(self) -> bool {
        match self {
            Self::Here(text) => is_true(&String::from(Name::new(text)).into()),
            Self::Own(text) => is_true(&String::from(Name::new(&text)).into()),
            Self::Number(number) => is_true(&number.to_string().into()),
            other => other.into_truth(),
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Here(text) => text,
            Self::Own(text) => text,
            _ => "",
        }
    }
}

fn here(file: &str, text: &str) -> Text {
    let place = place(file, text)
        .and_then(|place| Some(u32::try_from(place.start).ok()?..u32::try_from(place.end).ok()?));
    place.map_or_else(|| Text::Own(text.into()), Text::Here)
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyScalar)
    }
}

struct AnyScalar;

impl<'de> Visitor<'de> for AnyScalar {
    type Value = Scalar<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Number::from_f64(number).map_or(Scalar::Other, Scalar::Number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Here(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Own(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<Scalar<'_>>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        while members.next_entry::<Scalar<'_>, Scalar<'_>>()?.is_some() {}
        Ok(Scalar::Other)
    }
}

/// Reads an entry of this file. Of duplicate members the last one counts, as in a [`Value`].
pub(super) struct EntryIn<'f>(pub(super) &'f str);

/// An entry in a file.
pub(super) struct Entry {
    /// Where it starts. `None` if it is empty or the name of its first member has escapes.
    pub(super) start: Option<usize>,
    pub(super) members: Members,
}

impl<'de> DeserializeSeed<'de> for EntryIn<'_> {
    type Value = Entry;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Entry, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl EntryIn<'_> {
    /// Where the object starts whose first member has the name `name`: before it are a quote and
    /// white space.
    fn start(&self, name: &Scalar<'_>) -> Option<usize> {
        let Scalar::Here(name) = name else { return None };
        let before = self.0.get(..place(self.0, name)?.start)?;
        let start = before.strip_suffix('"')?.trim_end().strip_suffix('{')?;
        Some(start.len())
    }
}

impl<'de> Visitor<'de> for EntryIn<'_> {
    type Value = Entry;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entry, A::Error> {
        let mut members = Members::default();
        let mut start = None;
        let mut is_first = true;
        while let Some(name) = map.next_key::<Scalar<'_>>()? {
            if std::mem::take(&mut is_first) {
                start = self.start(&name);
            }
            let text = match name.as_str() {
                "id" => &mut members.id,
                "name" => &mut members.name,
                "state" => &mut members.state,
                "tenantId" => &mut members.tenant_id,
                "tenantDefaultDomain" => &mut members.tenant_default_domain,
                "tenantDisplayName" => &mut members.tenant_display_name,
                "environmentName" => &mut members.environment_name,
                "user" => {
                    members.user = map.next_value_seed(UserIn(self.0))?;
                    continue;
                }
                "isDefault" => {
                    let value = map.next_value::<Scalar<'_>>()?;
                    members.has_boolean_default = matches!(value, Scalar::Bool(_));
                    members.is_default = value.into_truth();
                    continue;
                }
                _ => {
                    map.next_value::<Scalar<'_>>()?;
                    continue;
                }
            };
            *text = map.next_value::<Scalar<'_>>()?.text(self.0);
        }
        Ok(Entry { start, members })
    }
}

/// Reads the member `user` of an entry of this file; anything but an object has no members.
struct UserIn<'f>(&'f str);

impl<'de> DeserializeSeed<'de> for UserIn<'_> {
    type Value = User;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<User, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for UserIn<'_> {
    type Value = User;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<User, A::Error> {
        let mut user = User::default();
        while let Some(name) = map.next_key::<Scalar<'_>>()? {
            let value = map.next_value::<Scalar<'_>>()?;
            match name.as_str() {
                "name" => user.name = value.text(self.0),
                "type" => user.kind = value.text(self.0),
                ASSIGNED_IDENTITY => user.assigned_identity = value.sentence(self.0),
                "cloudShellID" => user.is_cloud_shell = value.into_truth_when_clean(),
                "useCertSNIssuerAuth" => user.use_cert_sn_issuer = value.into_truth_when_clean(),
                _ => {}
            }
        }
        Ok(user)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<User, A::Error> {
        AnyScalar.visit_seq(items).map(|_| User::default())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<User, E> {
        Ok(User::default())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<User, E> {
        Ok(User::default())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<User, E> {
        Ok(User::default())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<User, E> {
        Ok(User::default())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<User, E> {
        Ok(User::default())
    }

    fn visit_unit<E: Error>(self) -> Result<User, E> {
        Ok(User::default())
    }
}
