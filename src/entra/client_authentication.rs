//! Authentication of an application at the token endpoint (RFC 6749 section 2.3, RFC 7523).

use super::certificate::Certificate;
use super::form::Form;
use super::token_client::TokenClient;
use crate::error::Result;
use crate::secret::Secret;

/// The credential of an application.
#[derive(Debug)]
pub(crate) enum ClientCredential {
    /// A client secret (RFC 6749 section 2.3.1).
    Secret(Secret),
    /// A certificate whose key signs a new assertion for each request.
    Certificate(Box<Certificate>),
    /// A JWT from an issuer that the application trusts (RFC 7523 section 2.2).
    Assertion(Secret),
}

impl ClientCredential {
    /// Adds the client id and the credential to `form`.
    pub(super) fn sign(&self, form: Form, client: &TokenClient<'_>) -> Result<Form> {
        let form = form.with("client_id", &client.client_id);
        Ok(match self {
            Self::Secret(secret) => form.with_secret("client_secret", secret),
            Self::Certificate(certificate) => {
                let now = client.system.clock.now();
                let (id, authority) = (&client.client_id, &client.authority);
                with_assertion(form, &certificate.assertion(id, authority, now)?)
            }
            Self::Assertion(assertion) => with_assertion(form, assertion),
        })
    }
}

/// Adds an assertion (RFC 7523 section 2.2).
fn with_assertion(form: Form, assertion: &Secret) -> Form {
    form.with("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        .with_secret("client_assertion", assertion)
}
