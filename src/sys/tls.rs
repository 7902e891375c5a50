//! Which certificate authorities are trusted besides the platform's.

use std::path::Path;

use reqwest::Certificate;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

use super::env::Env;
use super::{file, pem};
use crate::error::{Error, Kind, Result};
use crate::foreign::Sentence;

/// Variables that name a PEM file of further authorities: requests' and curl's, which az honours,
/// and OpenSSL's.
const FILE_VARIABLES: [&str; 3] = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"];

/// The variable that names folders of PEM files (OpenSSL), separated as in `PATH`.
const FOLDER_VARIABLE: &str = "SSL_CERT_DIR";

/// Where Linux distributions and the BSDs keep the platform's authorities as one file.
const PLATFORM_BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// What the environment's variables lead to.
#[derive(Default)]
pub(crate) struct Authorities {
    pub(super) certificates: Vec<Certificate>,
    /// A sentence for each file with certificates that are of no use and were left out.
    pub(crate) flaws: Vec<String>,
}

/// The authorities that the environment adds to the platform's store.
///
/// A bundle that is named and has none that can be used is an error (the person asked for it, and
/// without it the connection would fail with a worse message). In a folder, files that are not
/// certificates are passed over.
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
    // rustls takes OpenSSL's variables for the whole store; here they add to the platform's.
    if env.path("SSL_CERT_FILE").or(env.path(FOLDER_VARIABLE)).is_some() {
        let mut platform = Authorities::default();
        if PLATFORM_BUNDLES.iter().any(|path| platform.add_file(Path::new(path), "").is_ok()) {
            // What is wrong with that file is not this person's to mend.
            found.certificates.append(&mut platform.certificates);
        }
    }
    Ok(found)
}

impl Authorities {
    /// Adds what can be used of the file at `path`, which `variable` leads to. The error says why
    /// there is nothing, in words that go on from the path.
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
                _ => format!("and all certificates in it, at the lines {lines}, are damaged"),
            });
        }
        if !lines.is_empty() {
            let path = Sentence::new(&path.display().to_string());
            self.flaws.push(format!(
                "{path} ({variable}) has certificates that are damaged, at line {lines}: they are left out."
            ));
        }
        Ok(())
    }

    fn add_folder(&mut self, folder: &Path, variable: &str) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries.flatten() {
            // Most are no certificates and need not be.
            let _ = self.add_file(&entry.path(), variable);
        }
    }
}

/// The certificate that `der` is, if TLS takes it for an authority's: it refuses all for one that it
/// does not.
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
