//! The vault key in an environment variable.

use zeroize::Zeroizing;

use super::source::Source;
use super::{KeyId, KeySource, VaultKey, vault_failure};
use crate::error::{Error, Result};
use crate::sys::System;

/// 64 hex digits, or base64 of 32 bytes.
pub(super) use crate::sys::VAULT_KEY as VARIABLE;

/// Overrides `core.key_source`, as az's variables override its settings.
const SETTING: &str = "AZURE_CORE_KEY_SOURCE";

/// The key; `None` if the variable is unset or empty. Invalid text is an error that does not quote
/// it.
pub(super) fn fetch(system: &System) -> Result<Option<VaultKey>> {
    let Some(text) = system.env.non_empty(VARIABLE).map(Zeroizing::new) else { return Ok(None) };
    VaultKey::parse(&text).map(Some).ok_or_else(|| {
        vault_failure(format!("{VARIABLE} is neither 64 hex digits nor base64 of 32 bytes."))
            .remedy("Make a key with: openssl rand -base64 32")
    })
}

/// True if the environment itself sets `source` as the key source.
pub(super) fn names(system: &System, source: KeySource) -> bool {
    let named = system.env.non_empty(SETTING);
    named.is_some_and(|named| named.eq_ignore_ascii_case(&source.to_string()))
}

/// The key source `env`.
pub(super) struct Env<'s> {
    pub(super) system: &'s System,
}

impl Source for Env<'_> {
    fn fetch(&self, _id: KeyId) -> Result<Option<VaultKey>> {
        fetch(self.system)
    }

    fn make(&self) -> Result<VaultKey> {
        fetch(self.system)?.ok_or_else(|| unset(self.system))
    }

    fn make_next(&self) -> Result<VaultKey> {
        Err(vault_failure(format!(
            "The vault key comes from {VARIABLE}, which azt cannot change."
        ))
        .remedy("Move it elsewhere and back: 'azt vault move --to file', then, with another key in the variable, 'azt vault move --to env'."))
    }

    fn remove(&self, _id: KeyId) -> Result<()> {
        Ok(())
    }

    fn place(&self) -> String {
        VARIABLE.to_owned()
    }

    fn lost(&self, _id: KeyId) -> Error {
        unset(self.system)
    }
}

/// The error for a vault that needs the unset variable.
fn unset(system: &System) -> Error {
    vault_failure(format!("The vault key must come from {VARIABLE}, which is not set."))
        .remedy(format!("Set {VARIABLE} to the key and run {} again.", system.program))
}
