//! The kinds of records, each declared once: a kind that is missing here cannot be stored.

use super::super::Vault;
use super::super::store::Store;
use super::{AccessToken, Account, IdToken, RefreshToken, ServicePrincipal};
use crate::error::Result;

/// The properties of a kind. Only the macro below implements it.
pub trait Kind {
    /// Two letters, the prefix of this kind's file names.
    const PREFIX: &'static str;
    /// True if losing a record costs a sign-in. Then a write returns only after the file is on
    /// disk.
    const IS_DURABLE: bool;
}

macro_rules! kinds {
    ($($kind:ident { prefix: $prefix:literal, is_durable: $is_durable:literal }),* $(,)?) => {
        $(impl Kind for $kind {
            const PREFIX: &'static str = $prefix;
            const IS_DURABLE: bool = $is_durable;
        })*

        /// The prefixes of all kinds.
        pub(in crate::vault) const PREFIXES: &[&str] = &[$($prefix),*];

        /// Seals every record of `vault` again and stores it in `new`.
        pub(in crate::vault) fn copy_all(vault: &Vault<'_>, new: &Store<'_>) -> Result<()> {
            $(vault.all::<$kind>()?.iter().try_for_each(|record| new.put(record))?;)*
            Ok(())
        }
    };
}

kinds! {
    AccessToken { prefix: "at", is_durable: false },
    RefreshToken { prefix: "rt", is_durable: true },
    IdToken { prefix: "id", is_durable: false },
    Account { prefix: "ac", is_durable: true },
    ServicePrincipal { prefix: "sp", is_durable: true },
}
