//! Locks between processes: std uses flock(2) on Unix and LockFileEx on Windows.

use std::fs::{File, TryLockError};
use std::io;

/// A held lock on a file. It is released on drop, or by the system when the process dies.
///
/// On a file system without locks (some network mounts) it has no effect. Two processes may then
/// request the same token, and the last of two concurrent changes of a file wins. Files are still
/// replaced whole.
#[must_use = "the lock is released when this is dropped"]
pub(crate) struct LockGuard {
    _file: File,
    is_ineffective: bool,
}

impl LockGuard {
    /// Locks `file`; `None` if another process holds the lock.
    pub(super) fn try_hold(file: File) -> io::Result<Option<Self>> {
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file, is_ineffective: false })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) if has_no_locks(&error) => {
                Ok(Some(Self { _file: file, is_ineffective: true }))
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// True if the file system has no locks.
    pub(super) fn is_ineffective(&self) -> bool {
        self.is_ineffective
    }
}

/// True for the errors of file systems that have no locks, or refuse them to this user.
pub(super) fn has_no_locks(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    #[cfg(unix)]
    if error.raw_os_error() == Some(libc::ENOLCK) {
        return true;
    }
    [InvalidInput, PermissionDenied, Unsupported].contains(&error.kind())
}
