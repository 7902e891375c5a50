//! The lock that az and MSAL hold while they change their files.
#![allow(clippy::disallowed_methods, reason = "this module wraps the banned functions")]

use std::ffi::{OsStr, OsString};
use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use super::Folder;
use super::file::cannot;
use super::folder::{Concession, Handle, concede};
use super::lock_file::has_no_locks;
use crate::error::{Error, Result};

/// The pause between two attempts.
const BETWEEN: Duration = Duration::from_millis(25);

/// A lock in the protocol of msal-extensions' `CrossPlatLock`: the holder creates the file, locks
/// it, and removes it at the end. A file that a killed process left there is taken over after a
/// timeout.
///
/// On a file system without locks the existence of the file is the lock.
///
/// The file has mode 0600, because a user who can open it can also lock it. az creates it readable
/// by others; if such a file stays locked for longer than any writer needs, it is replaced.
pub struct MsalLock {
    folder: Handle,
    name: OsString,
    _file: File,
}

impl MsalLock {
    /// Takes the lock `name` (`<file>.lockfile`) in `folder`. Each of the two steps, creating the
    /// file and locking it, has the timeout `limit` (msal-extensions: five seconds).
    pub fn acquire(folder: &Folder, name: &str, limit: Duration) -> Result<Self> {
        let path = folder.file(name);
        let failed = |error: io::Error| -> Error { cannot("lock", &path, error) };
        let folder = folder.open()?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
        let file = hold(&folder, OsStr::new(name), limit, &path).map_err(failed)?;
        Ok(Self { folder, name: name.into(), _file: file })
    }
}

fn hold(folder: &Handle, name: &OsStr, limit: Duration, path: &Path) -> io::Result<File> {
    let begin = Instant::now();
    let is_created = loop {
        match folder.create_new(name, 0o600) {
            Ok(_) => break true,
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Err(_) if begin.elapsed() >= limit => break false,
            Err(_) => std::thread::sleep(BETWEEN),
        }
    };
    let (mut begin, mut was_replaced) = (Instant::now(), false);
    loop {
        // Refuses symbolic links and other users' hard links, because the file is written below.
        let mut file = folder.open_or_create(name)?;
        match file.try_lock() {
            // The last holder removed the file in between; other processes would lock a new one.
            Ok(()) if is_removed(&file) => {}
            Ok(()) => {
                #[cfg(unix)]
                let _as_error = super::size_limit::SizeLimit::as_error();
                // For diagnosis only; the lock also holds if the disk is full.
                let _ = write!(file, "{} azt", std::process::id());
                return Ok(file);
            }
            Err(TryLockError::Error(error)) if has_no_locks(&error) => {
                concede(Concession::Locks, path);
                return Ok(file);
            }
            Err(TryLockError::Error(error)) => {
                // Other programs would wait for a holder.
                if is_created {
                    let _ = folder.remove(name);
                }
                return Err(error);
            }
            // The holder may be another user, who has no reason to lock this file.
            Err(_) if begin.elapsed() >= limit && !was_replaced && others_can_open(&file) => {
                was_replaced = true;
                begin = Instant::now();
                let _ = folder.remove(name);
            }
            Err(_) if begin.elapsed() >= limit => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "another process holds it"));
            }
            Err(_) => std::thread::sleep(BETWEEN),
        }
    }
}

#[cfg(unix)]
fn others_can_open(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.metadata().is_ok_and(|found| found.mode() & 0o044 != 0)
}

/// Windows: a profile folder belongs to its user.
#[cfg(not(unix))]
fn others_can_open(_file: &File) -> bool {
    false
}

#[cfg(unix)]
fn is_removed(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.metadata().is_ok_and(|found| found.nlink() == 0)
}

/// Windows: std does not report whether an open file was removed (unverified). Two processes may
/// then hold the lock, and the last of two concurrent changes wins.
#[cfg(not(unix))]
fn is_removed(_file: &File) -> bool {
    false
}

impl Drop for MsalLock {
    fn drop(&mut self) {
        let _ = self.folder.remove(&self.name);
    }
}

/// Sleeps, to give another process time.
pub(crate) fn sleep(time: Duration) {
    std::thread::sleep(time);
}
