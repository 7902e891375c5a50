//! The kinds of records, each declared once: a kind that is missing here cannot be stored.

use super::super::Vault;
use super::super::store::Store;
use super::{
    AccessToken, Account, ClientAccount, HostAccount, IdToken, RefreshToken, ServicePrincipal,
};
use crate::error::Result;
use crate::sys::file::Durability;

/// The properties of a kind. Only the macro below implements it.
pub trait RecordKind {
    /// Two letters, the prefix of this kind's file names.
    const PREFIX: &'static str;
    /// Durable where losing a record costs a sign-in.
    const DURABILITY: Durability;
}

macro_rules! kinds {
    ($($kind:ident { prefix: $prefix:literal, durability: $durability:ident }),* $(,)?) => {
        $(impl RecordKind for $kind {
            const PREFIX: &'static str = $prefix;
            const DURABILITY: Durability = Durability::$durability;
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
    AccessToken { prefix: "at", durability: Volatile },
    RefreshToken { prefix: "rt", durability: Durable },
    IdToken { prefix: "id", durability: Volatile },
    Account { prefix: "ac", durability: Durable },
    ClientAccount { prefix: "ca", durability: Durable },
    ServicePrincipal { prefix: "sp", durability: Durable },
    HostAccount { prefix: "ha", durability: Volatile },
}
