//! Tokens and secrets at rest: sealed records, the key that seals them, and the locks around them.
//!
//! ```text
//! <config dir>/azt/vault.json   which key, and where it is kept; no secret     (manifest)
//! <config dir>/azt/vault.key    the key, where its source is `file`            (key/file)
//! <config dir>/azt/vault.key.next   the key to be, while everything is sealed anew (rekey)
//! <config dir>/azt/records/     one sealed file per record                     (folder, store, seal, record)
//! <config dir>/azt/locks/       lock files, empty, never deleted               (lock)
//! ```
//!
//! A warm read opens `vault.json`, asks the key's source (on Linux a copy of the keyring's key in
//! the kernel), and opens the one file that the wanted record's key names. It takes no lock.
//!
//! What must not happen: that a record which still could be opened is lost. So a key that is missing
//! is never replaced while there are records, a damaged `vault.json` is not overwritten, and a file
//! that cannot be opened is set aside, not deleted. Every error of a public function has [`Kind::Vault`].

mod folder;
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
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

pub(crate) use key::{KERNEL_FORGETS, KeyId, Prompt, VaultKey};
pub use key::{KeyChoice, KeySource};
pub(crate) use lock::Held;
pub(crate) use record::RecordKey;
pub use record::{
    AccessToken, Account, AssertionSource, IdToken, Record, RefreshToken, ServicePrincipal,
};

use crate::error::{Error, Kind, Result};
use crate::sys::file::{Access, Durability};
use crate::sys::{Deadline, Folder, System};
use folder::{Contents, RecordFolder};
use key::Sources;
use lock::Locks;
use manifest::Manifest;
use setup::Setup;
use store::Store;

/// Associated-data name of a published failure.
const FAILURE: &str = "failure";
/// How long a writer waits for the write lock, which others hold for milliseconds.
const WRITE_LOCK_LIMIT: Duration = Duration::from_secs(2);
/// How long a sign-out or a change of the key waits for the write lock: another change may be running.
const EXCLUSIVE_LIMIT: Duration = Duration::from_secs(15);

/// How a vault finds its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Where a new vault keeps its key. A vault that exists has it where it was put.
    pub key_source: KeyChoice,
    /// For how long, in seconds, a key from the Secret Service is copied to the Linux kernel's user
    /// keyring; 0 for never. The time runs from the copying, it is not renewed by use.
    pub key_cache_seconds: u32,
    /// How long the keyring may take to answer. A person at a sign-in gets a minute at least.
    pub keyring_limit: Duration,
}

impl Default for Options {
    /// `auto`, an hour and 3 s. An hour: one call in an hour pays for asking the Secret Service (some 20 ms), and
    /// locking the keyring takes effect within the hour.
    fn default() -> Self {
        Self {
            key_source: KeyChoice::Auto,
            key_cache_seconds: 3600,
            keyring_limit: Duration::from_secs(3),
        }
    }
}

/// A vault that is open. When its key is changed meanwhile it goes on with the new one.
pub struct Vault<'s> {
    system: &'s System,
    azt_dir: Folder,
    options: Options,
    locks: Locks,
    choice_notice: Option<String>,
    store: Store<'s>,
    /// The key that the store has now, and where it is.
    key: Cell<(KeySource, KeyId)>,
}

impl<'s> Vault<'s> {
    /// Opens the vault in `azt_dir` for a call that finds what it needs or fails; `None` if nothing
    /// was ever stored there.
    pub fn open(
        system: &'s System,
        azt_dir: impl Into<Folder>,
        options: Options,
    ) -> Result<Option<Self>> {
        let opened = Setup::new(system, &azt_dir.into(), options, Prompt::Never).open();
        opened.map_err(vault_error)
    }

    /// Opens or creates the vault in `azt_dir`, for a sign-in: before the user or Entra is asked, so
    /// that a key that cannot be kept fails first.
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
        opened.map_err(vault_error)
    }

    /// True unless the vault was cleared since it was opened. Continues with the new key if the key
    /// was changed.
    ///
    /// # Errors
    /// `vault.json` cannot be read, or the new key cannot be fetched.
    pub fn is_current(&self) -> Result<bool> {
        self.refresh_key().map_err(vault_error)
    }

    fn refresh_key(&self) -> Result<bool> {
        let manifest = Manifest::read(self.system, &self.azt_dir)?;
        if manifest.is_some_and(|manifest| manifest.key_id == self.key.get().1) {
            return Ok(true);
        }
        // The process that moved the key may not have changed the setting yet.
        let options = Options { key_source: KeyChoice::Auto, ..self.options };
        let now = Setup::new(self.system, &self.azt_dir, options, Prompt::Never).open()?;
        let exists = now.is_some();
        if let Some(now) = now {
            self.key.set(now.key.get());
            self.store.replace_key(now.store);
        }
        Ok(exists)
    }

    /// Checks the key's source against what azt noted in the keyring; see docs/vault.md. For a
    /// sign-in, where the keyring may wait for a user, and before a stored command runs.
    ///
    /// # Errors
    /// The keyring has the key of this folder, and `vault.json` names another.
    pub(crate) fn check_pin(&self, prompt: Prompt) -> Result<()> {
        let setup = Setup::new(self.system, &self.azt_dir, self.options, prompt);
        let (source, id) = self.key.get();
        setup.check_pin(source, id).map_err(vault_error)?;
        setup.sources.pin(source, id);
        Ok(())
    }

    /// The record under `key`.
    ///
    /// A damaged file is set aside as `*.unreadable`, named in one warning per process, and counts
    /// as absent. A file that was sealed with another key, or by a newer azt, is an error and stays.
    pub fn get<R: Record>(&self, key: &RecordKey<R>) -> Result<Option<R>> {
        loop {
            let before = self.key.get();
            match self.store.get(key).map_err(vault_error)? {
                // The key may change again while a record is read.
                None if self.is_current()? && self.key.get() != before => {}
                found => return Ok(found),
            }
        }
    }

    /// Fails where nothing could be stored: before a sign-in, whose result would be lost.
    pub(crate) fn try_out(&self) -> Result<()> {
        self.store.try_out().map_err(vault_error)
    }

    /// Stores `record`, replacing the one under its key.
    ///
    /// # Errors
    /// The vault was cleared meanwhile: its key is gone, so nobody could open the record.
    pub fn put<R: Record>(&self, record: &R) -> Result<()> {
        if !self.is_current()? {
            return Err(cleared());
        }
        self.store.put(record).map_err(vault_error)
    }

    /// Removes the record under `key`; true if there was one.
    pub fn remove<R: Record>(&self, key: &RecordKey<R>) -> Result<bool> {
        self.is_current()?;
        self.store.remove(key).map_err(vault_error)
    }

    /// Every record of one kind, in no meaningful order. Leaves out records of another key, with a
    /// warning.
    ///
    /// # Errors
    /// The vault was cleared meanwhile.
    pub fn all<R: Record>(&self) -> Result<Vec<R>> {
        let (records, left_out) = loop {
            let before = self.key.get();
            let found = self.store.all();
            if !self.is_current()? {
                return Err(cleared());
            }
            if self.key.get() == before {
                break found.map_err(vault_error)?;
            }
        };
        if let Some(error) = left_out {
            self.store.warn(&format!("{error} It is left out."));
        }
        Ok(records)
    }

    /// Takes the flight lock of `key`, waiting for `limit` at most; `None` if it stayed taken. Other
    /// records may share the lock, so hold one at a time.
    pub fn flight<R: Record>(&self, key: &RecordKey<R>, limit: Duration) -> Result<Option<Held>> {
        self.locks.flight(&self.store.name(key), limit).map_err(vault_error)
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
        let plain = serde_json::to_vec(&failure).map_err(|_| trouble("A failure has no JSON."))?;
        let sealed = self.store.seal(FAILURE, &plain)?;
        let written = self.locks.folder().write(
            &lock::failure(&name),
            &sealed,
            Access::Owner,
            Durability::Volatile,
        );
        written.map_err(vault_error)
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
        sweep::if_due(&self.azt_dir, &self.store, now).map_err(vault_error)
    }

    /// Serialises sign-in writes with sign-out, so a late write cannot resurrect removed records.
    /// `None` if the lock stayed taken; then the write goes ahead without it.
    pub fn write_lock(&self) -> Option<Held> {
        // The caller's own deadline may end sooner.
        let limit = Deadline::at_most(WRITE_LOCK_LIMIT).left();
        self.locks.writing(limit).ok().flatten()
    }

    /// [`Vault::write_lock`] for a sign-out or a change of the key, which must have it. `None` if
    /// the vault was cleared before.
    ///
    /// # Errors
    /// The lock stayed taken.
    pub fn exclusive_lock(&self) -> Result<Option<Held>> {
        let held = self.locks.writing(EXCLUSIVE_LIMIT).map_err(vault_error)?.ok_or_else(|| {
            trouble("Another process is changing what is stored and does not finish.")
                .remedy("Try again in a moment.")
        })?;
        Ok(self.is_current()?.then_some(held))
    }

    /// True if the folder belongs to this user, and not to one for whom root works.
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

/// Seals every record in `azt_dir` again with a new key, kept in `to` or in the present source;
/// returns the new key's id.
///
/// An interruption at any point loses nothing. With the source `env` the new key is what the variable
/// says.
pub fn rekey(
    system: &System,
    azt_dir: impl Into<Folder>,
    options: Options,
    to: Option<KeySource>,
) -> Result<KeyId> {
    let mut setup = Setup::new(system, &azt_dir.into(), options, Prompt::Allowed);
    setup.changes_source = true;
    setup.rekey(to).map_err(vault_error)
}

/// What a vault holds, as far as it shows without the key.
#[derive(Debug)]
pub struct Inventory {
    /// Where the key is, and which it is; `None` when nothing was ever stored.
    pub key: Option<(KeySource, KeyId)>,
    /// How many records of each kind, by the letters that their files' names begin with.
    pub records: BTreeMap<String, usize>,
    /// Their size together.
    pub bytes: u64,
    /// How many files could not be opened and were set aside.
    pub unreadable: usize,
}

/// Counts what the vault in `azt_dir` holds, without opening a record.
pub fn inventory(system: &System, azt_dir: impl Into<Folder>) -> Result<Inventory> {
    let azt_dir = &azt_dir.into();
    let count = || -> Result<Inventory> {
        let key = Manifest::read(system, azt_dir)?.map(|found| (found.key_source, found.key_id));
        let Contents { records, bytes, unreadable } = RecordFolder::of(azt_dir).contents()?;
        Ok(Inventory { key, records, bytes, unreadable })
    };
    count().map_err(vault_error)
}

/// Why the keyring cannot be asked, if it cannot.
pub(crate) fn keyring_flaw(
    system: &System,
    azt_dir: impl Into<Folder>,
    options: Options,
) -> Option<Error> {
    Sources::new(system, &azt_dir.into(), options, Prompt::Never).keyring_flaw()
}

/// Removes all records, what was set aside, `vault.json` and the key: works on a vault that cannot
/// be opened. A key that its source does not give up is left there and named in a warning.
pub fn clear(system: &System, azt_dir: impl Into<Folder>) -> Result<()> {
    let azt_dir = &azt_dir.into();
    let sources = Sources::new(system, azt_dir, Options::default(), Prompt::Allowed);
    // So that nobody is in the middle of it; where they cannot be had, it is done all the same.
    let _held = azt_dir.exists().then(|| {
        let locks = Locks::new(azt_dir);
        (locks.setup(WRITE_LOCK_LIMIT), locks.writing(WRITE_LOCK_LIMIT))
    });
    let manifest = Manifest::read(system, azt_dir).ok().flatten();
    let records = RecordFolder::of(azt_dir);
    let sealed_with = records.sealed_with().unwrap_or_default();
    records.remove_all().map_err(vault_error)?;
    Manifest::remove(azt_dir).map_err(vault_error)?;
    sources.unpin();
    let removed = match manifest {
        Some(manifest) => {
            if let Some((source, id)) = manifest.retired() {
                // A source that cannot be asked most likely gave it up long ago.
                let _ = sources.remove(source, id);
            }
            sources.remove(manifest.key_source, manifest.key_id)
        }
        None => sources.remove_wherever(sealed_with),
    };
    if let Err(error) = removed {
        system.terminal.warn(&format!(
            "Everything stored was removed, but not the vault key, which opens nothing any more: {}",
            error.message()
        ));
    }
    Ok(())
}

/// A sealed file with any contents, for the fuzz targets: nothing opens but what was sealed.
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

fn trouble(message: impl Into<String>) -> Error {
    Error::new(Kind::Vault, message)
}

/// Gives every error that leaves the vault its kind: a full disk here is exit code 9.
fn vault_error(error: Error) -> Error {
    error.with_kind(Kind::Vault)
}

fn cleared() -> Error {
    trouble("What is stored was removed while this was under way.").remedy("Try again.")
}

fn newer(path: &Path, version: u64) -> Error {
    trouble(format!("{} was made by a newer azt (format {version}).", path.display()))
        .remedy("Update azt; the file stays as it is.")
}

/// The last resort for a vault that cannot be opened.
fn start_afresh(system: &System) -> String {
    let program = system.program;
    format!(
        "Or start afresh: '{program} account clear' removes what is stored, then sign in again."
    )
}
