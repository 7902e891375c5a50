//! The vault key in an environment variable.

use zeroize::Zeroizing;

use super::{VaultKey, trouble};
use crate::error::{Error, Result};
use crate::sys::System;

/// 64 hex digits, or base64 of 32 bytes.
pub(super) use crate::sys::VAULT_KEY as VARIABLE;

/// The key; `None` when the variable is unset or empty. A text that is no key is an error, which
/// does not show it.
pub(super) fn fetch(system: &System) -> Result<Option<VaultKey>> {
    let Some(text) = system.env.non_empty(VARIABLE).map(Zeroizing::new) else { return Ok(None) };
    VaultKey::parse(&text).map(Some).ok_or_else(|| {
        trouble(format!("{VARIABLE} is neither 64 hex digits nor base64 of 32 bytes."))
            .remedy("Make a key with: openssl rand -base64 32")
    })
}

/// The error for a vault that needs the variable.
pub(super) fn unset(system: &System) -> Error {
    trouble(format!("The vault key is to come from {VARIABLE}, which is not set."))
        .remedy(format!("Set {VARIABLE} to the key and run {} again.", system.program))
}
