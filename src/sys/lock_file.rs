//! Locks between processes: flock(2) on Unix, LockFileEx on Windows, by std.

use std::fs::{File, TryLockError};
use std::io;

/// A lock on a file that is held; released when dropped, or by the system when the process dies.
///
/// On a file system that has no locks (some network mounts) it keeps nobody out: then two processes may
/// ask for the same token, and of two changes of a file at once the last one stays, but files are
/// replaced whole all the same.
#[must_use = "the lock is released when this is dropped"]
pub(crate) struct LockGuard {
    _file: File,
    excludes_nobody: bool,
}

impl LockGuard {
    /// Locks `file` if it is free; `None` when another process has it.
    pub(super) fn try_hold(file: File) -> io::Result<Option<Self>> {
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file, excludes_nobody: false })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) if has_no_locks(&error) => {
                Ok(Some(Self { _file: file, excludes_nobody: true }))
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// True where the file system has no locks.
    pub(super) fn excludes_nobody(&self) -> bool {
        self.excludes_nobody
    }
}

/// True for the answers of file systems that have no locks, or do not give them to this user.
pub(super) fn has_no_locks(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    #[cfg(unix)]
    if error.raw_os_error() == Some(libc::ENOLCK) {
        return true;
    }
    [InvalidInput, PermissionDenied, Unsupported].contains(&error.kind())
}
