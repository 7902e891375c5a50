//! How an application proves itself: what is stored, and what a request needs.

use std::path::Path;

use crate::entra::{Certificate, ClientCredential};
use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::sys::file;
use crate::vault::ServicePrincipal;

/// What an application signs in with.
#[derive(Clone, Debug)]
pub enum AppCredential {
    /// A client secret.
    Secret(Secret),
    /// A PEM file with key and certificate, read at each request.
    Certificate {
        /// Its path, absolute.
        path: String,
        /// Whether the certificates are sent along (subject name and issuer authentication).
        sends_chain: bool,
    },
    /// An assertion as it was given; works until it expires, minutes to hours.
    Assertion(Secret),
    /// A file that always holds a current assertion, read at each request (workload identity).
    AssertionFile(String),
}

impl AppCredential {
    /// The record of the application `client_id` in `tenant`.
    pub(super) fn into_record(self, client_id: &str, tenant: &str) -> ServicePrincipal {
        let mut entry = ServicePrincipal {
            client_id: client_id.to_owned(),
            tenant: tenant.to_owned(),
            client_secret: None,
            certificate: None,
            use_cert_sn_issuer: false,
            client_assertion: None,
            client_assertion_file: None,
            other: serde_json::Map::new(),
        };
        match self {
            Self::Secret(secret) => entry.client_secret = Some(secret),
            Self::Certificate { path, sends_chain } => {
                entry.certificate = Some(path);
                entry.use_cert_sn_issuer = sends_chain;
            }
            Self::Assertion(assertion) => entry.client_assertion = Some(assertion),
            Self::AssertionFile(path) => entry.client_assertion_file = Some(path),
        }
        entry
    }
}

/// What a request of the application `entry` is signed with: files are read anew each time.
pub(super) fn of(entry: &ServicePrincipal) -> Result<ClientCredential> {
    if let Some(secret) = &entry.client_secret {
        return Ok(ClientCredential::Secret(secret.clone()));
    }
    if let Some(path) = &entry.certificate {
        let pem = zeroize::Zeroizing::new(read(path)?);
        let certificate = Certificate::from_pem(&pem, entry.use_cert_sn_issuer)
            .map_err(|error| error.remedy(format!("The file is {path}.")))?;
        return Ok(ClientCredential::Certificate(Box::new(certificate)));
    }
    if let Some(path) = &entry.client_assertion_file {
        let text = String::from_utf8(read(path)?)
            .map_err(|_| Error::failed(format!("{path} holds no assertion (a JWT).")))?;
        return Ok(ClientCredential::Assertion(Secret::new(text.trim())));
    }
    match &entry.client_assertion {
        Some(assertion) => Ok(ClientCredential::Assertion(assertion.clone())),
        None => Err(Error::failed(format!(
            "The stored credential of service principal {} is of a kind that this version cannot use.",
            entry.client_id
        ))),
    }
}

fn read(path: &str) -> Result<Vec<u8>> {
    let path = Path::new(path);
    file::read(path)
        .map_err(|error| file::cannot("read", path, error))?
        .ok_or_else(|| Error::failed(format!("There is no file {}.", path.display())))
}
