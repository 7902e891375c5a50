//! The client credentials grant (RFC 6749 section 4.4).

use super::authority::Authority;
use super::certificate::Certificate;
use super::form::Form;
use super::scope::Scopes;
use super::token_endpoint;
use super::token_response::TokenResponse;
use crate::error::Result;
use crate::secret::Secret;
use crate::sys::System;

/// How an application proves who it is.
#[derive(Debug)]
pub enum ClientCredential {
    /// A client secret (RFC 6749 section 2.3.1).
    Secret(Secret),
    /// A certificate whose key signs a new assertion for each request.
    Certificate(Box<Certificate>),
    /// A JWT that somebody the application trusts has signed (RFC 7523 section 2.2).
    Assertion(Secret),
}

/// Asks for an access token of `scopes` for the application `client_id` itself: one request.
pub async fn client_credentials(
    system: &System,
    authority: &Authority,
    client_id: &str,
    credential: &ClientCredential,
    scopes: &Scopes,
    claims: Option<&str>,
) -> Result<TokenResponse> {
    let mut form = Form::grant("client_credentials")
        .with("client_id", client_id)
        .with("scope", &scopes.joined())
        .with("client_info", "1");
    form = match credential {
        ClientCredential::Secret(secret) => form.with_secret("client_secret", secret),
        ClientCredential::Certificate(certificate) => {
            let now = system.clock.now();
            let assertion = certificate.assertion(client_id, &authority.token_endpoint(), now)?;
            with_assertion(form, &assertion)
        }
        ClientCredential::Assertion(assertion) => with_assertion(form, assertion),
    };
    if let Some(claims) = claims {
        form = form.with("claims", claims);
    }
    token_endpoint::post(system, authority, form, None).await
}

/// Adds an assertion (RFC 7523 section 2.2).
fn with_assertion(form: Form, assertion: &Secret) -> Form {
    form.with("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        .with_secret("client_assertion", assertion)
}
