//! What every key source does.

use super::{KeyId, VaultKey, trouble};
use crate::error::{Error, Result};

/// A place that keeps the vault key. A new source is a file with an implementation, a variant of
/// `KeySource` and a line in `Sources::get`.
///
/// Every method fails when the place cannot be used, with a remedy; "it holds no key" is no failure.
pub(super) trait Source {
    /// The key `id`, or `None`. A source that holds one key whatever its id returns that one: the
    /// caller compares.
    ///
    /// # Errors
    /// The place holds something that is no key.
    fn fetch(&self, id: KeyId) -> Result<Option<VaultKey>>;

    /// [`Source::fetch`] without a cache, to prove that the place keeps the key.
    fn read_back(&self, id: KeyId) -> Result<Option<VaultKey>> {
        self.fetch(id)
    }

    /// Makes and keeps the key of a new vault, or of one that moves here from another source.
    ///
    /// # Errors
    /// A key that azt did not make is in its place.
    fn make(&self) -> Result<VaultKey>;

    /// Makes and keeps a new key beside the present one, which stays until [`Source::settle`].
    ///
    /// # Errors
    /// The key is not azt's to change.
    fn make_next(&self) -> Result<VaultKey> {
        self.make()
    }

    /// Puts the key made last into the place of the former one, where there is room for one only.
    fn settle(&self) -> Result<()> {
        Ok(())
    }

    /// Removes the key `id`, if azt made it. Succeeds when there is none.
    fn remove(&self, id: KeyId) -> Result<()>;

    /// The place, for a sentence: a path, a variable, "the keyring".
    fn place(&self) -> String;

    /// The error for a vault whose key `id` is gone.
    fn lost(&self, id: KeyId) -> Error {
        trouble(format!("The vault key {id} is no longer in {}.", self.place()))
            .remedy("Restore it from a backup to use what is stored.")
    }

    /// What a user should know when a new key goes here.
    fn notice(&self) -> Option<&'static str> {
        None
    }
}
