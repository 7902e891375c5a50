//! An application's certificate, and the assertion that it signs.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use p12_keystore::{CertificateBag, Pkcs12Archive};
use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use zeroize::Zeroizing;

use super::authority::Authority;
use super::token_endpoint::request_id;
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;

const BEGIN: &str = "-----BEGIN";
const ENCRYPTED_BEGIN: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
const ENCRYPTED_END: &str = "-----END ENCRYPTED PRIVATE KEY-----";
/// In the label of PKCS#8, in the header of OpenSSL's older form.
const ENCRYPTED: &str = "ENCRYPTED";

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
    /// True when `file` holds a key that cannot be read without a password.
    pub fn needs_password(file: &[u8]) -> bool {
        match pem_text(file) {
            Some(pem) => pem.contains(ENCRYPTED),
            // Many files have the empty password, which is not no password.
            None => {
                Pkcs12Archive::from_pkcs12(file, "").is_err_and(|error| is_wrong_password(&error))
            }
        }
    }

    /// Reads a file with one private key (RSA of 2048 bits or more) and its certificate, with or
    /// without further certificates, in any order: PEM text (PKCS#8, encrypted with `password` or
    /// not, or PKCS#1), or PKCS#12 (PFX).
    ///
    /// `sends_chain` puts the certificates into the assertion, so that Entra accepts them by
    /// subject name and issuer.
    ///
    /// # Errors
    /// [`Kind::Failed`], a sentence each for: no key, a missing or wrong password, a key that is no
    /// such RSA key, no certificate, a certificate of another key.
    pub fn read(file: &[u8], password: Option<&Secret>, sends_chain: bool) -> Result<Self> {
        let (key, mut chain) = match pem_text(file) {
            Some(pem) => read_pem(pem, password)?,
            None => read_pkcs12(file, password)?,
        };
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

    /// A JWT by which `client_id` proves itself to `authority` at `now` (seconds since 1970-01-01
    /// UTC): RFC 7523, signed as PS256 and named by its SHA-256 thumbprint; for ADFS, which knows
    /// neither, as RS256 and by SHA-1 (MSAL's rule).
    pub(super) fn assertion(
        &self,
        client_id: &str,
        authority: &Authority,
        now: i64,
    ) -> Result<Secret> {
        let (algorithm, padding, name, hash): (_, &dyn RsaEncoding, _, _) = if authority.is_adfs() {
            ("RS256", &RSA_PKCS1_SHA256, "x5t", &SHA1_FOR_LEGACY_USE_ONLY)
        } else {
            ("PS256", &RSA_PSS_SHA256, "x5t#S256", &SHA256)
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
            "jti": request_id()?,
            "nbf": now,
            "iat": now,
            "exp": now + LIFETIME,
        });
        let encode = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let mut jwt = Zeroizing::new(format!("{}.{}", encode(&header), encode(&claims)));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(padding, &SystemRandom::new(), jwt.as_bytes(), &mut signature)
            .map_err(|_| Error::new(Kind::Failed, "The assertion could not be signed."))?;
        jwt.push('.');
        jwt.push_str(&URL_SAFE_NO_PAD.encode(signature));
        Ok(Secret::new(jwt.as_str()))
    }
}

type Parts = (KeyPair, Vec<CertificateDer<'static>>);

fn invalid(why: &str) -> Error {
    Error::failed(format!("Invalid certificate file: {why}."))
}

/// The text of a PEM file; `None` for other files.
fn pem_text(file: &[u8]) -> Option<&str> {
    // Tools write lines of their own before the first block, in any encoding.
    let start = file.windows(BEGIN.len()).position(|window| window == BEGIN.as_bytes())?;
    std::str::from_utf8(file.get(start..)?).ok()
}

fn read_pem(pem: &str, password: Option<&Secret>) -> Result<Parts> {
    let key = if pem.contains(ENCRYPTED) {
        decrypted(pem, password)?
    } else {
        match PrivateKeyDer::from_pem_slice(pem.as_bytes()) {
            Ok(PrivateKeyDer::Pkcs8(der)) => KeyPair::from_pkcs8(der.secret_pkcs8_der()),
            Ok(PrivateKeyDer::Pkcs1(der)) => KeyPair::from_der(der.secret_pkcs1_der()),
            Ok(_) => return Err(invalid("its key is not an RSA key")),
            Err(_) => {
                return Err(invalid("there is no private key in it").remedy(
                    "A PEM or PKCS#12 (PFX) file with the key and the certificate is expected.",
                ));
            }
        }
        .map_err(unsuitable)?
    };
    let chain = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| invalid("a certificate in it cannot be read"))?;
    Ok((key, chain))
}

/// The key of PEM text that says that it is encrypted.
fn decrypted(pem: &str, password: Option<&Secret>) -> Result<KeyPair> {
    let Some((_, block)) = pem.split_once(ENCRYPTED_BEGIN) else {
        return Err(invalid("its private key is encrypted in a way of old OpenSSL versions")
            .remedy("Convert it: openssl pkcs8 -topk8 -in OLD -out KEY, then put the certificate after it."));
    };
    let password = password.ok_or_else(no_password)?;
    let block = block.split_once(ENCRYPTED_END).map_or(block, |(block, _)| block);
    let (_, document) =
        SecretDocument::from_pem(&format!("{ENCRYPTED_BEGIN}{block}{ENCRYPTED_END}\n"))
            .map_err(|_| invalid("its encrypted private key cannot be read"))?;
    let key = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes())
        .map_err(|_| invalid("its encrypted private key cannot be read"))?
        .decrypt(password.expose())
        .map_err(|_| wrong_password())?;
    KeyPair::from_pkcs8(key.as_bytes()).map_err(unsuitable)
}

fn read_pkcs12(file: &[u8], password: Option<&Secret>) -> Result<Parts> {
    let archive = Pkcs12Archive::from_pkcs12(file, password.map_or("", Secret::expose));
    let archive = archive.map_err(|error| match (is_wrong_password(&error), password) {
        (true, None) => no_password(),
        (true, Some(_)) => wrong_password(),
        (false, _) => invalid(&format!("it is neither PEM nor PKCS#12 that can be read ({error})"))
            .remedy("A PEM or PKCS#12 (PFX) file with the key and the certificate is expected."),
    })?;
    let key = archive.keys.first().ok_or_else(|| invalid("there is no private key in it"))?;
    let key = KeyPair::from_pkcs8(key.key.as_der()).map_err(unsuitable)?;
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

fn unsuitable(cause: ring::error::KeyRejected) -> Error {
    invalid(&format!("its key is not an RSA key of at least 2048 bits ({cause})"))
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
        RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey,
        VerificationAlgorithm,
    };
    use serde_json::Value;

    use super::*;

    #[test]
    fn each_authority_gets_the_signature_that_it_knows() {
        let certificate =
            Certificate::read(NIGHTLY_BUILD_CERTIFICATE.as_bytes(), None, false).unwrap();
        for (url, audience, algorithm, thumbprint, verification) in [
            (
                "https://login.example",
                "https://login.example/contoso/oauth2/v2.0/token",
                "PS256",
                ("x5t#S256", 43),
                &RSA_PSS_2048_8192_SHA256 as &'static dyn VerificationAlgorithm,
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
            let key = UnparsedPublicKey::new(verification, certificate.key.public());
            key.verify(signed.as_bytes(), &decode(signature)).unwrap();
        }
    }
}
