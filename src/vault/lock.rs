//! Flight locks: one process fetches a token, the others wait for it.

use std::time::Duration;

use crate::error::Result;
use crate::sys::file::{Access, Durability};
use crate::sys::{Folder, LockGuard};

const FOLDER: &str = "locks";
/// Number of lock files, which records share. So lock files never need to be deleted: a process
/// that deletes one lets two others hold the same lock.
const STRIPES: u8 = 64;

/// How long a claimed background refresh keeps others from starting one, in seconds.
const REFRESH_CLAIM_SECONDS: i64 = 60;

/// A lock of the vault, released when dropped.
#[must_use = "the lock is released when this is dropped"]
pub struct Held(#[allow(dead_code, reason = "held, not read")] LockGuard);

/// The lock number of the record with this file name. The name ends in hex digits of a keyed hash,
/// so every build of azt gets the same number.
fn stripe(name: &str) -> u8 {
    let hash = name.get(name.len().saturating_sub(2)..).unwrap_or_default();
    u8::from_str_radix(hash, 16).unwrap_or(0) % STRIPES
}

/// The file in which the last holder of the record's lock publishes its failure.
pub(super) fn failure(name: &str) -> String {
    format!("failure-{:02}", stripe(name))
}

/// The lock files of one vault.
pub(super) struct Locks {
    folder: Folder,
}

impl Locks {
    pub(super) fn new(azt_dir: &Folder) -> Self {
        Self { folder: azt_dir.sub(FOLDER) }
    }

    /// Their folder.
    pub(super) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Takes the flight lock of the record with this file name. Some other records share it.
    pub(super) fn flight(&self, name: &str, limit: Duration) -> Result<Option<Held>> {
        self.take(&format!("flight-{:02}.lock", stripe(name)), limit)
    }

    /// Takes the flight locks of all records; `None` if another process holds one of them.
    pub(super) fn every_flight(&self, limit: Duration) -> Result<Option<Vec<Held>>> {
        (0..STRIPES).map(|stripe| self.take(&format!("flight-{stripe:02}.lock"), limit)).collect()
    }

    /// True once a minute, for the first caller. A file stores the time of the last claim.
    pub(super) fn claim_refresh(&self, name: &str, now: i64) -> bool {
        let mark = format!("ahead-{:02}", stripe(name));
        let last = self.folder.read_text(&mark).ok().flatten();
        let last = last.and_then(|text| text.trim().parse::<i64>().ok());
        if last
            .is_some_and(|last| (last..last.saturating_add(REFRESH_CLAIM_SECONDS)).contains(&now))
        {
            return false;
        }
        let note = || {
            self.folder.write(
                &mark,
                now.to_string().as_bytes(),
                Access::Owner,
                Durability::Volatile,
            )
        };
        self.folder.ensure().and_then(|()| note()).is_ok()
    }

    /// Takes the lock for creating a vault or changing its key.
    pub(super) fn setup(&self, limit: Duration) -> Result<Option<Held>> {
        self.take("setup.lock", limit)
    }

    /// Takes the lock for adding and removing accounts.
    pub(super) fn writing(&self, limit: Duration) -> Result<Option<Held>> {
        self.take("writing.lock", limit)
    }

    fn take(&self, name: &str, limit: Duration) -> Result<Option<Held>> {
        self.folder.ensure()?;
        Ok(self.folder.lock(name, limit)?.map(Held))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_caller_a_minute_claims_the_refresh() {
        let dir = tempfile::tempdir().unwrap();
        let locks = Locks::new(&Folder::at(dir.path()));
        let (one, other) = ("at-00", "at-01");
        assert!(locks.claim_refresh(one, 1000));
        assert!(!locks.claim_refresh(one, 1000));
        assert!(!locks.claim_refresh(one, 1059));
        assert!(locks.claim_refresh(other, 1059), "others have their own minute");
        assert!(locks.claim_refresh(one, 1060));
        assert!(locks.claim_refresh(one, 900), "a clock that was set back");
    }
}
