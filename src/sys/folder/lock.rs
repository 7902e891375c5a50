//! Locks in a folder, and removal of temporary files that killed processes left there.

use std::ffi::OsStr;
use std::io;
use std::time::{Duration, Instant};

use super::super::file::cannot;
use super::super::lock_file::LockGuard;
use super::{Concession, Folder, TEMPORARY, concede};
use crate::error::Result;

impl Folder {
    /// Removes temporary files of killed writers, because they may hold secrets. Removes all, or
    /// those older than `age`, which no process still writes.
    #[allow(clippy::disallowed_methods, reason = "file times come from the system clock")]
    pub(crate) fn remove_temporaries(&self, age: Option<Duration>) -> Result<()> {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now = now.unwrap_or_default().as_secs();
        for name in self.names().unwrap_or_default() {
            let is_one = name.starts_with(TEMPORARY.0) && name.ends_with(TEMPORARY.1);
            let is_old = |age: Duration| {
                let written = self.stamp(&name).and_then(|it| u64::try_from(it.written_at()).ok());
                written.is_some_and(|written| now.saturating_sub(written) > age.as_secs())
            };
            if is_one && age.is_none_or(is_old) {
                self.remove(&name)?;
            }
        }
        Ok(())
    }

    /// Takes the lock `name`, an empty file that is never deleted. Waits for `limit` at most;
    /// `None` if the lock was still held then. The folder must exist.
    ///
    /// Polls with growing pauses (1 to 20 ms), because flock has no timeout.
    #[allow(clippy::disallowed_methods, reason = "waiting is measured here and nowhere else")]
    pub(crate) fn lock(&self, name: &str, limit: Duration) -> Result<Option<LockGuard>> {
        let failed = |error: io::Error| cannot("lock", &self.file(name), error);
        let folder = self.open()?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
        let start = Instant::now();
        let mut pause = Duration::from_millis(1);
        loop {
            let file = folder.open_or_create(OsStr::new(name)).map_err(failed)?;
            if let Some(guard) = LockGuard::try_hold(file).map_err(failed)? {
                if guard.is_ineffective() {
                    concede(Concession::Locks, &self.file(name));
                }
                return Ok(Some(guard));
            }
            if start.elapsed() >= limit {
                return Ok(None);
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }
}
