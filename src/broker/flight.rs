//! One process fetches a token; the others wait for the token or for the published failure.

use std::time::Duration;

use super::{
    AppCredential, Broker, Identity, NoToken, TokenRequest, application, fingerprint, refresh_token,
};
use crate::error::{Error, Kind};
use crate::vault::{AccessToken, Account, Held, Record, RecordKey, Vault};

impl Broker<'_> {
    /// Publishes `error` to processes waiting for `key` with the same credential.
    ///
    /// Publishes only failures that the service reported; local errors do not apply to other
    /// processes.
    pub(super) fn publish(
        &self,
        vault: &Vault<'_>,
        request: &TokenRequest,
        key: &RecordKey<AccessToken>,
        credential: &str,
        error: &Error,
    ) {
        let is_of_service = error.entra_detail().is_some() || error.kind() == Kind::Service;
        if is_of_service
            && request.claims.is_none()
            && let Err(error) =
                vault.publish_failure(key, credential, self.system.clock.now(), error)
        {
            self.system.terminal.debug(&format!("the failure is not published: {error}"));
        }
    }

    /// Fingerprint of the stored credential that `request` uses; empty if none is stored.
    pub(super) fn credential_fingerprint(
        &self,
        vault: &Vault<'_>,
        request: &TokenRequest,
    ) -> String {
        match &request.identity {
            Identity::User { name } => refresh_token(vault, &self.environment, name)
                .ok()
                .flatten()
                .map_or_else(String::new, |held| fingerprint([held.secret].iter())),
            Identity::Client(account) => vault
                .get(&account.key())
                .ok()
                .flatten()
                .map_or_else(String::new, |held| fingerprint([held.refresh_token].iter())),
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

    /// True if the tokens of `request` come from the identity broker. A sign-in of az does not
    /// replace it.
    pub(crate) fn is_of_identity_broker(&self, request: &TokenRequest) -> bool {
        let Identity::User { name } = &request.identity else { return false };
        let stored =
            self.vault.as_ref().map(|it| it.get(&Account::key_of(&self.environment, name)));
        stored.is_some_and(|it| it.is_ok_and(|it| it.is_some_and(|it| it.is_brokered())))
    }

    /// True if the vault has another credential for `request` than the one that `failed` used.
    pub(crate) fn has_another_sign_in(&self, request: &TokenRequest, failed: &NoToken) -> bool {
        self.vault.as_ref().is_some_and(|vault| {
            let now = self.credential_fingerprint(vault, request);
            !now.is_empty() && now != failed.credential
        })
    }

    /// Takes the lock of `key`; `None` if another process holds it for all of `limit`.
    pub(super) fn flight(
        &self,
        vault: &Vault<'_>,
        key: &RecordKey<AccessToken>,
        limit: Duration,
    ) -> Option<Held> {
        vault.flight(key, limit).unwrap_or_else(|error| {
            // The folder is not writable, so every process fetches its own token.
            self.system.terminal.debug(&format!("{error}"));
            None
        })
    }
}
