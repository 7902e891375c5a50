//! Which certificate authorities are trusted besides the platform's.

use std::path::Path;

use reqwest::Certificate;

use super::env::Env;
use super::file;
use crate::error::{Error, Kind, Result};

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

/// The authorities that the environment adds to the platform's store.
///
/// A bundle that is named but cannot be read is an error (the person asked for it, and without it
/// the connection would fail with a worse message). In a folder, files that are not certificates
/// are passed over.
pub(super) fn extra_authorities(env: &Env) -> Result<Vec<Certificate>> {
    let mut found = Vec::new();
    for variable in FILE_VARIABLES {
        if let Some(path) = env.path(variable) {
            if path.is_dir() {
                found.extend(from_folder(&path));
            } else {
                found.extend(from_file(&path).map_err(|cause| {
                    Error::new(
                        Kind::Network,
                        format!("{variable} names {}, {cause}.", path.display()),
                    )
                    .remedy(format!(
                        "Set {variable} to a PEM file of certificate authorities, or unset it."
                    ))
                })?);
            }
        }
    }
    if let Some(folders) = env.path(FOLDER_VARIABLE) {
        for folder in std::env::split_paths(&folders) {
            found.extend(from_folder(&folder));
        }
    }
    // rustls takes OpenSSL's variables for the whole store; here they add to the platform's.
    if env.path("SSL_CERT_FILE").or(env.path(FOLDER_VARIABLE)).is_some() {
        let bundle = PLATFORM_BUNDLES.iter().find_map(|path| from_file(Path::new(path)).ok());
        found.extend(bundle.unwrap_or_default());
    }
    Ok(found)
}

fn from_file(path: &Path) -> Result<Vec<Certificate>, String> {
    let bytes = file::read_named(path)
        .map_err(|error| format!("which cannot be read: {error}"))?
        .ok_or("which does not exist")?;
    let certificates = Certificate::from_pem_bundle(&bytes)
        .map_err(|_| "which holds something that is not a PEM certificate")?;
    if certificates.is_empty() {
        return Err("which holds no PEM certificate".to_owned());
    }
    Ok(certificates)
}

fn from_folder(folder: &Path) -> Vec<Certificate> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries.flatten().filter_map(|entry| from_file(&entry.path()).ok()).flatten().collect()
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
            extra_authorities(&Env::fixed(vars.iter().copied())).unwrap().len()
        };
        assert_eq!(of(&[]), 0);
        let platform = of(&[("REQUESTS_CA_BUNDLE", bundle)]);
        assert!(platform > 0);
        assert_eq!(of(&[("SSL_CERT_FILE", bundle)]), 2 * platform);
        assert_eq!(of(&[("SSL_CERT_DIR", "/nowhere")]), platform);
    }
}
