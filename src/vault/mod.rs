//! The encrypted store of tokens and secrets: sealed records, their key and their locks.
//!
//! ```text
//! <config dir>/azt/vault.json   which key, and where it is kept; no secret     (manifest)
//! <config dir>/azt/vault.key    the key, where its source is `file`            (key/file)
//! <config dir>/azt/vault.passphrase   the key sealed with a passphrase          (key/passphrase)
//! <config dir>/azt/vault.key.next   the new key, during a change of the key    (rekey)
//! <config dir>/azt/records/     one sealed file per record                     (folder, store, seal, record)
//! <config dir>/azt/locks/       locks, published failures, refresh claims       (lock)
//! ```
//!
//! A warm read opens `vault.json`, gets the key from its source (on Linux, from the kernel's copy
//! of the keyring's key), and opens the record's file. It takes no lock.
//!
//! A readable record must never be lost. So azt never replaces a missing key while there are
//! records, never overwrites a damaged `vault.json`, and renames a file that it cannot open instead
//! of deleting it. Every error of a public function has [`Kind::Vault`].

mod folder;
mod inventory;
mod key;
mod lock;
mod manifest;
mod record;
mod rekey;
mod seal;
mod setup;
mod store;
mod sweep;

use std::cell::Cell;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

pub(crate) use inventory::Inventory;
pub use inventory::inventory;
pub(crate) use key::{KERNEL_FORGETS, KeyId, Prompt, VaultKey};
pub use key::{KeyChoice, KeySource};
pub(crate) use lock::Held;
pub(crate) use record::RecordKey;
pub use record::{
    AccessToken, Account, AssertionSource, IdToken, Record, RefreshToken, ServicePrincipal,
};
pub(crate) use record::{ClientAccount, HostAccount};

use crate::error::{Error, Kind, Result};
use crate::sys::file::{Access, Durability};
use crate::sys::{Deadline, Folder, System};
use folder::RecordFolder;
use key::Sources;
use lock::Locks;
use manifest::Manifest;
use setup::Setup;
use store::Store;

/// Associated-data name of a published failure.
const FAILURE: &str = "failure";
/// How long a writer waits for the write lock, which others hold for milliseconds only.
const WRITE_LOCK_LIMIT: Duration = Duration::from_secs(2);
/// How long a sign-out or a change of the key waits for the write lock, which another change may
/// hold.
const EXCLUSIVE_LIMIT: Duration = Duration::from_secs(15);

/// How a vault finds its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Where a new vault keeps its key. An existing vault keeps its source.
    pub key_source: KeyChoice,
    /// How long, in seconds, the Linux kernel's user keyring keeps a copy of the Secret Service's
    /// key; 0 for no copy. Use does not extend this time.
    pub key_cache_seconds: u32,
    /// Time limit for the keyring. At a sign-in, a user gets a minute at least.
    pub keyring_limit: Duration,
}

impl Default for Options {
    /// `auto`, one hour and 3 s. With one hour, one call per hour waits for the Secret Service
    /// (about 20 ms), and locking the keyring takes effect within the hour.
    fn default() -> Self {
        Self {
            key_source: KeyChoice::Auto,
            key_cache_seconds: 3600,
            keyring_limit: Duration::from_secs(3),
        }
    }
}

/// An open vault. If its key is changed meanwhile, it continues with the new one.
pub struct Vault<'s> {
    system: &'s System,
    azt_dir: Folder,
    options: Options,
    locks: Locks,
    choice_notice: Option<String>,
    store: Store<'s>,
    /// The id of the store's current key, and its source.
    key: Cell<(KeySource, KeyId)>,
}

impl<'s> Vault<'s> {
    /// Opens the vault in `azt_dir`, without creating it; `None` if nothing was ever stored there.
    pub fn open(
        system: &'s System,
        azt_dir: impl Into<Folder>,
        options: Options,
    ) -> Result<Option<Self>> {
        let opened = Setup::new(system, &azt_dir.into(), options, Prompt::Never).open();
        opened.map_err(of_vault)
    }

    /// [`Vault::open`], where a user may be asked to unlock the keyring or for the passphrase.
    pub(crate) fn unlock(
        system: &'s System,
        azt_dir: impl Into<Folder>,
        options: Options,
    ) -> Result<Option<Self>> {
        let opened = Setup::new(system, &azt_dir.into(), options, Prompt::Allowed).open();
        opened.map_err(of_vault)
    }

    /// Opens or creates the vault in `azt_dir`, for a sign-in. Call it before asking the user or
    /// Entra, so that an unusable key source fails first.
    ///
    /// The keyring may take a minute if a user can unlock it.
    ///
    /// # Errors
    /// `options` names another key source than the vault's own.
    pub fn open_or_create(
        system: &'s System,
        azt_dir: impl Into<Folder>,
        options: Options,
    ) -> Result<Self> {
        let opened = Setup::new(system, &azt_dir.into(), options, Prompt::Allowed).open_or_create();
        opened.map_err(of_vault)
    }

    /// True unless the vault was cleared since it was opened. If the key was changed, continues
    /// with the new one.
    ///
    /// # Errors
    /// `vault.json` cannot be read, or the new key cannot be fetched.
    pub fn follow_key(&self) -> Result<bool> {
        self.refresh_key().map_err(of_vault)
    }

    fn refresh_key(&self) -> Result<bool> {
        let manifest = Manifest::read(self.system, &self.azt_dir)?;
        if manifest.is_some_and(|manifest| manifest.key_id == self.key.get().1) {
            return Ok(true);
        }
        // Another process may have moved the key and not changed the setting yet.
        let options = Options { key_source: KeyChoice::Auto, ..self.options };
        let now = Setup::new(self.system, &self.azt_dir, options, Prompt::Never).open()?;
        let exists = now.is_some();
        if let Some(now) = now {
            self.key.set(now.key.get());
            self.store.replace_key(now.store);
        }
        Ok(exists)
    }

    /// Checks the key's source against the pin in the keyring; see docs/vault.md. For a sign-in,
    /// where the keyring may wait for a user, and before a stored command runs.
    ///
    /// # Errors
    /// The keyring has another key for this folder than `vault.json` names.
    pub(crate) fn check_pin(&self, prompt: Prompt) -> Result<()> {
        let setup = Setup::new(self.system, &self.azt_dir, self.options, prompt);
        let (source, id) = self.key.get();
        setup.check_pin(source, id).map_err(of_vault)?;
        setup.sources.pin(source, id);
        Ok(())
    }

    /// The record under `key`.
    ///
    /// A damaged file is renamed to `*.unreadable`, reported in one warning per process, and counts
    /// as absent. A file sealed with another key or by a newer azt is an error and stays.
    pub fn get<R: Record>(&self, key: &RecordKey<R>) -> Result<Option<R>> {
        loop {
            let before = self.key.get();
            match self.store.get(key).map_err(of_vault)? {
                // The key may change while the record is read.
                None if self.follow_key()? && self.key.get() != before => {}
                found => return Ok(found),
            }
        }
    }

    /// Fails if nothing can be stored. Call it before a sign-in, whose result would be lost.
    pub(crate) fn check_writable(&self) -> Result<()> {
        self.store.check_writable().map_err(of_vault)
    }

    /// Stores `record`, replacing the one under its key.
    ///
    /// # Errors
    /// The vault was cleared meanwhile, so the key that would open the record is gone.
    pub fn put<R: Record>(&self, record: &R) -> Result<()> {
        if !self.follow_key()? {
            return Err(cleared());
        }
        self.store.put(record).map_err(of_vault)
    }

    /// Removes the record under `key`; true if there was one.
    pub fn remove<R: Record>(&self, key: &RecordKey<R>) -> Result<bool> {
        self.follow_key()?;
        self.store.remove(key).map_err(of_vault)
    }

    /// Every record of one kind, in no particular order. Skips records of another key, with a
    /// warning.
    ///
    /// # Errors
    /// The vault was cleared meanwhile.
    pub fn all<R: Record>(&self) -> Result<Vec<R>> {
        let (records, left_out) = loop {
            let before = self.key.get();
            let found = self.store.all();
            if !self.follow_key()? {
                return Err(cleared());
            }
            if self.key.get() == before {
                break found.map_err(of_vault)?;
            }
        };
        if let Some(error) = left_out {
            self.store.warn(&format!("{error} It is skipped."));
        }
        Ok(records)
    }

    /// Takes the flight lock of `key`, waiting for `limit` at most; `None` if another process holds
    /// it. Other records may share the lock, so hold one at a time.
    pub fn flight<R: Record>(&self, key: &RecordKey<R>, limit: Duration) -> Result<Option<Held>> {
        self.locks.flight(&self.store.name(key), limit).map_err(of_vault)
    }

    /// Publishes a failed refresh to processes waiting for the flight lock of `key` with the same
    /// credential (its fingerprint). `now`: seconds since 1970-01-01 UTC.
    pub fn publish_failure<R: Record>(
        &self,
        key: &RecordKey<R>,
        credential: &str,
        now: i64,
        error: &Error,
    ) -> Result<()> {
        let name = self.store.name(key);
        let failure = (now, self.system.program.name(), &name, credential, error);
        let plain = serde_json::to_vec(&failure)
            .map_err(|_| vault_failure("A failure cannot be written as JSON."))?;
        let sealed = self.store.seal(FAILURE, &plain)?;
        let written = self.locks.folder().write(
            &lock::failure(&name),
            &sealed,
            Access::Owner,
            Durability::Volatile,
        );
        written.map_err(of_vault)
    }

    /// The failure that another process published for `key` and `credential`, at a time in `during`.
    pub(crate) fn published_failure<R: Record>(
        &self,
        key: &RecordKey<R>,
        credential: &str,
        during: &RangeInclusive<i64>,
    ) -> Option<Error> {
        let name = self.store.name(key);
        let sealed = self.locks.folder().read(&lock::failure(&name)).ok()??;
        let plain = self.store.open(FAILURE, &sealed)?;
        let (at, program, of, with, error): (i64, String, String, String, Error) =
            serde_json::from_slice(&plain).ok()?;
        let is_same = (program.as_str(), of.as_str(), with.as_str())
            == (self.system.program.name(), &name, credential);
        (is_same && during.contains(&at)).then_some(error)
    }

    /// Claims the refresh of an aging `key` for this process: true once a minute, for all records
    /// that share its lock. `now`: seconds since 1970-01-01 UTC.
    pub fn claim_refresh<R: Record>(&self, key: &RecordKey<R>, now: i64) -> bool {
        self.locks.claim_refresh(&self.store.name(key), now)
    }

    /// Removes, once a day, expired access tokens and temporary files of killed processes. `now`:
    /// seconds since 1970-01-01 UTC.
    pub fn sweep_if_due(&self, now: i64) -> Result<()> {
        sweep::if_due(&self.azt_dir, &self.store, now).map_err(of_vault)
    }

    /// Serialises sign-in writes with sign-out, so a late write cannot resurrect removed records.
    /// `None` if another process holds the lock or there can be no lock file; the caller then writes
    /// without it.
    pub fn write_lock(&self) -> Option<Held> {
        // The caller's own deadline may end earlier.
        let limit = Deadline::at_most(WRITE_LOCK_LIMIT).left();
        self.locks.writing(limit).ok().flatten()
    }

    /// [`Vault::write_lock`] for a sign-out or a change of the key, which may not proceed without
    /// it. `None` if the vault was cleared meanwhile.
    ///
    /// # Errors
    /// Another process holds the lock.
    pub fn exclusive_lock(&self) -> Result<Option<Held>> {
        let held = self.locks.writing(EXCLUSIVE_LIMIT).map_err(of_vault)?.ok_or_else(|| {
            vault_failure("Another process is changing the vault and does not finish.")
                .remedy("Try again in a moment.")
        })?;
        Ok(self.follow_key()?.then_some(held))
    }

    /// True if the folder belongs to this user, which is false if root works on another user's
    /// folder.
    pub(crate) fn is_own(&self) -> bool {
        self.azt_dir.is_own()
    }

    /// Where the key is kept.
    pub fn key_source(&self) -> KeySource {
        self.key.get().0
    }

    /// For a new vault, the sentence that says where its key is kept and why.
    pub fn choice_notice(&self) -> Option<&str> {
        self.choice_notice.as_deref()
    }
}

/// Seals every record in `azt_dir` again with a new key, kept in `to` or in the current source;
/// returns the new key's id.
///
/// An interruption at any point loses nothing. With the source `env`, the variable sets the new
/// key.
pub fn rekey(
    system: &System,
    azt_dir: impl Into<Folder>,
    options: Options,
    to: Option<KeySource>,
) -> Result<KeyId> {
    let mut setup = Setup::new(system, &azt_dir.into(), options, Prompt::Allowed);
    setup.changes_source = true;
    setup.rekey(to).map_err(of_vault)
}

/// Removes the key's copy in the kernel's keyring; returns the key's source, or `None` if nothing was
/// ever stored.
pub(crate) fn lock(system: &System, azt_dir: impl Into<Folder>) -> Result<Option<KeySource>> {
    let azt_dir = &azt_dir.into();
    let Some(manifest) = Manifest::read(system, azt_dir).map_err(of_vault)? else {
        return Ok(None);
    };
    Sources::new(system, azt_dir, Options::default(), Prompt::Never).lock(manifest.key_id);
    Ok(Some(manifest.key_source))
}

/// Why the keyring cannot be used; `None` if it can.
pub(crate) fn keyring_flaw(
    system: &System,
    azt_dir: impl Into<Folder>,
    options: Options,
) -> Option<Error> {
    Sources::new(system, &azt_dir.into(), options, Prompt::Never).keyring_flaw()
}

/// Removes all records, renamed files, `vault.json` and the key. Works on a vault that cannot be
/// opened. A key that its source does not release stays there, with a warning.
pub fn clear(system: &System, azt_dir: impl Into<Folder>) -> Result<()> {
    let azt_dir = &azt_dir.into();
    let sources = Sources::new(system, azt_dir, Options::default(), Prompt::Allowed);
    // Wait for running changes to end, but clear the vault even without the locks.
    let _held = azt_dir.exists().then(|| {
        let locks = Locks::new(azt_dir);
        (locks.setup(WRITE_LOCK_LIMIT), locks.writing(WRITE_LOCK_LIMIT))
    });
    let manifest = Manifest::read(system, azt_dir).ok().flatten();
    let records = RecordFolder::of(azt_dir);
    let sealed_with = records.sealed_with().unwrap_or_default();
    records.remove_all().map_err(of_vault)?;
    Manifest::remove(azt_dir).map_err(of_vault)?;
    sources.unpin();
    let removed = match manifest {
        Some(manifest) => {
            if let Some((source, id)) = manifest.retired() {
                // A source that does not answer most likely removed the key long ago.
                let _ = sources.remove(source, id);
            }
            sources.remove(manifest.key_source, manifest.key_id)
        }
        None => sources.remove_wherever(sealed_with),
    };
    if let Err(error) = removed {
        system.terminal.warn(&format!(
            "Everything stored was removed, except the vault key, which is now useless: {}",
            error.message()
        ));
    }
    Ok(())
}

/// Fuzz target: a sealed file with arbitrary contents never opens.
#[cfg(fuzzing)]
pub fn fuzz_sealed(bytes: &[u8]) {
    let Some(key) = VaultKey::from_bytes(&[7; 32]) else { return };
    let seal = seal::Seal::new(&key);
    let mut forged = key.id().as_bytes().to_vec();
    forged.splice(0..0, *b"aztseal\x01");
    forged.extend_from_slice(bytes);
    for contents in [bytes, forged.as_slice()] {
        assert!(seal.open("at-0", contents).is_err(), "it was never sealed");
        let _ = seal::key_id(contents);
    }
}

fn vault_failure(message: impl Into<String>) -> Error {
    Error::new(Kind::Vault, message)
}

/// Gives every error of the vault its kind, so that a full disk here is exit code 9.
fn of_vault(error: Error) -> Error {
    error.with_kind(Kind::Vault)
}

fn cleared() -> Error {
    vault_failure("The stored data was removed during this command.").remedy("Try again.")
}

fn newer(path: &Path, version: u64) -> Error {
    vault_failure(format!("{} was written by a newer azt (format {version}).", path.display()))
        .remedy("Update azt; the file is unchanged.")
}

/// The last resort for a vault that cannot be opened.
fn start_afresh(system: &System) -> String {
    let program = system.program;
    format!(
        "Or start afresh: '{program} account clear' removes everything stored; then sign in again."
    )
}
