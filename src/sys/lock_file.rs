//! Locks between processes: flock(2) on Unix, LockFileEx on Windows, by std.
#![allow(clippy::disallowed_methods, reason = "waiting is measured here and nowhere else")]

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A lock file: empty, never deleted, so that all processes lock the same inode.
pub struct LockFile {
    path: PathBuf,
}

/// A lock that is held; released when dropped, or by the system when the process dies.
///
/// On a file system that has no locks (some network mounts) it is held by name only: then two
/// processes may ask for the same token, and of two changes of a file at once the last one stays,
/// but files are replaced whole all the same.
#[must_use = "the lock is released when this is dropped"]
pub struct LockGuard {
    _file: File,
}

/// True for the answer of a file system that has no locks.
fn has_no_locks(error: &io::Error) -> bool {
    #[cfg(unix)]
    if error.raw_os_error() == Some(libc::ENOLCK) {
        return true;
    }
    error.kind() == io::ErrorKind::Unsupported
}

impl LockFile {
    /// The lock at `path`; its folder must exist when it is taken.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the lock if it is free; `None` when another process has it.
    pub fn try_acquire(&self) -> io::Result<Option<LockGuard>> {
        let mut options = OpenOptions::new();
        options.write(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            // A link that lies there may lead to anything, and a pipe would be waited for.
            options.mode(0o600).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
        }
        let file = match options.clone().create_new(true).open(&self.path) {
            Ok(made) => {
                if let Some(folder) = self.path.parent() {
                    super::owner::give(&made, &std::fs::metadata(folder)?);
                }
                made
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                options.open(&self.path)?
            }
            Err(error) => return Err(error),
        };
        match file.try_lock() {
            Ok(()) => Ok(Some(LockGuard { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) if has_no_locks(&error) => {
                Ok(Some(LockGuard { _file: file }))
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Takes the lock, waiting `limit` at the most; `None` when it was not free in time.
    ///
    /// Polls with growing pauses (1 to 20 ms): flock has no time limit of its own.
    pub fn acquire(&self, limit: Duration) -> io::Result<Option<LockGuard>> {
        let start = Instant::now();
        let mut pause = Duration::from_millis(1);
        loop {
            if let Some(guard) = self.try_acquire()? {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_waits_until_the_first_lets_go() {
        let dir = tempfile::tempdir().unwrap();
        let lock = LockFile::new(dir.path().join("x.lock"));
        let held = lock.try_acquire().unwrap();
        assert!(held.is_some());
        assert!(lock.acquire(Duration::from_millis(5)).unwrap().is_none());
        drop(held);
        assert!(lock.acquire(Duration::ZERO).unwrap().is_some());
        assert!(lock.path().exists(), "the file stays, so that all lock the same inode");
    }

    /// Whoever owns the folder must not be given a file of root's by way of a link.
    #[cfg(unix)]
    #[test]
    fn what_lies_in_a_locks_place_is_neither_followed_nor_waited_for() {
        use std::os::unix::fs::{MetadataExt, chown, symlink};
        let (theirs, ours) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (link, made) = (theirs.path().join("link"), theirs.path().join("made"));
        let target = ours.path().join("target");
        std::fs::write(&target, "").unwrap();
        let owner = std::fs::metadata(&target).unwrap().uid();
        symlink(&target, &link).unwrap();
        let is_root = chown(theirs.path(), Some(65_534), None).is_ok();
        let pipe = theirs.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for path in [link, pipe] {
            assert!(LockFile::new(path).try_acquire().is_err());
        }
        assert!(LockFile::new(&made).try_acquire().unwrap().is_some());
        assert_eq!(std::fs::metadata(&target).unwrap().uid(), owner);
        let theirs = if is_root { 65_534 } else { owner };
        assert_eq!(std::fs::metadata(&made).unwrap().uid(), theirs);
    }
}
