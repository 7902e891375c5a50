//! A request for one access token.

use super::{AppCredential, Identity, Owner, Wanted};
use crate::entra::Scopes;
use crate::error::{Error, Result};
use crate::secret::Secret;

/// A request for one access token.
#[derive(Clone, Debug)]
pub(crate) struct TokenRequest {
    /// The account.
    pub(crate) identity: Identity,
    /// Tenant of the token: GUID or domain, as given.
    pub(crate) tenant: String,
    /// Scopes of the token.
    pub(crate) scopes: Scopes,
    /// The JSON text of a claims challenge. With one, a cached token is never used.
    pub(crate) claims: Option<String>,
    /// The user's access token, for the on-behalf-of flow.
    pub(crate) user_assertion: Option<Secret>,
    /// How new it must be.
    pub(crate) wanted: Wanted,
}

impl TokenRequest {
    /// A token of `scopes` for `identity` itself.
    pub(crate) fn new(identity: Identity, tenant: impl Into<String>, scopes: Scopes) -> Self {
        Self {
            identity,
            tenant: tenant.into(),
            scopes,
            claims: None,
            user_assertion: None,
            wanted: Wanted::Usable,
        }
    }

    /// Rejects what the identity does not support: only an application can act on behalf of a user,
    /// and a host's token endpoint takes no claims challenge.
    pub(super) fn check(&self) -> Result<()> {
        let is_host =
            matches!(self.identity, Identity::ManagedIdentity(_) | Identity::CloudShell { .. });
        if self.user_assertion.is_some()
            && (is_host || matches!(self.identity, Identity::User { .. } | Identity::Client(_)))
        {
            let what = if is_host { "the host's own identity" } else { "a user" };
            return Err(Error::failed(format!(
                "Only an application can act on behalf of a user; this account is {what}."
            )));
        }
        if self.claims.is_some() && is_host {
            return Err(Error::failed(
                "The host's token endpoint does not accept a claims challenge.",
            )
            .remedy("Use another account, or have the resource accept this identity without the claims."));
        }
        Ok(())
    }

    /// The owner of the token. It includes the user assertion, so that two users of one application
    /// never share a token.
    pub(super) fn owner(&self) -> Owner<'_> {
        let owner = self.identity.owner();
        match &self.user_assertion {
            None => owner,
            Some(assertion) => {
                let assertion = AppCredential::Assertion(assertion.clone()).fingerprint();
                Owner::OnBehalfOf { assertion: assertion.into(), of: Box::new(owner) }
            }
        }
    }
}
