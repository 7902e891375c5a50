//! The certificate authorities that the environment adds to the platform's.

use std::path::Path;

use reqwest::Certificate;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

use super::env::Env;
use super::{file, pem};
use crate::error::{Error, Kind, Result};
use crate::foreign::Sentence;

/// Variables that name a PEM file of authorities: those of requests and curl, which az honours, and
/// OpenSSL's.
const FILE_VARIABLES: [&str; 3] = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"];

/// The variable that names folders of PEM files (OpenSSL), separated as in `PATH`.
const FOLDER_VARIABLE: &str = "SSL_CERT_DIR";

/// The file with the platform's authorities on Linux distributions and the BSDs.
const PLATFORM_BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The authorities that the variables name.
#[derive(Default)]
pub(crate) struct Authorities {
    pub(super) certificates: Vec<Certificate>,
    /// A sentence for each file with damaged certificates, which are ignored.
    pub(crate) flaws: Vec<String>,
}

/// Reads the authorities that the environment adds to the platform's. In a folder, files that are
/// not certificates are ignored.
///
/// # Errors
/// A named file has no usable certificate. Without this error, the connection would fail later with
/// a worse message.
pub(crate) fn extra_authorities(env: &Env) -> Result<Authorities> {
    let mut found = Authorities::default();
    for variable in FILE_VARIABLES {
        if let Some(path) = env.path(variable) {
            if path.is_dir() {
                found.add_folder(&path, variable);
            } else {
                found.add_file(&path, variable).map_err(|cause| {
                    let path = Sentence::new(&path.display().to_string());
                    let text = format!("{variable} names {path}, {cause}.");
                    Error::new(Kind::Network, text).remedy(format!(
                        "Set {variable} to a PEM file of certificate authorities, or unset it."
                    ))
                })?;
            }
        }
    }
    if let Some(folders) = env.path(FOLDER_VARIABLE) {
        for folder in std::env::split_paths(&folders) {
            found.add_folder(&folder, FOLDER_VARIABLE);
        }
    }
    // rustls replaces the platform's store with that of OpenSSL's variables, so add the platform's.
    if env.path("SSL_CERT_FILE").or(env.path(FOLDER_VARIABLE)).is_some() {
        let mut platform = Authorities::default();
        if PLATFORM_BUNDLES.iter().any(|path| platform.add_file(Path::new(path), "").is_ok()) {
            // The flaws of that file are dropped: the user cannot repair it.
            found.certificates.append(&mut platform.certificates);
        }
    }
    Ok(found)
}

impl Authorities {
    /// Adds the usable certificates of the file at `path`, which `variable` names. The error says
    /// why there are none, as a clause that follows the path.
    fn add_file(&mut self, path: &Path, variable: &str) -> Result<(), String> {
        let bytes = file::read_named(path)
            .map_err(|error| format!("which cannot be read: {error}"))?
            .ok_or("which does not exist")?;
        let blocks = pem::blocks(&bytes);
        let found: Vec<(usize, Option<Certificate>)> = match pem::bare_certificate(&bytes) {
            Some(der) if blocks.is_empty() => vec![(1, usable(der))],
            _ => {
                let certificates = blocks.iter().filter(|block| block.is_certificate());
                certificates.map(|it| (it.line, it.certificate().and_then(usable))).collect()
            }
        };
        let useless = found.iter().filter(|(_, certificate)| certificate.is_none());
        let lines = useless.map(|(line, _)| line.to_string()).collect::<Vec<_>>().join(", ");
        let (all, before) = (found.len(), self.certificates.len());
        self.certificates.extend(found.into_iter().filter_map(|(_, certificate)| certificate));
        if self.certificates.len() == before {
            return Err(match all {
                0 => "which holds no PEM certificate".to_owned(),
                1 => format!("and the certificate in it, at line {lines}, is damaged"),
                _ => format!("and all certificates in it, at lines {lines}, are damaged"),
            });
        }
        if !lines.is_empty() {
            let path = Sentence::new(&path.display().to_string());
            self.flaws.push(format!(
                "{path} ({variable}) has damaged certificates, at line {lines}; azt ignores them."
            ));
        }
        Ok(())
    }

    fn add_folder(&mut self, folder: &Path, variable: &str) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries.flatten() {
            // Such folders hold other files too, so errors are ignored.
            let _ = self.add_file(&entry.path(), variable);
        }
    }
}

/// Parses `der` if rustls accepts it as an authority. One certificate that rustls refuses would
/// make the whole client fail.
fn usable(der: &[u8]) -> Option<Certificate> {
    RootCertStore::empty().add(CertificateDer::from(der)).ok()?;
    Certificate::from_der(der).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openssls_variables_add_to_the_platforms_store() {
        let Some(bundle) = PLATFORM_BUNDLES.iter().find(|path| Path::new(path).exists()) else {
            return;
        };
        let of = |vars: &[(&str, &str)]| {
            extra_authorities(&Env::fixed(vars.iter().copied())).unwrap().certificates.len()
        };
        assert_eq!(of(&[]), 0);
        let platform = of(&[("REQUESTS_CA_BUNDLE", bundle)]);
        assert!(platform > 0);
        assert_eq!(of(&[("SSL_CERT_FILE", bundle)]), 2 * platform);
        assert_eq!(of(&[("SSL_CERT_DIR", "/nowhere")]), platform);
    }
}
