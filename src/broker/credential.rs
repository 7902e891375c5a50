//! How an application proves itself: what is stored, and what a request needs.

use std::path::Path;

use ring::digest::{SHA256, digest};
use zeroize::Zeroizing;

use super::assertion_source;
use crate::entra::{Certificate, ClientCredential};
use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::sys::{System, file};
use crate::vault::{AssertionSource, ServicePrincipal};

/// What an application signs in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AppCredential {
    /// A client secret.
    Secret(Secret),
    /// A file with key and certificate, read at each request.
    Certificate {
        /// Its path, absolute.
        path: String,
        /// What it is encrypted with.
        password: Option<Secret>,
        /// Whether the certificates are sent along (subject name and issuer authentication).
        sends_chain: bool,
    },
    /// An assertion as it was given; works until it expires, minutes to hours.
    Assertion(Secret),
    /// A place that gives out assertions, asked at each request.
    AssertionFrom(AssertionSource),
}

impl AppCredential {
    /// What the record `entry` holds.
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
                "The stored credential of service principal {} is of a kind that this version cannot use.",
                entry.client_id
            ))),
        }
    }

    /// What the record `entry` holds, to be used now.
    ///
    /// # Errors
    /// It is a place that must not be asked on behalf of this configuration folder.
    pub(super) fn stored(entry: &ServicePrincipal, system: &System) -> Result<Self> {
        let credential = Self::of_record(entry)?;
        match &credential {
            // The environment itself names it.
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

    /// What a request is signed with: files are read and places asked anew each time.
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

    /// Names this credential without telling it: hexadecimal digits of a hash.
    ///
    /// Tokens of an application that signs in nowhere are filed under it, so that another secret in
    /// the environment does not get at what the right one got.
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

/// Names these secrets without telling them: hexadecimal digits of a hash.
pub(crate) fn fingerprint<'s>(secrets: impl Iterator<Item = &'s Secret>) -> String {
    let all: Vec<&str> = secrets.map(Secret::expose).collect();
    AppCredential::Assertion(Secret::new(all.join("\n"))).fingerprint()
}

/// True when the certificate file at `path` cannot be read without a password.
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
