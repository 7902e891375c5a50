//! Flight locks: one caller fetches a token, the others wait and find it.

use std::time::Duration;

use crate::error::Result;
use crate::sys::file::{Access, Durability};
use crate::sys::{Folder, LockGuard};

const FOLDER: &str = "locks";
/// Records share this many lock files, so that they never need to be deleted: whoever deletes a
/// lock file lets two hold it.
const STRIPES: u8 = 64;

/// How long nobody else tries after somebody set out to renew ahead of need, in seconds.
const AHEAD_INTERVAL: i64 = 60;

/// A lock of the vault, released when dropped.
#[must_use = "the lock is released when this is dropped"]
pub struct Held(#[allow(dead_code, reason = "held, not read")] LockGuard);

/// The lock of the record with this file name, which ends in hex digits of a keyed hash, the same
/// for every build of azt.
fn stripe(name: &str) -> u8 {
    let hash = name.get(name.len().saturating_sub(2)..).unwrap_or_default();
    u8::from_str_radix(hash, 16).unwrap_or(0) % STRIPES
}

/// The file in which whoever had the lock of the record last says why it has got nothing.
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

    /// Takes the lock that the record with this file name shares with some others.
    pub(super) fn flight(&self, name: &str, limit: Duration) -> Result<Option<Held>> {
        self.take(&format!("flight-{:02}.lock", stripe(name)), limit)
    }

    /// Takes the locks of all records, each as [`Locks::flight`]; `None` when one is not to be had.
    pub(super) fn every_flight(&self, limit: Duration) -> Result<Option<Vec<Held>>> {
        (0..STRIPES).map(|stripe| self.take(&format!("flight-{stripe:02}.lock"), limit)).collect()
    }

    /// True once a minute, for the first who asks: a file says when that was.
    pub(super) fn claim_refresh(&self, name: &str, now: i64) -> bool {
        let mark = format!("ahead-{:02}", stripe(name));
        let last = self.folder.read_text(&mark).ok().flatten();
        let last = last.and_then(|text| text.trim().parse::<i64>().ok());
        if last.is_some_and(|last| (last..last.saturating_add(AHEAD_INTERVAL)).contains(&now)) {
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

    /// Takes the lock under which a vault is made.
    pub(super) fn setup(&self, limit: Duration) -> Result<Option<Held>> {
        self.take("setup.lock", limit)
    }

    /// Takes the lock under which accounts come and go.
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
    fn one_sets_out_to_renew_ahead_in_a_minute() {
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
