//! Flight locks: one caller fetches a token, the others wait and find it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::trouble;
use crate::error::Result;
use crate::sys::{LockFile, LockGuard, file};

const FOLDER: &str = "locks";
/// Records share this many lock files, so that they never need to be deleted: whoever deletes a
/// lock file lets two hold it.
const STRIPES: u8 = 64;

/// The lock files of one vault.
pub(super) struct Locks {
    folder: PathBuf,
}

impl Locks {
    pub(super) fn new(azt_dir: &Path) -> Self {
        Self { folder: azt_dir.join(FOLDER) }
    }

    /// Takes the lock that the record with this file name shares with some others.
    pub(super) fn flight(&self, name: &str, limit: Duration) -> Result<Option<LockGuard>> {
        // The name ends in hex digits of a keyed hash, the same for every build of azt.
        let hash = name.get(name.len().saturating_sub(2)..).unwrap_or_default();
        let stripe = u8::from_str_radix(hash, 16).unwrap_or(0) % STRIPES;
        self.take(&format!("flight-{stripe:02}.lock"), limit)
    }

    /// Takes the lock under which a vault is made.
    pub(super) fn setup(&self, limit: Duration) -> Result<Option<LockGuard>> {
        self.take("setup.lock", limit)
    }

    fn take(&self, name: &str, limit: Duration) -> Result<Option<LockGuard>> {
        file::create_private_dir(&self.folder)
            .map_err(|error| trouble(error.message()).source(error))?;
        let lock = LockFile::new(self.folder.join(name));
        lock.acquire(limit).map_err(|error| {
            trouble(format!("Cannot lock {}: {error}.", lock.path().display())).source(error)
        })
    }
}
