//! Tokens and secrets at rest: sealed records, the key that seals them, and the locks around them.
//!
//! ```text
//! <config dir>/azt/vault.json   which key, and where it is kept; no secret     (manifest)
//! <config dir>/azt/vault.key    the key, where its source is `file`            (key/file)
//! <config dir>/azt/vault.key.next   the key to be, while everything is sealed anew (rekey)
//! <config dir>/azt/records/     one sealed file per record                     (seal, store, record)
//! <config dir>/azt/locks/       lock files, empty, never deleted               (lock)
//! ```
//!
//! A warm read opens `vault.json`, asks the key's source (on Linux a copy of the keyring's key in
//! the kernel), and opens the one file that the wanted record's key names. It takes no lock.
//!
//! What must not happen: that a record which still could be opened is lost. So a key that is missing
//! is never replaced while there are records, a damaged `vault.json` is not overwritten, and a file
//! that cannot be opened is set aside, not deleted. Every error is of [`Kind::Vault`].

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

pub use key::{KERNEL_FORGETS, KeyChoice, KeyId, KeySource, VaultKey};
pub use record::{
    AccessToken, Account, AssertionSource, IdToken, Record, RecordKey, RefreshToken,
    ServicePrincipal, Unsealed,
};

use crate::error::{Error, Kind, Result};
use crate::sys::file::Access;
use crate::sys::{Deadline, Folder, LockGuard, System};
use key::Sources;
use lock::Locks;
use manifest::Manifest;
use setup::Setup;
use store::Store;

/// What a failure that is told is sealed as.
const FAILURE: &str = "failure";
/// How long a writer waits for others, who hold the lock for milliseconds.
const WRITING_LIMIT: Duration = Duration::from_secs(2);
/// The same for what must not be done without: a change of keys may be under way.
const ALONE_LIMIT: Duration = Duration::from_secs(15);

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
    /// True unless everything was forgotten since this was opened: then it finds nothing.
    ///
    /// # Errors
    /// Nobody knows: what names the key cannot be read, or the new key cannot be had.
    pub fn is_current(&self) -> Result<bool> {
        let manifest = Manifest::read(self.system, &self.azt_dir)?;
        if manifest.is_some_and(|manifest| manifest.key_id == self.key.get().1) {
            return Ok(true);
        }
        // Whoever moved the key may not have changed the setting yet.
        let options = Options { key_source: KeyChoice::Auto, ..self.options };
        let now = Setup::new(self.system, &self.azt_dir, options, false).open()?;
        let is_there = now.is_some();
        if let Some(now) = now {
            self.key.set(now.key.get());
            self.store.go_on_with(now.store);
        }
        Ok(is_there)
    }

    /// Opens the vault in `azt_dir` for a call that finds what it needs or fails; `None` when
    /// nothing was ever stored there.
    pub fn open(
        system: &'s System,
        azt_dir: impl Into<Folder>,
        options: Options,
    ) -> Result<Option<Self>> {
        Setup::new(system, &azt_dir.into(), options, false).open()
    }

    /// Opens the vault in `azt_dir`, or makes it: for a sign-in, before anything is asked of the
    /// person or of Entra, so that a key that cannot be kept fails first.
    ///
    /// Another key source than the vault's own is an error. The keyring may take a minute if a
    /// person can unlock it.
    pub fn open_or_create(
        system: &'s System,
        azt_dir: impl Into<Folder>,
        options: Options,
    ) -> Result<Self> {
        Setup::new(system, &azt_dir.into(), options, true).open_or_create()
    }

    /// Makes sure that the key is where azt put it, as far as the keyring knows; see docs/vault.md. For a
    /// sign-in, where the keyring may wait for a person, and before anything that is stored is run.
    ///
    /// # Errors
    /// The keyring has the key of this folder, and `vault.json` names another.
    pub fn check_pin(&self, is_sign_in: bool) -> Result<()> {
        let setup = Setup::new(self.system, &self.azt_dir, self.options, is_sign_in);
        let (source, id) = self.key.get();
        setup.check_pin(source, id)?;
        setup.sources.pin(source, id);
        Ok(())
    }

    /// The record under `key`.
    ///
    /// A file that cannot be opened is set aside as `*.unreadable`, named in a warning (one per
    /// process) and counts as absent. One that was sealed with another key, or by a newer azt, is
    /// an error and stays.
    pub fn get<R: Record>(&self, key: &RecordKey<R>) -> Result<Option<R>> {
        loop {
            let before = self.key.get();
            match self.store.get(key)? {
                // Keys can be changed faster than one record is read.
                None if self.is_current()? && self.key.get() != before => {}
                found => return Ok(found),
            }
        }
    }

    /// An error where nothing could be stored: before a sign-in, which would be lost.
    pub fn try_out(&self) -> Result<()> {
        self.store.try_out()
    }

    /// Stores `record`, replacing the one under its key.
    ///
    /// # Errors
    /// Everything was forgotten meanwhile: nobody could open what was put there now.
    pub fn put<R: Record>(&self, record: &R) -> Result<()> {
        if !self.is_current()? {
            return Err(passed());
        }
        self.store.put(record)
    }

    /// Removes the record under `key`; true when there was one.
    pub fn remove<R: Record>(&self, key: &RecordKey<R>) -> Result<bool> {
        self.is_current()?;
        self.store.remove(key)
    }

    /// Every record of one kind, in no meaningful order.
    ///
    /// # Errors
    /// Everything was forgotten meanwhile. A record of another key is left out, with a warning.
    pub fn all<R: Record>(&self) -> Result<Vec<R>> {
        let (records, left_out) = loop {
            let before = self.key.get();
            let found = self.store.all();
            if !self.is_current()? {
                return Err(passed());
            }
            if self.key.get() == before {
                break found?;
            }
        };
        if let Some(error) = left_out {
            self.store.warn(&format!("{error} It is left out."));
        }
        Ok(records)
    }

    /// Takes the flight lock of `key`, waiting `limit` at the most; `None` when it was not free in
    /// time. Other records may share the lock: hold one at a time.
    pub fn flight<R: Record>(
        &self,
        key: &RecordKey<R>,
        limit: Duration,
    ) -> Result<Option<LockGuard>> {
        self.locks.flight(&self.store.name(key), limit)
    }

    /// Tells those who wait for the flight lock of `key` why it could not be had at `now` (seconds since
    /// 1970-01-01 UTC) by the sign-in that `mark` names: with the same they need not ask in vain too.
    pub fn tell_failure<R: Record>(
        &self,
        key: &RecordKey<R>,
        mark: &str,
        now: i64,
        error: &Error,
    ) -> Result<()> {
        let name = self.store.name(key);
        let failure = (now, self.system.program.name(), &name, mark, error);
        let plain = serde_json::to_vec(&failure).map_err(|_| trouble("A failure has no JSON."))?;
        let sealed = self.store.seal(FAILURE, &plain)?;
        self.locks.folder().write(&lock::failure(&name), &sealed, Access::Owner, false)
    }

    /// Why another process could not have `key` by the sign-in that `mark` names, at a time in `during`.
    pub fn failure<R: Record>(
        &self,
        key: &RecordKey<R>,
        mark: &str,
        during: &RangeInclusive<i64>,
    ) -> Option<Error> {
        let name = self.store.name(key);
        let sealed = self.locks.folder().read(&lock::failure(&name)).ok()??;
        let plain = self.store.open(FAILURE, &sealed)?;
        let (at, program, of, with, error): (i64, String, String, String, Error) =
            serde_json::from_slice(&plain).ok()?;
        let is_same = (program.as_str(), of.as_str(), with.as_str())
            == (self.system.program.name(), &name, mark);
        (is_same && during.contains(&at)).then_some(error)
    }

    /// True once a minute for the records that share a lock: somebody should renew `key` ahead of
    /// need, and that may be this process. `now`: seconds since 1970-01-01 UTC.
    pub fn may_renew_ahead<R: Record>(&self, key: &RecordKey<R>, now: i64) -> bool {
        self.locks.may_renew_ahead(&self.store.name(key), now)
    }

    /// Removes, once a day, access tokens that have ended and what killed processes left behind.
    /// `now`: seconds since 1970-01-01 UTC.
    pub fn sweep_if_due(&self, now: i64) -> Result<()> {
        sweep::if_due(&self.azt_dir, &self.store, now)
    }

    /// [`Vault::writing`] for what must not be done without: a sign-out, a change of keys. `None`
    /// when everything was forgotten before it was had.
    ///
    /// # Errors
    /// It cannot be had.
    pub fn alone(&self) -> Result<Option<LockGuard>> {
        let held = self.locks.writing(ALONE_LIMIT)?.ok_or_else(|| {
            trouble("Another process is changing what is stored and does not finish.")
                .remedy("Try again in a moment.")
        })?;
        Ok(self.is_current()?.then_some(held))
    }

    /// Serialises what a sign-in or a renewal writes with a sign-out, so that a late write cannot bring
    /// back removed records. `None` where it cannot be had, which costs nothing else.
    pub fn writing(&self) -> Option<LockGuard> {
        // A caller who was promised an answer does not wait longer for this.
        let limit = Deadline::at_most(WRITING_LIMIT).left();
        self.locks.writing(limit).ok().flatten()
    }

    /// True when its folder is this user's own, and not somebody's for whom root works.
    pub fn is_own(&self) -> bool {
        self.azt_dir.is_own()
    }

    /// Where the key is kept.
    pub fn key_source(&self) -> KeySource {
        self.key.get().0
    }

    /// When the vault was made just now: the sentence that tells where its key is kept and why.
    pub fn choice_notice(&self) -> Option<&str> {
        self.choice_notice.as_deref()
    }
}

/// Seals everything in `azt_dir` anew with a new key, made in `to` or where the old one is, and
/// answers its id.
///
/// Interrupted at any point it loses nothing. The key of the source `env` is not azt's to make: it
/// is what the variable says.
pub fn rekey(
    system: &System,
    azt_dir: impl Into<Folder>,
    options: Options,
    to: Option<KeySource>,
) -> Result<KeyId> {
    let mut setup = Setup::new(system, &azt_dir.into(), options, true);
    setup.changes_source = true;
    setup.rekey(to)
}

/// What lies in a vault, without its key.
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

/// Looks at the vault in `azt_dir` without opening anything.
pub fn inventory(system: &System, azt_dir: impl Into<Folder>) -> Result<Inventory> {
    let azt_dir = &azt_dir.into();
    let key = Manifest::read(system, azt_dir)?.map(|found| (found.key_source, found.key_id));
    let (records, bytes, unreadable) = store::inventory(azt_dir)?;
    Ok(Inventory { key, records, bytes, unreadable })
}

/// Why the keyring cannot be asked, if it cannot.
pub fn keyring_flaw(
    system: &System,
    azt_dir: impl Into<Folder>,
    options: Options,
) -> Option<Error> {
    Sources::new(system, &azt_dir.into(), options, false).keyring_flaw()
}

/// Removes all records, what was set aside, `vault.json` and the key: works on a vault that cannot
/// be opened. A key that its source does not give up is left there and named in a warning.
pub fn clear(system: &System, azt_dir: impl Into<Folder>) -> Result<()> {
    let azt_dir = &azt_dir.into();
    let sources = Sources::new(system, azt_dir, Options::default(), true);
    // So that nobody is in the middle of it; where they cannot be had, it is done all the same.
    let _held = azt_dir.exists().then(|| {
        let locks = Locks::new(azt_dir);
        (locks.setup(WRITING_LIMIT), locks.writing(WRITING_LIMIT))
    });
    let manifest = Manifest::read(system, azt_dir).ok().flatten();
    let sealed_with = store::sealed_with(azt_dir).unwrap_or_default();
    store::remove_all(azt_dir)?;
    Manifest::remove(azt_dir)?;
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

/// The vault that was open is there no more.
fn passed() -> Error {
    trouble("What is stored was removed while this was under way.").remedy("Try again.")
}

fn newer(path: &Path, version: u64) -> Error {
    trouble(format!("{} was made by a newer azt (format {version}).", path.display()))
        .remedy("Update azt; the file stays as it is.")
}

/// How the last way out begins.
pub const START_AFRESH: &str = "Or start afresh:";

fn start_afresh(system: &System) -> String {
    let program = system.program;
    format!("{START_AFRESH} '{program} account clear' removes what is stored, then sign in again.")
}
