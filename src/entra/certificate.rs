//! An application's certificate, and the assertion that it signs.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::{KeyPair as _, RSA_PSS_SHA256};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use zeroize::Zeroizing;

use super::token_endpoint::request_id;
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;

/// How long an assertion may be used, in seconds (MSAL's choice).
const LIFETIME: i64 = 600;

/// An RSA key with the certificates that go with it.
pub struct Certificate {
    key: KeyPair,
    /// The key's own certificate first.
    chain: Vec<CertificateDer<'static>>,
    sends_chain: bool,
}

impl Certificate {
    /// Reads PEM text with one private key (PKCS#8 or PKCS#1, RSA of 2048 bits or more, not
    /// encrypted) and its certificate, in any order, with or without further certificates.
    ///
    /// `sends_chain` puts the certificates into the assertion, so that Entra accepts them by
    /// subject name and issuer.
    ///
    /// # Errors
    /// [`Kind::Failed`], a sentence each for: no key, an encrypted key, a key that is no such RSA
    /// key, no certificate, a certificate of another key.
    pub fn from_pem(pem: &[u8], sends_chain: bool) -> Result<Self> {
        let invalid = |why: &str| Error::failed(format!("Invalid certificate file: {why}."));
        let text = String::from_utf8_lossy(pem);
        if text.contains("ENCRYPTED") {
            return Err(invalid("its private key is encrypted, which this version cannot read")
                .remedy("Decrypt it first: openssl pkey -in FILE -out KEY, then put the certificate after it."));
        }
        let key = PrivateKeyDer::from_pem_slice(pem).map_err(|_| {
            invalid("there is no private key in it")
                .remedy("A PEM file with the key and the certificate is expected (PFX is not supported by this version).")
        })?;
        let key = match &key {
            PrivateKeyDer::Pkcs8(der) => KeyPair::from_pkcs8(der.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(der) => KeyPair::from_der(der.secret_pkcs1_der()),
            _ => return Err(invalid("its key is not an RSA key")),
        }
        .map_err(|cause| {
            invalid(&format!("its key is not an RSA key of at least 2048 bits ({cause})"))
        })?;
        let mut chain = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| invalid("a certificate in it cannot be read"))?;
        if chain.is_empty() {
            return Err(invalid("there is no certificate in it"));
        }
        // A certificate holds its public key's modulus as it stands.
        let public = key.public_key();
        let modulus = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(public).n;
        let own = chain
            .iter()
            .position(|der| der.as_ref().windows(modulus.len()).any(|window| window == modulus))
            .ok_or_else(|| invalid("no certificate in it belongs to its key"))?;
        chain.swap(0, own);
        Ok(Self { key, chain, sends_chain })
    }

    /// A JWT by which `client_id` proves itself to `audience`, the token endpoint, at `now` (seconds
    /// since 1970-01-01 UTC): RFC 7523, signed as PS256 and named by its SHA-256 thumbprint.
    pub(super) fn assertion(&self, client_id: &str, audience: &str, now: i64) -> Result<Secret> {
        let thumbprint = self.chain.first().map(|der| digest(&SHA256, der));
        let mut header = json!({
            "alg": "PS256",
            "typ": "JWT",
            "x5t#S256": thumbprint.map(|hash| URL_SAFE_NO_PAD.encode(hash)),
        });
        if let (true, Some(members)) = (self.sends_chain, header.as_object_mut()) {
            let chain = self.chain.iter().map(|der| STANDARD.encode(der)).collect::<Vec<_>>();
            members.insert("x5c".to_owned(), chain.into());
        }
        let claims = json!({
            "aud": audience,
            "iss": client_id,
            "sub": client_id,
            "jti": request_id()?,
            "nbf": now,
            "iat": now,
            "exp": now + LIFETIME,
        });
        let encode = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let mut jwt = Zeroizing::new(format!("{}.{}", encode(&header), encode(&claims)));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PSS_SHA256, &SystemRandom::new(), jwt.as_bytes(), &mut signature)
            .map_err(|_| Error::new(Kind::Failed, "The assertion could not be signed."))?;
        jwt.push('.');
        jwt.push_str(&URL_SAFE_NO_PAD.encode(signature));
        Ok(Secret::new(jwt.as_str()))
    }
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate").field("chain", &self.chain.len()).finish_non_exhaustive()
    }
}
