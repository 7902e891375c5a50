//! The file of a source that keeps one key, and the file of a new key beside it until `vault.json`
//! names that.

use super::{KeyId, vault_failure};
use crate::error::Result;
use crate::sys::Folder;
use crate::sys::file::{Access, Durability, cannot};

/// The two files.
pub(super) struct KeyFile {
    pub(super) folder: Folder,
    /// The name of the file.
    name: &'static str,
    /// The name of the new file.
    next: String,
    /// The id of the key in the file with this name.
    id_in: fn(&Folder, &str) -> Result<Option<KeyId>>,
}

impl KeyFile {
    pub(super) fn new(
        folder: &Folder,
        name: &'static str,
        id_in: fn(&Folder, &str) -> Result<Option<KeyId>>,
    ) -> Self {
        Self { folder: folder.clone(), name, next: format!("{name}.next"), id_in }
    }

    /// The contents that `read` finds with the key `id`, else those of the file.
    pub(super) fn find<K>(
        &self,
        id: KeyId,
        read: impl Fn(&Folder, &str) -> Result<Option<K>>,
        id_of: impl Fn(&K) -> KeyId,
    ) -> Result<Option<K>> {
        let current = read(&self.folder, self.name)?;
        if current.as_ref().is_some_and(|it| id_of(it) == id) {
            return Ok(current);
        }
        // A change of the key is running or was interrupted.
        match read(&self.folder, &self.next)? {
            Some(next) if id_of(&next) == id => Ok(Some(next)),
            // The change may have ended between the two reads.
            _ => read(&self.folder, self.name),
        }
    }

    /// Writes a new key durably.
    pub(super) fn write_next(&self, contents: &[u8]) -> Result<()> {
        self.folder.write(&self.next, contents, Access::Owner, Durability::Durable)
    }

    /// Replaces the old key with the new one.
    pub(super) fn settle(&self) -> Result<()> {
        let settled = self.folder.rename(&self.next, self.name);
        settled.map_err(|error| cannot("replace", &self.folder.file(self.name), error))
    }

    /// Finishes an interrupted change of the key; `current` is the key in use.
    pub(super) fn clear_next(&self, current: KeyId) -> Result<()> {
        match (self.id_in)(&self.folder, &self.next)? {
            Some(next) if next == current => self.settle(),
            Some(_) => self.folder.remove(&self.next).map(drop),
            None => Ok(()),
        }
    }

    /// Removes the key and the new key of an interrupted change.
    pub(super) fn remove(&self) -> Result<()> {
        self.folder.remove(&self.next)?;
        self.folder.remove(self.name).map(drop)
    }

    /// Refuses a file that azt did not create: another user may know that key.
    pub(super) fn check_is_free(&self) -> Result<()> {
        if !self.folder.has(self.name) {
            return Ok(());
        }
        Err(vault_failure(format!(
            "{} already exists, but is the key of no vault here.",
            self.place()
        ))
        .remedy(
            "Its creator knows the key, so azt does not use it. Move the file away and try again.",
        ))
    }

    /// The path.
    pub(super) fn place(&self) -> String {
        self.folder.file(self.name).display().to_string()
    }
}
