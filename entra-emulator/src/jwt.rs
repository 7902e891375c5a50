//! JSON Web Tokens (RFC 7519): signed with the emulator's key, verified with any certificate.

use crate::error::Error;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::RSA_PKCS1_SHA256;
use serde_json::{Value, json};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

/// The emulator's key. It is fixed, because ring generates no RSA keys. It may be public: only
/// clients that trust the CA of one run accept its signatures.
const SIGNING_KEY: &str = include_str!("signing.pem");

/// Signs tokens (RS256).
pub(crate) struct Signer {
    key: KeyPair,
    certificate: CertificateDer<'static>,
    thumbprint: String,
}

impl Signer {
    pub(crate) fn new() -> Result<Self, Error> {
        let unusable = |error: &dyn ToString| Error::Certificate(error.to_string());
        let key = PrivatePkcs8KeyDer::from_pem_slice(SIGNING_KEY.as_bytes())
            .map_err(|error| unusable(&error))?;
        let certificate = certificate(SIGNING_KEY)
            .ok_or_else(|| unusable(&"the signing key has no certificate"))?;
        Ok(Self {
            key: KeyPair::from_pkcs8(key.secret_pkcs8_der()).map_err(|error| unusable(&error))?,
            thumbprint: sha1_thumbprint(&certificate),
            certificate,
        })
    }

    /// Returns the token with these claims, in compact form.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let header = json!({
            "typ": "JWT", "alg": "RS256", "x5t": self.thumbprint, "kid": self.thumbprint,
        });
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let mut signature = vec![0; self.key.public().modulus_len()];
        // Fails only on a system without a random generator; every verifier then refuses the token.
        let _ = self.key.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            signed.as_bytes(),
            &mut signature,
        );
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The claims of a token that this emulator signed.
    pub(crate) fn verified(&self, token: &str) -> Option<Value> {
        let token = Jwt::parse(token)?;
        token.is_signed_by(&self.certificate).then_some(token.claims)
    }

    /// The certificate of the signing key.
    pub(crate) fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The key set document (RFC 7517 5).
    pub(crate) fn key_set(&self, issuer: &str) -> Value {
        let public = PublicKeyComponents::<Vec<u8>>::from(self.key.public());
        json!({ "keys": [{
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.thumbprint,
            "x5t": self.thumbprint,
            "n": URL_SAFE_NO_PAD.encode(public.n),
            "e": URL_SAFE_NO_PAD.encode(public.e),
            "x5c": [STANDARD.encode(&self.certificate)],
            "issuer": issuer,
        }]})
    }
}

/// The first certificate in a PEM text.
pub(crate) fn certificate(pem: &str) -> Option<CertificateDer<'static>> {
    CertificateDer::from_pem_slice(pem.as_bytes()).ok()
}

/// SHA-1 in hexadecimal digits.
pub(crate) fn sha1_hex(certificate: &[u8]) -> String {
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate);
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// `x5t` (RFC 7515 4.1.7).
pub(crate) fn sha1_thumbprint(certificate: &CertificateDer<'_>) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate))
}

/// `x5t#S256` (RFC 7515 4.1.8).
pub(crate) fn sha256_thumbprint(certificate: &CertificateDer<'_>) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, certificate))
}

/// A parsed token, not yet verified.
pub(crate) struct Jwt {
    pub(crate) header: Value,
    pub(crate) claims: Value,
    signed: String,
    signature: Vec<u8>,
}

impl Jwt {
    pub(crate) fn parse(token: &str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok();
        Some(Self {
            header: serde_json::from_slice(&decode(header)?).ok()?,
            claims: serde_json::from_slice(&decode(claims)?).ok()?,
            signed: signed.into(),
            signature: decode(signature)?,
        })
    }

    /// A text claim; empty if it is missing or no text.
    pub(crate) fn text(&self, claim: &str) -> &str {
        self.claims.get(claim).and_then(Value::as_str).unwrap_or_default()
    }

    /// A time claim in Unix seconds, without fractions, which some Python clients send.
    pub(crate) fn seconds(&self, claim: &str) -> Option<i64> {
        let value = self.claims.get(claim)?;
        #[expect(clippy::cast_possible_truncation, reason = "a float cast saturates")]
        value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
    }

    /// True if the key of this certificate made the signature (RS256 or PS256).
    pub(crate) fn is_signed_by(&self, certificate: &CertificateDer<'_>) -> bool {
        let algorithm = match self.header.get("alg").and_then(Value::as_str) {
            Some("RS256") => webpki::ring::RSA_PKCS1_2048_8192_SHA256,
            Some("PS256") => webpki::ring::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
            _ => return false,
        };
        webpki::EndEntityCert::try_from(certificate).is_ok_and(|certificate| {
            certificate.verify_signature(algorithm, self.signed.as_bytes(), &self.signature).is_ok()
        })
    }
}
