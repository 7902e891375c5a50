//! What is known of a sign-in without asking Entra.

use serde_json::{Value, json};

use crate::accounts::Context;
use crate::broker::{self, Identity};
use crate::error::{Error, Result};
use crate::interop;
use crate::vault::{AccessToken, Account, Vault};

/// Entra ends a user's sign-in that was not used for this long, in seconds; a tenant's policy may
/// end it earlier.
const UNUSED_FOR: i64 = 90 * 24 * 3600;

/// Where the sign-in of an account is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// In the vault.
    Stored,
    /// In az's files; azt takes it when it is needed.
    OfAz,
    /// With the identity broker.
    OfBroker,
    /// The host gives tokens without one.
    OfHost,
    /// With the azt of `AZT_BROKER`.
    OfServer,
    /// In environment variables.
    OfEnvironment,
    /// Nowhere.
    Missing,
    /// The vault cannot be opened.
    Unknown,
}

/// A sign-in.
pub(super) struct SignIn {
    pub(super) state: State,
    /// When it last gave a token, or was made: seconds since 1970-01-01 UTC.
    last_worked_on: Option<i64>,
    /// When Entra ends it unless it is used before.
    ends_unused_on: Option<i64>,
    /// Why nothing is known, unless the vault itself cannot be opened.
    pub(super) error: Option<Error>,
}

impl State {
    const ALL: [(Self, &'static str, &'static str); 8] = [
        (Self::Stored, "stored", "stored, renewed when needed"),
        (Self::OfAz, "az", "az's, taken over when needed"),
        (Self::OfBroker, "identityBroker", "kept by the identity broker"),
        (Self::OfServer, "server", "kept by the azt that AZT_BROKER names"),
        (Self::OfHost, "host", "none needed on this host"),
        (Self::OfEnvironment, "environment", "none needed, from variables"),
        (Self::Missing, "missing", "none"),
        (Self::Unknown, "unknown", "unknown, see the vault key"),
    ];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(state, ..)| *state == self).map_or("", |(_, name, _)| name)
    }
}

/// The words for the state with this name.
pub(super) fn words(name: &str) -> &'static str {
    State::ALL.iter().find(|(_, own, _)| *own == name).map_or("", |(.., words)| words)
}

impl SignIn {
    pub(super) fn of(
        identity: &Identity,
        tenant: &str,
        vault: &Result<Option<Vault<'_>>>,
        context: &Context<'_>,
    ) -> Self {
        let known = |state| Self::of_state(state, None);
        #[cfg(unix)]
        if context.remote.is_some() {
            return known(State::OfServer);
        }
        match identity {
            Identity::ManagedIdentity(_) | Identity::CloudShell { .. } => known(State::OfHost),
            Identity::Environment(_) => known(State::OfEnvironment),
            Identity::Client(account) => {
                let at = account.signed_in_at;
                Self::of_state(State::Stored, Some(at).filter(|at| *at > 0))
            }
            Identity::User { .. } | Identity::ServicePrincipal { .. } => match vault {
                Err(_) => known(State::Unknown),
                Ok(vault) => match stored(identity, tenant, vault.as_ref(), context) {
                    Ok(Some(found)) => found,
                    Ok(None) if is_of_az(identity, context) => known(State::OfAz),
                    Ok(None) => known(State::Missing),
                    Err(error) => Self { error: Some(error), ..known(State::Unknown) },
                },
            },
        }
    }

    fn of_state(state: State, last_worked_on: Option<i64>) -> Self {
        Self { state, last_worked_on, ends_unused_on: None, error: None }
    }

    pub(super) fn to_value(&self) -> Value {
        json!({
            "state": self.state.name(),
            "lastWorkedOn": self.last_worked_on,
            "endsUnusedOn": self.ends_unused_on,
        })
    }
}

/// The sign-in in the vault; `None` if there is none.
fn stored(
    identity: &Identity,
    tenant: &str,
    vault: Option<&Vault<'_>>,
    context: &Context<'_>,
) -> Result<Option<SignIn>> {
    let Some(vault) = vault else { return Ok(None) };
    let environment = context.cloud().environment()?;
    let name = identity.name();
    if matches!(identity, Identity::ServicePrincipal { .. }) {
        let (system, homes) = (context.system, context.homes());
        let found = broker::application(system, vault, homes, &environment, name, tenant)?;
        if found.is_none() {
            return Ok(None);
        }
        let tokens = vault.all::<AccessToken>()?.into_iter();
        let own =
            tokens.filter(|it| it.client_id.eq_ignore_ascii_case(name) && it.account.is_empty());
        let last_worked_on = own.map(|it| it.cached_at).max();
        return Ok(Some(SignIn::of_state(State::Stored, last_worked_on)));
    }
    let Some(account) = vault.get(&Account::key_of(&environment, name))? else { return Ok(None) };
    if account.is_brokered() {
        let last_worked_on = Some(account.signed_in_at).filter(|at| *at > 0);
        return Ok(Some(SignIn::of_state(State::OfBroker, last_worked_on)));
    }
    let Some(token) = broker::refresh_token(vault, &environment, name)? else { return Ok(None) };
    let last_worked_on = Some(token.last_modification_time).filter(|at| *at > 0);
    let ends_unused_on = last_worked_on.map(|at| at.saturating_add(UNUSED_FOR));
    Ok(Some(SignIn { ends_unused_on, ..SignIn::of_state(State::Stored, last_worked_on) }))
}

fn is_of_az(identity: &Identity, context: &Context<'_>) -> bool {
    let homes = context.homes();
    let home = |client_id: &str, tenant: &str| homes.of_plain(client_id, tenant);
    context.cloud().environment().is_ok_and(|environment| {
        interop::can_adopt(&context.dir, &environment, identity.name(), &broker::can_redeem, &home)
    })
}
