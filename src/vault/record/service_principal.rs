//! An application with its credential.
//!
//! The credential may be a file, or the output of a command. So the record has no `Deserialize`:
//! azt reads it only from what the vault sealed.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::AssertionSource;
use super::assertion_source::optional;
use crate::secret::{Secret, exposed_option};

/// A signed-in application with one of the four credentials.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ServicePrincipal {
    /// The application's client id.
    pub client_id: String,
    /// The tenant, as given at sign-in.
    pub tenant: String,
    /// Host, and port if given, of the authority that the credential is for. Empty in records of
    /// azt 0.1 until they are bound to one. Not in az's file.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub environment: String,
    /// Its secret.
    #[serde(serialize_with = "exposed_option", skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<Secret>,
    /// Path of a PEM or PKCS#12 file with its certificate and private key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// The password of that file. Not in az's file.
    #[serde(serialize_with = "exposed_option", skip_serializing_if = "Option::is_none")]
    pub certificate_password: Option<Secret>,
    /// Sends the certificate chain (`x5c`), so that Entra accepts it by subject name and issuer.
    #[serde(skip_serializing_if = "is_false")]
    pub use_cert_sn_issuer: bool,
    /// A signed assertion (RFC 7523), as given.
    #[serde(serialize_with = "exposed_option", skip_serializing_if = "Option::is_none")]
    pub client_assertion: Option<Secret>,
    /// The source of its assertions. Not in az's file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_assertion_source: Option<AssertionSource>,
    /// Unknown members.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl ServicePrincipal {
    /// The application `client_id` in `tenant`, for the login host `environment`, without a
    /// credential yet.
    pub fn without_credential(environment: &str, client_id: &str, tenant: &str) -> Self {
        Self {
            client_id: client_id.to_owned(),
            tenant: tenant.to_owned(),
            environment: environment.to_owned(),
            client_secret: None,
            certificate: None,
            certificate_password: None,
            use_cert_sn_issuer: false,
            client_assertion: None,
            client_assertion_source: None,
            other: Map::new(),
        }
    }

    /// True if the credential comes from a file or a command.
    pub(crate) fn has_external_credential(&self) -> bool {
        self.certificate.is_some() || self.client_assertion_source.is_some()
    }
}

/// Deserializes the record; the compiler checks that the members match.
#[derive(Deserialize)]
#[serde(remote = "ServicePrincipal")]
struct Mirror {
    client_id: String,
    tenant: String,
    #[serde(default)]
    environment: String,
    #[serde(default)]
    client_secret: Option<Secret>,
    #[serde(default)]
    certificate: Option<String>,
    #[serde(default)]
    certificate_password: Option<Secret>,
    #[serde(default)]
    use_cert_sn_issuer: bool,
    #[serde(default)]
    client_assertion: Option<Secret>,
    #[serde(default, deserialize_with = "optional")]
    client_assertion_source: Option<AssertionSource>,
    #[serde(flatten)]
    other: Map<String, Value>,
}

/// Parses the record in `plain`, which a seal opened.
pub(super) fn read(plain: &[u8]) -> serde_json::Result<ServicePrincipal> {
    let mut reader = serde_json::Deserializer::from_slice(plain);
    let record = Mirror::deserialize(&mut reader)?;
    reader.end()?;
    Ok(record)
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde demands")]
fn is_false(value: &bool) -> bool {
    !*value
}
