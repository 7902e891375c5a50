//! The vault key: 32 random bytes, from which all other keys are derived.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::vault_failure;
use crate::error::Result;
use crate::sys;

/// Length of the key, in bytes.
const LENGTH: usize = 32;

/// The key. It cannot be printed, and is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct VaultKey {
    bytes: Zeroizing<[u8; LENGTH]>,
    id: KeyId,
    /// Derived keys for file keys and file names; see `seal`.
    seal_key: Zeroizing<[u8; LENGTH]>,
    name_key: Zeroizing<[u8; LENGTH]>,
}

/// Identifies a key: 8 bytes derived from it, which reveal nothing about it. It is in `vault.json`
/// and in every sealed file, and names the key in keyrings. Written as 16 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId([u8; 8]);

impl VaultKey {
    /// A new key from the operating system's generator.
    pub(crate) fn generate() -> Result<Self> {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        sys::fill_random(bytes.as_mut_slice())?;
        Self::new(bytes).ok_or_else(|| vault_failure("The vault key cannot be created."))
    }

    /// Never `None`: HKDF can derive up to 8,160 bytes.
    fn new(bytes: Zeroizing<[u8; LENGTH]>) -> Option<Self> {
        // RFC 5869 section 2.2, with an empty salt.
        let extracted = Salt::new(HKDF_SHA256, &[]).extract(bytes.as_slice());
        let id = KeyId(*derive(&extracted, b"azt vault 1: key id")?);
        let seal_key = derive(&extracted, b"azt vault 1: seal")?;
        let name_key = derive(&extracted, b"azt vault 1: name")?;
        Some(Self { bytes, id, seal_key, name_key })
    }

    /// The key with these 32 bytes; `None` for any other length.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::new(Zeroizing::new(bytes.try_into().ok()?))
    }

    /// Parses 64 hex digits, or base64 of 32 bytes (44 characters, RFC 4648 section 4). Ignores
    /// white space around the text, such as the line end of a file.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let bytes = match text.len() {
            64 => from_hex(text)?,
            44 => Zeroizing::new(STANDARD.decode(text).ok()?),
            _ => return None,
        };
        Self::from_bytes(&bytes)
    }

    /// The key as 64 hex digits.
    pub(crate) fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex(self.bytes.as_slice()))
    }

    /// The bytes.
    pub(crate) fn expose(&self) -> &[u8] {
        self.bytes.as_slice()
    }

    /// The key's id.
    pub(crate) fn id(&self) -> KeyId {
        self.id
    }

    /// The root of the file keys.
    pub(in crate::vault) fn seal_key(&self) -> &Zeroizing<[u8; LENGTH]> {
        &self.seal_key
    }

    /// The HMAC key of file names.
    pub(in crate::vault) fn name_key(&self) -> &[u8] {
        self.name_key.as_slice()
    }
}

/// HKDF-Expand with SHA-256 (RFC 5869 section 2.3) and `purpose` as info.
fn derive<const N: usize>(extracted: &Prk, purpose: &[u8]) -> Option<Zeroizing<[u8; N]>> {
    let mut derived = Zeroizing::new([0; N]);
    extracted
        .expand(&[purpose], Length(N))
        .and_then(|okm| okm.fill(derived.as_mut_slice()))
        .ok()?;
    Some(derived)
}

impl fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VaultKey({})", self.id())
    }
}

impl KeyId {
    /// The id with these bytes.
    pub(crate) fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub(crate) fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl TryFrom<String> for KeyId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        from_hex(&text)
            .and_then(|bytes| bytes.as_slice().try_into().ok().map(Self))
            .ok_or("a key id has 16 hex digits")
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> Self {
        id.to_string()
    }
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// Lower-case hex digits of `bytes`.
pub(in crate::vault) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or('0');
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

fn from_hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() / 2));
    let mut digits = text.chars().map(|digit| digit.to_digit(16));
    while let Some(high) = digits.next() {
        bytes.push(u8::try_from(high? << 4 | digits.next()??).ok()?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_and_base64_of_the_same_bytes_are_the_same_key() {
        let key = VaultKey::from_bytes(&[0xAB; 32]).unwrap();
        assert_eq!(VaultKey::parse(&"aB".repeat(32)), Some(key.clone()));
        let base64 = STANDARD.encode([0xAB; 32]);
        assert_eq!(VaultKey::parse(&format!(" {base64}\n")), Some(key.clone()));
        assert_eq!(VaultKey::parse(&key.to_hex()), Some(key));
    }

    #[test]
    fn other_text_is_not_a_key() {
        for text in
            ["", "hunter2", &"ab".repeat(31), &"zz".repeat(32), &"é".repeat(32), &"=".repeat(44)]
        {
            assert_eq!(VaultKey::parse(text), None, "{text}");
        }
    }

    #[test]
    fn debug_output_of_a_key_is_its_id() {
        let key = VaultKey::from_bytes(&[7; 32]).unwrap();
        assert_eq!(format!("{key:?}"), format!("VaultKey({})", key.id()));
        assert!(!format!("{key:?}").contains("07070707"));
        assert_ne!(key.id(), VaultKey::from_bytes(&[8; 32]).unwrap().id());
    }
}
