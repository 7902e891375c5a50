//! Everything sealed anew, with a new key, where the old one is or somewhere else.
//!
//! Old and new records have different names and say which key they need, so they lie beside each
//! other while the work is under way. What counts is `vault.json`: until it names the new key, the
//! old records do; from then on the new ones. Its `retired` is the key whose records are not of
//! this vault: first the new one, then the former, until its source has given it up. Interrupted at
//! any point, nothing is lost, and the next change of keys clears away what was left.

use std::time::Duration;

use super::folder::RecordFolder;
use super::manifest::Manifest;
use super::store::Store;
use super::{KeyId, KeySource, Locks, Setup, cleared, record, trouble};
use crate::error::Result;

/// How long a renewal, or another change of keys, that is under way may take.
const PATIENCE: Duration = Duration::from_secs(15);

impl Setup<'_> {
    /// Makes a new key in `to`, or where the old one is, seals every record with it, and forgets the
    /// old one. Nobody renews or signs in meanwhile.
    pub(super) fn rekey(&self, to: Option<KeySource>) -> Result<KeyId> {
        let nothing = || trouble("Nothing is stored, so there is nothing to seal anew.");
        // Mends a vault.json that is missing, under the lock that is taken next.
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
        if from == KeySource::File {
            // A process that made or changed the key was killed before it was in its place.
            self.sources.clear_next(old)?;
        }
        if let Some((source, left)) = manifest.retired() {
            RecordFolder::of(&self.azt_dir).remove_sealed_with(left)?;
            if (from, source) != (KeySource::File, KeySource::File) {
                self.give_up(source, left);
            }
        }
        // Before anybody has to wait: a person may be asked to unlock the keyring.
        let key = self.sources.make_next(from, to)?;
        if key.id() == old {
            // The variable has the very key that was elsewhere: nothing needs to be sealed anew.
            Manifest::new(to, old, Some(manifest)).write(&self.azt_dir)?;
            self.sources.pin(to, old);
            self.give_up(from, old);
            return Ok(old);
        }
        manifest.retiring(to, key.id()).write(&self.azt_dir)?;
        let locks = Locks::new(&self.azt_dir);
        let Some(_flights) = locks.every_flight(PATIENCE)? else {
            return Err(trouble("Another process is renewing a token and does not finish.")
                .remedy("Try again in a moment."));
        };
        let Some(_writing) = vault.exclusive_lock()? else { return Err(cleared()) };
        let new = Store::new(self.system, &self.azt_dir, &key);
        record::copy_all(&vault, &new)?;
        Manifest::new(to, key.id(), Some(manifest)).retiring(from, old).write(&self.azt_dir)?;
        self.sources.settle_next(to)?;
        self.sources.pin(to, key.id());
        RecordFolder::of(&self.azt_dir).remove_sealed_with(old)?;
        let is_gone = (from, to) == (KeySource::File, KeySource::File) || self.give_up(from, old);
        if is_gone {
            let manifest = Manifest::read(self.system, &self.azt_dir)?;
            Manifest::new(to, key.id(), manifest).write(&self.azt_dir)?;
        }
        Ok(key.id())
    }

    /// Removes the key `id`, which opens nothing any more, from `source`; true when that has it no
    /// more. Where that fails the work is done all the same.
    fn give_up(&self, source: KeySource, id: KeyId) -> bool {
        let removed = self.sources.remove(source, id);
        if let Err(error) = &removed {
            self.system.terminal.warn(&format!(
                "A former key, which opens nothing any more, may still be in '{source}': {}",
                error.message()
            ));
        }
        removed.is_ok()
    }

    /// A newer azt may keep more than this one can name, and so seal anew.
    fn refuse_unknown_kinds(&self) -> Result<()> {
        let kinds = RecordFolder::of(&self.azt_dir).contents()?.records;
        match kinds.keys().find(|kind| !record::PREFIXES.contains(&kind.as_str())) {
            Some(kind) => Err(trouble(format!(
                "A newer azt keeps records of a kind ('{kind}') here that this one does not know and would lose."
            ))
            .remedy("Change the key with the newer azt.")),
            None => Ok(()),
        }
    }
}
