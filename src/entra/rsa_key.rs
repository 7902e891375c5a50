//! RSA private keys of any supported size and exponent, and their signatures.

use pkcs8::der::Decode;
use pkcs8::{ObjectIdentifier, PrivateKeyInfoRef};
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding};
use rsa::pkcs1::{DecodeRsaPrivateKey, RsaPrivateKeyRef};
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding, Signer};
use rsa::traits::PublicKeyParts;
use rsa::{pkcs1v15, pss};

/// Smaller keys can be broken, and Entra rejects them (NIST SP 800-131A).
const FEWEST_BITS: usize = 2048;

/// Key algorithms by object identifier (RFC 8017, 5480, 8410, 3279).
const RSA: [&str; 2] = ["1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10"];
const OTHERS: [(&str, &str); 6] = [
    ("1.2.840.10045.2.1", "an EC key"),
    ("1.3.101.110", "an X25519 key"),
    ("1.3.101.112", "an Ed25519 key"),
    ("1.3.101.113", "an Ed448 key"),
    ("1.2.840.10040.4.1", "a DSA key"),
    ("1.2.840.113549.1.3.1", "a Diffie-Hellman key"),
];

/// The padding of a signature; the hash is SHA-256.
#[derive(Clone, Copy, Debug)]
pub(super) enum Padding {
    /// PS256.
    Pss,
    /// RS256.
    Pkcs1,
}

/// A private key with two primes.
pub(super) enum RsaKey {
    /// The usual sizes and exponents.
    Ring(Box<KeyPair>),
    /// Keys that ring does not support.
    Other(Box<rsa::PrivateKey>),
}

impl RsaKey {
    /// Parses PKCS#8. The error says why the key is unsuitable, and continues the sentence "its
    /// key".
    pub(super) fn of_pkcs8(der: &[u8]) -> Result<Self, String> {
        let info = PrivateKeyInfoRef::from_der(der).map_err(|_| damaged())?;
        let is = |id: &str| ObjectIdentifier::new(id).is_ok_and(|id| id == info.algorithm.oid);
        if RSA.into_iter().any(is) {
            return Self::of_pkcs1(info.private_key.as_bytes());
        }
        let other = OTHERS.into_iter().find(|(id, _)| is(id)).map(|(_, name)| name);
        Err(not_rsa(other.unwrap_or("of another kind")))
    }

    /// Parses PKCS#1; see [`RsaKey::of_pkcs8`].
    pub(super) fn of_pkcs1(der: &[u8]) -> Result<Self, String> {
        if let Ok(key) = KeyPair::from_der(der) {
            return Ok(Self::Ring(Box::new(key)));
        }
        let parts = RsaPrivateKeyRef::from_der(der).map_err(|_| damaged())?;
        let modulus = parts.modulus.as_bytes();
        let leading = modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
        let bits = (modulus.len() * 8).saturating_sub(leading);
        if bits < FEWEST_BITS {
            return Err(format!("has {bits} bits, but needs at least {FEWEST_BITS}"));
        }
        // The crate supports up to 2^33 - 1, and its error for larger ones is not specific.
        let exponent = parts.public_exponent.as_bytes();
        let is_large = exponent.len() > 5 || exponent.len() == 5 && exponent.first() > Some(&1);
        if is_large {
            return Err("has a public exponent of 2^33 or more, which is not supported".to_owned());
        }
        let key = rsa::PrivateKey::from_pkcs1_der(der).map_err(|error| match error {
            rsa::pkcs1::Error::Version => {
                "has more than two primes, which is not supported".to_owned()
            }
            _ => "is damaged: its numbers do not match".to_owned(),
        })?;
        Ok(Self::Other(Box::new(key)))
    }

    /// The modulus in big-endian order, without leading zeros.
    pub(super) fn modulus(&self) -> Vec<u8> {
        match self {
            Self::Ring(key) => PublicKeyComponents::<Vec<u8>>::from(key.public_key()).n,
            Self::Other(key) => {
                let bytes = key.n().to_be_bytes();
                bytes.iter().copied().skip_while(|byte| *byte == 0).collect()
            }
        }
    }

    /// The signature of `message`; `None` if there is no randomness or the key fails its own check.
    pub(super) fn sign(&self, padding: Padding, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Ring(key) => {
                let encoding: &dyn RsaEncoding = match padding {
                    Padding::Pss => &RSA_PSS_SHA256,
                    Padding::Pkcs1 => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(encoding, &SystemRandom::new(), message, &mut signature).ok()?;
                Some(signature)
            }
            // Both use blinding with the system's randomness.
            Self::Other(key) => {
                let key = key.as_ref().clone();
                match padding {
                    Padding::Pss => {
                        let signed = pss::SigningKey::<Sha256>::new(key).try_sign(message).ok()?;
                        Some(signed.to_vec())
                    }
                    Padding::Pkcs1 => {
                        let key = pkcs1v15::SigningKey::<Sha256>::new(key);
                        Some(key.try_sign(message).ok()?.to_vec())
                    }
                }
            }
        }
    }
}

/// Why a key of another kind, called `name`, is unsuitable.
pub(super) fn not_rsa(name: &str) -> String {
    format!("is {name}, and Entra accepts only RSA keys")
}

fn damaged() -> String {
    "is damaged".to_owned()
}
