//! The format of a sealed file, and the names of sealed files.
//!
//! ```text
//! offset  bytes  what
//!      0      7  "aztseal"
//!      7      1  format version, 1
//!      8      8  key id
//!     16     32  salt, random for every write
//!     48     12  nonce, random for every write
//!     60      n  ciphertext of the record's JSON
//!   60+n     16  authentication tag
//! ```
//!
//! All keys come from the 32 bytes of the vault key by HKDF-SHA256 (RFC 5869):
//!
//! ```text
//! key id   = HKDF(salt "", vault key, info "azt vault 1: key id"), 8 bytes
//! seal key = HKDF(salt "", vault key, info "azt vault 1: seal"), 32 bytes
//! name key = HKDF(salt "", vault key, info "azt vault 1: name"), 32 bytes
//! file key = HKDF(salt of the file, seal key, info "azt vault 1: file"), 32 bytes
//! ```
//!
//! Line feeds may follow and are ignored; see [`Seal::open`].
//!
//! The ciphertext is AES-256-GCM (NIST SP 800-38D) under the file key. Its associated data is the
//! 60 bytes before it and then the file's name, so that neither header nor name can be changed.
//! A new 256-bit salt makes the file key new for every write, so a nonce never repeats.
//!
//! A file name is two letters for the record's kind, `-`, and in hex the first 16 bytes of
//! HMAC-SHA256 (RFC 2104) under the name key of `<letters>\0<logical key>`. It reveals nothing
//! about the record.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::hmac;
use zeroize::Zeroizing;

use super::key::{KeyId, VaultKey, hex};
use crate::error::{Error, Kind, Result};
use crate::sys;

const MAGIC: &[u8; 7] = b"aztseal";
const VERSION: u8 = 1;
const SALT: usize = 32;
const NONCE: usize = 12;
const HEADER: usize = 60;
/// How many ends to try: the tag itself may end with up to four line feeds. Five occur once in
/// 2^40 files.
const ENDS_TO_TRY: usize = 5;
/// Number of HMAC bytes in a file name.
const NAME: usize = 16;

/// Seals and opens files under one vault key.
pub(super) struct Seal {
    id: KeyId,
    root: Zeroizing<[u8; 32]>,
    name: hmac::Key,
}

/// Why a sealed file could not be opened.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unopened {
    /// It is not a sealed file, or it was changed; the text says which.
    Damaged(&'static str),
    /// It was sealed with another key.
    OtherKey(KeyId),
    /// It has a newer format version.
    Newer(u8),
}

impl Seal {
    pub(super) fn new(key: &VaultKey) -> Self {
        let name = hmac::Key::new(hmac::HMAC_SHA256, key.name_key());
        Self { id: key.id(), root: key.seal_key().clone(), name }
    }

    pub(super) fn key_id(&self) -> KeyId {
        self.id
    }

    /// The file name of the record with this logical key.
    pub(super) fn file_name(&self, letters: &str, logical_key: &str) -> String {
        let tag = hmac::sign(&self.name, [letters, "\0", logical_key].concat().as_bytes());
        let short = tag.as_ref().get(..NAME).unwrap_or_default();
        format!("{letters}-{}", hex(short))
    }

    /// The contents of the file `name` that seal `plain`.
    pub(super) fn seal(&self, name: &str, plain: &[u8]) -> Result<Vec<u8>> {
        let (mut salt, mut nonce) = ([0; SALT], [0; NONCE]);
        sys::fill_random(&mut salt)?;
        sys::fill_random(&mut nonce)?;
        self.seal_with(name, plain, &salt, nonce)
    }

    fn seal_with(
        &self,
        name: &str,
        plain: &[u8],
        salt: &[u8; SALT],
        nonce: [u8; NONCE],
    ) -> Result<Vec<u8>> {
        let header = [MAGIC.as_slice(), &[VERSION], self.id.as_bytes(), salt, &nonce].concat();
        let mut body = Vec::with_capacity(plain.len() + AES_256_GCM.tag_len());
        body.extend_from_slice(plain);
        let key = self.file_key(salt).ok_or_else(cannot_seal)?;
        let nonce = Nonce::assume_unique_for_key(nonce);
        key.seal_in_place_append_tag(nonce, associated(&header, name), &mut body)
            .map_err(|_| cannot_seal())?;
        Ok([header, body].concat())
    }

    /// Opens `contents` of the file `name`. Ignores line feeds at the end: a writer that was killed
    /// before it truncated a longer old version leaves them.
    pub(super) fn open(&self, name: &str, contents: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        let opened = self.open_exactly(name, contents);
        if !matches!(opened, Err(Unopened::Damaged(_))) || contents.last() != Some(&b'\n') {
            return opened;
        }
        let end = contents.iter().rposition(|byte| *byte != b'\n').map_or(0, |at| at + 1);
        let mut ends = (end..contents.len()).take(ENDS_TO_TRY);
        let exactly = |end| self.open_exactly(name, contents.get(..end)?).ok();
        ends.find_map(exactly).map_or(opened, Ok)
    }

    fn open_exactly(&self, name: &str, contents: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        let header = Header::of(contents)?;
        if header.key_id != self.id {
            return Err(Unopened::OtherKey(header.key_id));
        }
        let mut body = Zeroizing::new(header.body.to_vec());
        let key = self.file_key(header.salt).ok_or(Unopened::Damaged("it cannot be deciphered"))?;
        let nonce = Nonce::assume_unique_for_key(*header.nonce);
        let length = key
            .open_in_place(nonce, associated(header.bytes, name), &mut body)
            .map_err(|_| Unopened::Damaged("its contents or its name were changed"))?
            .len();
        body.truncate(length);
        Ok(body)
    }

    fn file_key(&self, salt: &[u8; SALT]) -> Option<LessSafeKey> {
        let extracted = Salt::new(HKDF_SHA256, salt).extract(self.root.as_slice());
        let key = extracted.expand(&[b"azt vault 1: file"], &AES_256_GCM).ok()?;
        Some(LessSafeKey::new(UnboundKey::from(key)))
    }
}

/// The id of the key that sealed `contents`.
pub(super) fn key_id(contents: &[u8]) -> Result<KeyId, Unopened> {
    Header::of(contents).map(|header| header.key_id)
}

struct Header<'a> {
    bytes: &'a [u8],
    key_id: KeyId,
    salt: &'a [u8; SALT],
    nonce: &'a [u8; NONCE],
    body: &'a [u8],
}

impl<'a> Header<'a> {
    fn of(contents: &'a [u8]) -> Result<Self, Unopened> {
        let rest = contents
            .strip_prefix(MAGIC.as_slice())
            .ok_or(Unopened::Damaged("it is not a sealed file"))?;
        match rest.split_first() {
            Some((&VERSION, rest)) => {
                Self::split(contents, rest).ok_or(Unopened::Damaged("its end is missing"))
            }
            Some((&0, _)) => Err(Unopened::Damaged("it is not a sealed file")),
            Some((&newer, _)) => Err(Unopened::Newer(newer)),
            None => Err(Unopened::Damaged("its end is missing")),
        }
    }

    fn split(contents: &'a [u8], rest: &'a [u8]) -> Option<Self> {
        let (key_id, rest) = rest.split_first_chunk()?;
        let (salt, rest) = rest.split_first_chunk()?;
        let (nonce, body) = rest.split_first_chunk()?;
        let bytes = contents.get(..HEADER)?;
        Some(Self { bytes, key_id: KeyId::from_bytes(*key_id), salt, nonce, body })
    }
}

fn associated(header: &[u8], name: &str) -> Aad<Vec<u8>> {
    Aad::from([header, name.as_bytes()].concat())
}

fn cannot_seal() -> Error {
    Error::new(Kind::Vault, "The record cannot be sealed.")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Created with Python's `cryptography` from the format above: key 00..1f, salt 5a.., nonce
    /// a5..
    const NAME: &str = "at-7fa99de19a6ea6ef65ed7f1e75662739";
    const PLAIN: &[u8] = b"{\"secret\":\"a record\"}";
    const SEALED: &str = "617a747365616c01d80b444ee9e1048c\
        5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a\
        a5a5a5a5a5a5a5a5a5a5a5a5\
        6efc5522efef433faa10e89e2987ba7a2172d80075c729bae92a0dce953a09e380600f1282";

    fn seal() -> Seal {
        let bytes: Vec<u8> = (0..32).collect();
        Seal::new(&VaultKey::from_bytes(&bytes).unwrap())
    }

    fn sealed() -> Vec<u8> {
        seal().seal_with(NAME, PLAIN, &[0x5a; SALT], [0xa5; NONCE]).unwrap()
    }

    #[test]
    fn an_independent_implementation_produces_the_same_bytes() {
        assert_eq!(seal().file_name("at", "logical key"), NAME);
        assert_eq!(hex(&sealed()), SEALED);
        assert_eq!(seal().open(NAME, &sealed()).unwrap().as_slice(), PLAIN);
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        for position in 0..sealed().len() {
            let mut bytes = sealed();
            bytes[position] ^= 0x40;
            let answer = seal().open(NAME, &bytes).unwrap_err();
            match position {
                7 => assert_eq!(answer, Unopened::Newer(0x41)),
                8..16 => assert!(matches!(answer, Unopened::OtherKey(_)), "{position}"),
                _ => assert!(matches!(answer, Unopened::Damaged(_)), "{position}"),
            }
        }
    }

    #[test]
    fn trailing_line_feeds_are_ignored() {
        let mut own = 0;
        for _ in 0..2000 {
            let mut bytes = seal().seal(NAME, PLAIN).unwrap();
            own += usize::from(bytes.last() == Some(&b'\n'));
            for more in [1, 7, 3000] {
                bytes.resize(bytes.len() + more, b'\n');
                assert_eq!(seal().open(NAME, &bytes).unwrap().as_slice(), PLAIN);
            }
        }
        assert!(own > 0, "a tag that ends with one is among them");
        let mut other = sealed();
        other.extend_from_slice(b"\nx\n");
        assert!(matches!(seal().open(NAME, &other), Err(Unopened::Damaged(_))));
    }

    #[test]
    fn every_truncation_is_noticed() {
        for length in 0..sealed().len() {
            let answer = seal().open(NAME, &sealed()[..length]).unwrap_err();
            assert!(matches!(answer, Unopened::Damaged(_)), "{length}");
        }
    }

    #[test]
    fn another_name_does_not_open_it() {
        let other = seal().file_name("at", "another key");
        let flaw = "its contents or its name were changed";
        assert_eq!(seal().open(&other, &sealed()).unwrap_err(), Unopened::Damaged(flaw));
    }

    #[test]
    fn the_same_record_is_never_sealed_to_the_same_bytes() {
        let (first, second) =
            (seal().seal(NAME, PLAIN).unwrap(), seal().seal(NAME, PLAIN).unwrap());
        assert_ne!(first[16..48], second[16..48]);
        assert_ne!(first[60..], second[60..]);
    }
}
