//! The interface of a key source.

use super::key_file::KeyFile;
use super::{KeyId, VaultKey, vault_failure};
use crate::error::{Error, Result};

/// A place that keeps the vault key.
///
/// To add a source, write a file with an implementation. In `key/mod.rs`, add a variant of
/// `KeySource`, its name in `SOURCES` and `Display`, a field of `Sources`, and a line in
/// `Sources::get`. An azt without the source calls such a `vault.json` damaged.
///
/// A method that returns a `Result` fails if the place cannot be used. To [`Source::fetch`] a
/// missing key is not an error.
pub(super) trait Source {
    /// The key `id`, or `None`. A source with a single key returns that key for every id; the
    /// caller compares.
    ///
    /// # Errors
    /// The place contains something other than a key.
    fn fetch(&self, id: KeyId) -> Result<Option<VaultKey>>;

    /// [`Source::fetch`] without a cache, to verify that the place keeps the key.
    fn read_back(&self, id: KeyId) -> Result<Option<VaultKey>> {
        self.fetch(id)
    }

    /// Creates and keeps the key of a new vault, or of one that moves here from another source.
    ///
    /// # Errors
    /// There is already a key that azt did not create.
    fn make(&self) -> Result<VaultKey>;

    /// Creates and keeps a new key beside the current one, which stays until [`KeyFile::settle`] or
    /// [`Source::remove`].
    ///
    /// # Errors
    /// azt may not change the key.
    fn make_next(&self) -> Result<VaultKey> {
        self.make()
    }

    /// The file of a source that has room for one key and a new one beside it, not for keys by id.
    fn key_file(&self) -> Option<&KeyFile> {
        None
    }

    /// Removes the key `id`, if azt created it. Succeeds if there is none.
    fn remove(&self, id: KeyId) -> Result<()>;

    /// The place, as it appears in a message: a path, a variable, "the keyring".
    fn place(&self) -> String;

    /// The error for a vault whose key `id` is missing.
    fn lost(&self, id: KeyId) -> Error {
        vault_failure(format!("The vault key {id} is no longer in {}.", self.place()))
            .remedy("Restore it from a backup to use the stored data.")
    }

    /// What a user should know about a new key in this source.
    fn notice(&self) -> Option<&'static str> {
        None
    }
}
