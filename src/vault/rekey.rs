//! A change of the key: seals all records with a new key, in the same source or another one.
//!
//! Old and new records have different file names and name their key, so they coexist during the
//! change. `vault.json` decides which are valid: the old ones until it names the new key, then the
//! new ones. Its `retired` is the key whose records are invalid: first the new key, then the old
//! one until its source has removed it. An interruption at any point loses nothing, and the next
//! change of the key removes the leftovers.

use std::time::Duration;

use super::folder::RecordFolder;
use super::manifest::Manifest;
use super::store::Store;
use super::{KeyId, KeySource, Locks, Setup, cleared, record, vault_failure};
use crate::error::Result;

/// How long to wait for a running refresh or another change of the key.
const PATIENCE: Duration = Duration::from_secs(15);

impl Setup<'_> {
    /// Creates a new key in `to` (default: the current source), seals every record with it, and
    /// removes the old key. Locks out refreshes and sign-ins meanwhile.
    pub(super) fn rekey(&self, to: Option<KeySource>) -> Result<KeyId> {
        let nothing = || vault_failure("Nothing is stored, so there is no key to change.");
        // Restores a missing vault.json. It takes the same lock, so do this before taking it here.
        self.open()?.ok_or_else(nothing)?;
        let _setup = self.lock(PATIENCE)?;
        let manifest = Manifest::read(self.system, &self.azt_dir)?.ok_or_else(nothing)?;
        let vault = self.open_with(&manifest)?.ok_or_else(nothing)?;
        let (from, old) = (manifest.key_source, manifest.key_id);
        self.check_pin(from, old)?;
        let to = to.unwrap_or(from);
        if to != KeySource::Env {
            self.check_environment(from, old)?;
        }
        self.refuse_unknown_kinds()?;
        // Another process may have been killed before it put the new key file in place.
        self.sources.clear_next(from, old)?;
        let is_replaced = |source| source == from && self.sources.keeps_one_key(from);
        if let Some((source, left)) = manifest.retired() {
            RecordFolder::of(&self.azt_dir).remove_sealed_with(left)?;
            if !is_replaced(source) {
                self.remove_unused(source, left);
            }
        }
        // Do this before taking the locks: a user may have to unlock the keyring.
        let key = self.sources.make_next(from, to)?;
        if key.id() == old {
            // The variable holds the same key as the old source, so the records stay as they are.
            Manifest::new(to, old, Some(manifest)).write(&self.azt_dir)?;
            self.sources.pin(to, old);
            self.remove_unused(from, old);
            return Ok(old);
        }
        manifest.retiring(to, key.id()).write(&self.azt_dir)?;
        let locks = Locks::new(&self.azt_dir);
        let Some(_flights) = locks.every_flight(PATIENCE)? else {
            return Err(vault_failure(
                "Another process is refreshing a token and does not finish.",
            )
            .remedy("Try again in a moment."));
        };
        let Some(_writing) = vault.exclusive_lock()? else { return Err(cleared()) };
        let new = Store::new(self.system, &self.azt_dir, &key);
        record::copy_all(&vault, &new)?;
        Manifest::new(to, key.id(), Some(manifest)).retiring(from, old).write(&self.azt_dir)?;
        self.sources.settle_next(to)?;
        self.sources.pin(to, key.id());
        RecordFolder::of(&self.azt_dir).remove_sealed_with(old)?;
        let is_gone = is_replaced(to) || self.remove_unused(from, old);
        if is_gone {
            let manifest = Manifest::read(self.system, &self.azt_dir)?;
            Manifest::new(to, key.id(), manifest).write(&self.azt_dir)?;
        }
        Ok(key.id())
    }

    /// Removes the unused key `id` from `source`; false if that failed. A failure is only a
    /// warning.
    fn remove_unused(&self, source: KeySource, id: KeyId) -> bool {
        let removed = self.sources.remove(source, id);
        if let Err(error) = &removed {
            self.system.terminal.warn(&format!(
                "The old key, which is now useless, may still be in '{source}': {}",
                error.message()
            ));
        }
        removed.is_ok()
    }

    /// Refuses kinds of records that only a newer azt knows: this one cannot seal them again.
    fn refuse_unknown_kinds(&self) -> Result<()> {
        let kinds = RecordFolder::of(&self.azt_dir).contents()?.records;
        match kinds.keys().find(|kind| !record::PREFIXES.contains(&kind.as_str())) {
            Some(kind) => Err(vault_failure(format!(
                "A newer azt stores records of kind '{kind}' here, which this version does not know and would lose."
            ))
            .remedy("Change the key with the newer azt.")),
            None => Ok(()),
        }
    }
}
