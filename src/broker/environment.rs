//! The application that environment variables describe, with the variables of the Azure SDKs'
//! `EnvironmentCredential` and `WorkloadIdentityCredential`.

use super::AppCredential;
use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::sys::System;
use crate::vault::AssertionSource;

/// An application without a sign-in: each call takes its credential from the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EnvironmentIdentity {
    /// `AZURE_CLIENT_ID`.
    pub(crate) client_id: String,
    /// `AZURE_TENANT_ID`: GUID or domain.
    pub(crate) tenant: String,
    /// `AZURE_CLIENT_SECRET`, else `AZURE_CLIENT_CERTIFICATE_PATH`, else
    /// `AZURE_FEDERATED_TOKEN_FILE`.
    pub(super) credential: AppCredential,
    /// Fingerprint of the credential.
    pub(super) fingerprint: String,
}

impl EnvironmentIdentity {
    /// Reads the variables.
    ///
    /// # Errors
    /// A variable is missing; the message names it.
    pub(crate) fn read(system: &System) -> Result<Self> {
        let variable = |name: &str| system.env.non_empty(name);
        let missing = |name: &str| {
            Error::failed(format!("{name} is not set, so the environment describes no identity."))
                .remedy("Set AZURE_TENANT_ID, AZURE_CLIENT_ID, and one of AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH and AZURE_FEDERATED_TOKEN_FILE.")
        };
        let needed = |name: &str| variable(name).ok_or_else(|| missing(name));
        let (tenant, client_id) = (needed("AZURE_TENANT_ID")?, needed("AZURE_CLIENT_ID")?);
        let credential = if let Some(secret) = variable("AZURE_CLIENT_SECRET") {
            AppCredential::Secret(Secret::new(secret))
        } else if let Some(path) = variable("AZURE_CLIENT_CERTIFICATE_PATH") {
            let sends_chain = variable("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN")
                .is_some_and(|value| ["1", "true"].contains(&value.to_lowercase().as_str()));
            let password = variable("AZURE_CLIENT_CERTIFICATE_PASSWORD").map(Secret::new);
            AppCredential::Certificate { path, password, sends_chain }
        } else if let Some(path) = variable("AZURE_FEDERATED_TOKEN_FILE") {
            AppCredential::AssertionFrom(AssertionSource::File { path })
        } else {
            return Err(missing("AZURE_CLIENT_SECRET"));
        };
        let fingerprint = credential.fingerprint();
        Ok(Self { client_id, tenant, credential, fingerprint })
    }
}
