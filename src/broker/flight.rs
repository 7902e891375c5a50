//! One process asks for a token, the others wait and are given it, or told why there is none.

use std::time::Duration;

use super::{
    AppCredential, Broker, Identity, TokenRequest, application, fingerprint, refresh_token,
};
use crate::error::{Error, Kind};
use crate::vault::{AccessToken, Held, RecordKey, Vault};

impl Broker<'_> {
    /// Tells those who wait what the service said. What went wrong on the way there, a limit of this
    /// process or a variable of it, need not go wrong for them.
    pub(super) fn tell(
        &self,
        vault: &Vault<'_>,
        request: &TokenRequest,
        key: &RecordKey<AccessToken>,
        mark: &str,
        error: &Error,
    ) {
        let is_of_service = error.entra_detail().is_some() || error.kind() == Kind::Service;
        if is_of_service
            && request.claims.is_none()
            && let Err(error) = vault.publish_failure(key, mark, self.system.clock.now(), error)
        {
            self.system.terminal.debug(&format!("nobody is told of the failure: {error}"));
        }
    }

    /// Names, without telling it, what `request` is renewed with: empty where nothing is stored.
    pub(super) fn mark(&self, vault: &Vault<'_>, request: &TokenRequest) -> String {
        match &request.identity {
            Identity::User { name } => refresh_token(vault, &self.environment, name)
                .ok()
                .flatten()
                .map_or_else(String::new, |held| fingerprint([held.secret].iter())),
            Identity::ServicePrincipal { client_id } => {
                let (system, environment) = (self.system, &self.environment);
                let tenant = &request.tenant;
                let entry = application(system, vault, self.homes, environment, client_id, tenant);
                let entry =
                    entry.ok().flatten().filter(|it| it.tenant.eq_ignore_ascii_case(tenant));
                let credential = entry.and_then(|entry| AppCredential::of_record(&entry).ok());
                credential.map_or_else(String::new, |credential| credential.fingerprint())
            }
            _ => String::new(),
        }
    }

    /// True when the vault has another sign-in for `request` by now than the one that was tried last.
    pub fn has_another_sign_in(&self, request: &TokenRequest) -> bool {
        self.vault.as_ref().is_some_and(|vault| {
            let now = self.mark(vault, request);
            !now.is_empty() && now != *self.tried.borrow()
        })
    }

    /// The flight lock of `key`; `None` when it is not to be had in time.
    pub(super) fn flight(
        &self,
        vault: &Vault<'_>,
        key: &RecordKey<AccessToken>,
        limit: Duration,
    ) -> Option<Held> {
        vault.flight(key, limit).unwrap_or_else(|error| {
            // A folder that cannot be written: everybody for themselves.
            self.system.terminal.debug(&format!("{error}"));
            None
        })
    }
}
