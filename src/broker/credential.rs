//! Credentials of applications: stored form and use in a request.

use std::path::Path;

use ring::digest::{SHA256, digest};
use zeroize::Zeroizing;

use super::assertion_source;
use crate::entra::{Certificate, ClientCredential};
use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::sys::{System, file};
use crate::vault::{AssertionSource, ServicePrincipal};

/// The credential of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AppCredential {
    /// A client secret.
    Secret(Secret),
    /// A file with key and certificate; each request reads it.
    Certificate {
        /// Its path, absolute.
        path: String,
        /// The password of the file, if it is encrypted.
        password: Option<Secret>,
        /// Whether requests include the certificate chain (subject name and issuer authentication).
        sends_chain: bool,
    },
    /// A fixed assertion; it works until it expires, after minutes to hours.
    Assertion(Secret),
    /// A source of assertions; each request asks it.
    AssertionFrom(AssertionSource),
}

impl AppCredential {
    /// The credential in the record `entry`.
    pub(super) fn of_record(entry: &ServicePrincipal) -> Result<Self> {
        if let Some(secret) = &entry.client_secret {
            return Ok(Self::Secret(secret.clone()));
        }
        if let Some(path) = &entry.certificate {
            return Ok(Self::Certificate {
                path: path.clone(),
                password: entry.certificate_password.clone(),
                sends_chain: entry.use_cert_sn_issuer,
            });
        }
        if let Some(source) = &entry.client_assertion_source {
            return Ok(Self::AssertionFrom(source.clone()));
        }
        match &entry.client_assertion {
            Some(assertion) => Ok(Self::Assertion(assertion.clone())),
            None => Err(Error::failed(format!(
                "The stored credential of service principal {} is of a kind that this version does not support.",
                entry.client_id
            ))),
        }
    }

    /// The credential in the record `entry`, for use now.
    ///
    /// # Errors
    /// It names a command or file, and the configuration folder is not trusted to do so.
    pub(super) fn stored(entry: &ServicePrincipal, system: &System) -> Result<Self> {
        let credential = Self::of_record(entry)?;
        match &credential {
            // Trusted: the environment names the same file.
            Self::AssertionFrom(AssertionSource::File { path })
                if system.env.get("AZURE_FEDERATED_TOKEN_FILE").as_ref() == Some(path) => {}
            Self::AssertionFrom(AssertionSource::Command { .. } | AssertionSource::File { .. })
            | Self::Certificate { .. } => assertion_source::may_run_sources(system)?,
            _ => {}
        }
        Ok(credential)
    }

    /// The record of the application `client_id` in `tenant`, for the login host `environment`.
    pub(super) fn into_record(
        self,
        environment: &str,
        client_id: &str,
        tenant: &str,
    ) -> ServicePrincipal {
        let mut entry = ServicePrincipal::without_credential(environment, client_id, tenant);
        match self {
            Self::Secret(secret) => entry.client_secret = Some(secret),
            Self::Certificate { path, password, sends_chain } => {
                entry.certificate = Some(path);
                entry.certificate_password = password;
                entry.use_cert_sn_issuer = sends_chain;
            }
            Self::Assertion(assertion) => entry.client_assertion = Some(assertion),
            Self::AssertionFrom(source) => entry.client_assertion_source = Some(source),
        }
        entry
    }

    /// The credential for one request. Reads files and asks sources each time.
    pub(super) async fn present(&self, system: &System) -> Result<ClientCredential> {
        Ok(match self {
            Self::Secret(secret) => ClientCredential::Secret(secret.clone()),
            Self::Certificate { path, password, sends_chain } => {
                let certificate = Certificate::read(&read(path)?, password.as_ref(), *sends_chain)
                    .map_err(|error| error.remedy(format!("The file is {path}.")))?;
                ClientCredential::Certificate(Box::new(certificate))
            }
            Self::Assertion(assertion) => ClientCredential::Assertion(assertion.clone()),
            Self::AssertionFrom(source) => {
                ClientCredential::Assertion(assertion_source::ask(source, system).await?)
            }
        })
    }

    /// Identifies this credential without revealing it: the first 16 bytes of a SHA-256 hash, in
    /// hexadecimal.
    ///
    /// Tokens of an environment's application are stored under it, so that a caller with another
    /// secret cannot read them.
    pub(super) fn fingerprint(&self) -> String {
        let text = Zeroizing::new(match self {
            Self::Secret(secret) => format!("secret {}", secret.expose()),
            Self::Certificate { path, sends_chain, .. } => {
                format!("certificate {sends_chain} {path}")
            }
            Self::Assertion(assertion) => format!("assertion {}", assertion.expose()),
            Self::AssertionFrom(source) => format!("source {source:?}"),
        });
        let hash = digest(&SHA256, text.as_bytes());
        let digits = hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}"));
        digits.collect::<Vec<_>>().concat()
    }
}

/// Identifies these secrets without revealing them: hexadecimal digits of a hash.
pub(crate) fn fingerprint<'s>(secrets: impl Iterator<Item = &'s Secret>) -> String {
    let all: Vec<&str> = secrets.map(Secret::expose).collect();
    AppCredential::Assertion(Secret::new(all.join("\n"))).fingerprint()
}

/// True if the certificate file at `path` is encrypted, so that it needs a password.
pub(crate) fn certificate_needs_password(path: &str) -> Result<bool> {
    read(path).map(|file| Certificate::needs_password(&file))
}

pub(super) fn read(path: &str) -> Result<Zeroizing<Vec<u8>>> {
    let path = Path::new(path);
    file::read_named(path)
        .map_err(|error| file::cannot("read", path, error))?
        .map(Zeroizing::new)
        .ok_or_else(|| Error::failed(format!("There is no file {}.", path.display())))
}
