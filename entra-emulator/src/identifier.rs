//! GUIDs and opaque strings: random, or derived from names and therefore stable.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Fails only on a system without a random generator. The constant bytes are still valid
    // values for an emulator, and a test that needs different ones fails.
    let _ = SystemRandom::new().fill(&mut bytes);
    bytes
}

/// A version 4 GUID in lower case with dashes (RFC 9562 5.4).
pub(crate) fn guid() -> String {
    written(u128::from_be_bytes(random()))
}

/// The GUID derived from these names.
pub(crate) fn derived_guid(names: &[&str]) -> String {
    let hash = digest(&SHA256, names.join("\n").as_bytes());
    let first = hash
        .as_ref()
        .iter()
        .take(16)
        .fold(0, |number: u128, byte| (number << 8) | u128::from(*byte));
    written(first)
}

fn written(bits: u128) -> String {
    let bits = bits & !(0xf << 76) | (0x4 << 76);
    let bits = bits & !(0x3 << 62) | (0x2 << 62);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        bits >> 96,
        (bits >> 80) & 0xffff,
        (bits >> 64) & 0xffff,
        (bits >> 48) & 0xffff,
        bits & 0xffff_ffff_ffff
    )
}

/// The `sub` claim: the id of one user for one client.
pub(crate) fn pairwise(oid: &str, client_id: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, format!("{oid}\n{client_id}").as_bytes()))
}

/// An opaque string of `kind` and 40 random bytes, for codes and refresh tokens.
pub(crate) fn opaque(kind: &str) -> String {
    format!("{kind}.{}", URL_SAFE_NO_PAD.encode(random::<40>()))
}

/// A user code for the device page: nine capital letters and digits that are not easily confused.
pub(crate) fn user_code() -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    random::<9>()
        .iter()
        .filter_map(|byte| LETTERS.get(usize::from(*byte) % LETTERS.len()))
        .map(|letter| char::from(*letter))
        .collect()
}

/// A token's unique id (`uti`), which contains its serial number for [`serial_of`].
pub(crate) fn token_id(serial: u64) -> String {
    let mut bytes = serial.to_be_bytes().to_vec();
    bytes.extend(random::<8>());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The serial number in a token's unique id.
pub(crate) fn serial_of(token_id: &str) -> Option<u64> {
    let bytes = URL_SAFE_NO_PAD.decode(token_id).ok()?;
    Some(u64::from_be_bytes(bytes.get(..8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_have_the_version_and_the_variant() {
        for guid in [guid(), derived_guid(&["a", "b"])] {
            assert_eq!(guid.len(), 36);
            assert_eq!(guid.as_bytes().get(14), Some(&b'4'), "{guid}");
            assert!("89ab".contains(guid.chars().nth(19).unwrap()), "{guid}");
        }
        assert_eq!(derived_guid(&["a", "b"]), derived_guid(&["a", "b"]));
        assert_ne!(derived_guid(&["a", "b"]), derived_guid(&["ab"]));
    }

    #[test]
    fn a_token_id_contains_the_serial_number() {
        assert_eq!(serial_of(&token_id(77)), Some(77));
        assert_eq!(serial_of("?"), None);
    }
}
