//! An application's certificate, and the assertions that it signs.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use p12_keystore::{CertificateBag, Pkcs12Archive};
use pkcs8::EncryptedPrivateKeyInfoRef;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use rustls::pki_types::CertificateDer;
use serde_json::json;
use zeroize::Zeroizing;

use super::authority::Authority;
use super::rsa_key::{Padding, RsaKey, not_rsa};
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use crate::sys::pem::{self, Block};
use crate::sys::random_uuid;

/// The label of a PKCS#8 key with a password.
const ENCRYPTED_KEY: &str = "ENCRYPTED PRIVATE KEY";
const EXPECTED_FILE: &str = "Use a PEM or PKCS#12 (PFX) file with the key and the certificate.";

/// Lifetime of an assertion, in seconds (as in MSAL).
const LIFETIME: i64 = 600;

/// An RSA key with its certificates.
pub(crate) struct Certificate {
    key: RsaKey,
    /// The key's own certificate first.
    chain: Vec<CertificateDer<'static>>,
    sends_chain: bool,
}

impl Certificate {
    /// True if `file` has a key that cannot be read without a password.
    pub(crate) fn needs_password(file: &[u8]) -> bool {
        let blocks = pem::blocks(file);
        if blocks.is_empty() {
            // Many files use the empty password, so this tries it first.
            return Pkcs12Archive::from_pkcs12(file, "")
                .is_err_and(|error| is_wrong_password(&error));
        }
        blocks.iter().any(|block| block.is_encrypted || &*block.label == ENCRYPTED_KEY)
    }

    /// Reads a file with one private key (RSA of 2048 bits or more), its certificate and optional
    /// further certificates, in any order. The file is PEM text (PKCS#8, encrypted with `password`
    /// or not, or PKCS#1) or PKCS#12 (PFX).
    ///
    /// `sends_chain` puts the certificates into the assertion, so that Entra accepts them by
    /// subject name and issuer.
    ///
    /// # Errors
    /// [`Kind::Failed`], with a message for each case: no key, a missing or wrong password, an
    /// unsuitable key, no certificate, a certificate of another key.
    pub(crate) fn read(file: &[u8], password: Option<&Secret>, sends_chain: bool) -> Result<Self> {
        let (key, mut chain) = match pem::blocks(file).as_slice() {
            [] => read_pkcs12(file, password)?,
            blocks => read_pem(blocks, password)?,
        };
        if chain.is_empty() {
            return Err(invalid("it contains no certificate"));
        }
        // A certificate contains its public key's modulus verbatim.
        let modulus = key.modulus();
        let own = chain
            .iter()
            .position(|der| der.as_ref().windows(modulus.len()).any(|window| window == modulus))
            .ok_or_else(|| invalid("no certificate in it belongs to its key"))?;
        chain.swap(0, own);
        Ok(Self { key, chain, sends_chain })
    }

    /// A JWT (RFC 7523) that authenticates `client_id` to `authority` at `now` (seconds since
    /// 1970-01-01 UTC). Signed with PS256 and identified by its SHA-256 thumbprint. ADFS supports
    /// neither, so it gets RS256 and SHA-1, as in MSAL.
    pub(super) fn assertion(
        &self,
        client_id: &str,
        authority: &Authority,
        now: i64,
    ) -> Result<Secret> {
        let (algorithm, padding, name, hash) = if authority.is_adfs() {
            ("RS256", Padding::Pkcs1, "x5t", &SHA1_FOR_LEGACY_USE_ONLY)
        } else {
            ("PS256", Padding::Pss, "x5t#S256", &SHA256)
        };
        let thumbprint = self.chain.first().map(|der| digest(hash, der));
        let mut header = json!({
            "alg": algorithm,
            "typ": "JWT",
            name: thumbprint.map(|hash| URL_SAFE_NO_PAD.encode(hash)),
        });
        if let (true, Some(members)) = (self.sends_chain, header.as_object_mut()) {
            let chain = self.chain.iter().map(|der| STANDARD.encode(der)).collect::<Vec<_>>();
            members.insert("x5c".to_owned(), chain.into());
        }
        let claims = json!({
            "aud": authority.token_endpoint()?.as_str(),
            "iss": client_id,
            "sub": client_id,
            "jti": random_uuid()?,
            "nbf": now,
            "iat": now,
            "exp": now + LIFETIME,
        });
        let encode = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let mut jwt = Zeroizing::new(format!("{}.{}", encode(&header), encode(&claims)));
        let signature = self.key.sign(padding, jwt.as_bytes());
        let signature = signature
            .ok_or_else(|| Error::new(Kind::Failed, "The assertion could not be signed."))?;
        jwt.push('.');
        jwt.push_str(&URL_SAFE_NO_PAD.encode(signature));
        Ok(Secret::new(jwt.as_str()))
    }
}

type Parts = (RsaKey, Vec<CertificateDer<'static>>);

fn invalid(why: &str) -> Error {
    Error::failed(format!("Invalid certificate file: {why}."))
}

fn read_pem(blocks: &[Block], password: Option<&Secret>) -> Result<Parts> {
    let key = blocks.iter().find(|block| block.label.ends_with("PRIVATE KEY"));
    let key = key
        .ok_or_else(|| invalid("it contains no private key").remedy(EXPECTED_FILE))
        .and_then(|block| read_key(block, password))?;
    let certificate = |block: &Block| {
        let damaged = || invalid(&format!("the certificate at line {} is damaged", block.line));
        let der = block.certificate().ok_or_else(damaged)?;
        Ok(CertificateDer::from(der.to_vec()))
    };
    let certificates = blocks.iter().filter(|block| block.is_certificate());
    Ok((key, certificates.map(certificate).collect::<Result<_>>()?))
}

/// Parses the private key in `block`.
fn read_key(block: &Block, password: Option<&Secret>) -> Result<RsaKey> {
    if block.is_encrypted {
        return Err(invalid("its private key uses the encryption of old OpenSSL versions").remedy(
            "Convert it: openssl pkcs8 -topk8 -in OLD -out KEY, then put the certificate after it.",
        ));
    }
    let damaged = || invalid(&format!("the private key at line {} is damaged", block.line));
    match &*block.label {
        "PRIVATE KEY" => RsaKey::of_pkcs8(block.der.as_deref().ok_or_else(damaged)?),
        "RSA PRIVATE KEY" => RsaKey::of_pkcs1(block.der.as_deref().ok_or_else(damaged)?),
        ENCRYPTED_KEY => {
            let password = password.ok_or_else(no_password)?;
            let der = block.der.as_deref().ok_or_else(damaged)?;
            let key = EncryptedPrivateKeyInfoRef::try_from(&**der).map_err(|_| damaged())?;
            let key = key.decrypt(password.expose()).map_err(|_| wrong_password())?;
            RsaKey::of_pkcs8(key.as_bytes())
        }
        "OPENSSH PRIVATE KEY" => {
            return Err(invalid("its private key is in the OpenSSH format").remedy(
                "Convert it: ssh-keygen -p -m PEM -f KEY, then put the certificate after it.",
            ));
        }
        "EC PRIVATE KEY" => Err(not_rsa("an EC key")),
        "DSA PRIVATE KEY" => Err(not_rsa("a DSA key")),
        _ => Err(not_rsa("of another kind")),
    }
    .map_err(|why| unsuitable(&why))
}

fn read_pkcs12(file: &[u8], password: Option<&Secret>) -> Result<Parts> {
    let archive = Pkcs12Archive::from_pkcs12(file, password.map_or("", Secret::expose));
    let archive = archive.map_err(|error| match (is_wrong_password(&error), password) {
        (true, None) => no_password(),
        (true, Some(_)) => wrong_password(),
        (false, _) => {
            invalid(&format!("it is neither readable PEM nor readable PKCS#12 ({error})"))
                .remedy(EXPECTED_FILE)
        }
    })?;
    let key = archive.keys.first().ok_or_else(|| invalid("it contains no private key"))?;
    let key = RsaKey::of_pkcs8(key.key.as_der()).map_err(|why| unsuitable(&why))?;
    let certificate = |bag: CertificateBag| CertificateDer::from(bag.cert.as_der().to_vec());
    Ok((key, archive.certs.into_iter().map(certificate).collect()))
}

fn is_wrong_password(error: &p12_keystore::error::Error) -> bool {
    use p12_keystore::error::Error::{MacError, Pkcs5Error, UnpadError};
    matches!(error, MacError(_) | Pkcs5Error(_) | UnpadError)
}

fn no_password() -> Error {
    invalid("its private key is encrypted")
        .remedy("Give the password: --certificate-password @FILE (or @- for standard input).")
}

fn wrong_password() -> Error {
    invalid("the password does not open it").remedy("Check --certificate-password.")
}

/// The error for a key; `why` continues the sentence "its key".
fn unsuitable(why: &str) -> Error {
    invalid(&format!("its key {why}"))
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate").field("chain", &self.chain.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use entra_emulator::directory::NIGHTLY_BUILD_CERTIFICATE;
    use ring::signature::{
        RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents,
    };
    use serde_json::Value;

    use super::*;

    #[test]
    fn each_authority_gets_a_signature_that_it_supports() {
        let certificate =
            Certificate::read(NIGHTLY_BUILD_CERTIFICATE.as_bytes(), None, false).unwrap();
        for (url, audience, algorithm, thumbprint, verification) in [
            (
                "https://login.example",
                "https://login.example/contoso/oauth2/v2.0/token",
                "PS256",
                ("x5t#S256", 43),
                &RSA_PSS_2048_8192_SHA256,
            ),
            (
                "https://stack.local/adfs/",
                "https://stack.local/adfs/oauth2/token",
                "RS256",
                ("x5t", 27),
                &RSA_PKCS1_2048_8192_SHA256,
            ),
        ] {
            let authority = {
                let url = crate::sys::EndpointUrl::parse(url, "").unwrap();
                Authority::new(&url, "contoso").unwrap()
            };
            let jwt = certificate.assertion("app", &authority, 1).unwrap();
            let (signed, signature) = jwt.expose().rsplit_once('.').unwrap();
            let (header, claims) = signed.split_once('.').unwrap();
            let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
            let header: Value = serde_json::from_slice(&decode(header)).unwrap();
            assert_eq!(header["alg"], algorithm);
            assert_eq!(header.as_object().unwrap().len(), 3, "{header}");
            assert_eq!(header[thumbprint.0].as_str().unwrap().len(), thumbprint.1, "{header}");
            let claims: Value = serde_json::from_slice(&decode(claims)).unwrap();
            assert_eq!(claims["aud"], audience);
            let key = RsaPublicKeyComponents { n: certificate.key.modulus(), e: vec![1, 0, 1] };
            key.verify(verification, signed.as_bytes(), &decode(signature)).unwrap();
        }
    }
}
