//! The type for secrets.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// A token, password, client secret or assertion, as UTF-8 text. It cannot be printed and is wiped
/// on drop.
///
/// It has no `Display`, and its `Debug` does not show the text. [`Secret::expose`] marks every
/// place where the text leaves this type.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Makes a secret of `text`. A `String` is not copied; it is wiped with the secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// `value` as JSON; empty if that fails. If it needs more than `room` bytes, copies of its parts
    /// remain in memory.
    pub(crate) fn json(value: &impl Serialize, room: usize) -> Self {
        let mut text = Zeroizing::new(Vec::with_capacity(room));
        let is_done = serde_json::to_writer(&mut *text, value).is_ok();
        let text = String::from_utf8(std::mem::take(&mut *text)).map(Zeroizing::new);
        Self(text.ok().filter(|_| is_done).unwrap_or_default())
    }

    /// Returns the text.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// True if the text is `other`, in a time that tells nothing of it but its length.
    pub(crate) fn is(&self, other: &str) -> bool {
        use subtle::ConstantTimeEq;
        self.0.as_bytes().ct_eq(other.as_bytes()).into()
    }

    /// True if the text is empty.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// Serialises the text of a secret: `#[serde(serialize_with = "crate::secret::exposed")]`.
///
/// `Secret` does not implement `Serialize`, so each field that is written must ask for it by this
/// function. Only the vault's records do; they are sealed before they reach a disk.
pub(crate) fn exposed<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

/// Like [`exposed`] for an optional secret; `None` becomes `null`.
#[allow(clippy::ref_option, reason = "the signature that serde's serialize_with demands")]
pub(crate) fn exposed_option<S: Serializer>(
    secret: &Option<Secret>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => serializer.serialize_some(secret.expose()),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_the_text() {
        let shown = format!("{:?}", Secret::new("hunter2"));
        assert_eq!(shown, "Secret(..)");
    }
}
