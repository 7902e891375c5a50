//! The lock under which az and MSAL change their files.
#![allow(clippy::disallowed_methods, reason = "this is the seam that the ban points to")]

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

const BETWEEN: Duration = Duration::from_millis(25);

/// A lock as msal-extensions' `CrossPlatLock` takes it: the file is made by whoever holds it, is
/// locked, and is removed at the end. A file that was left behind by a killed process is waited
/// for and then taken over.
///
/// Where the file system has no locks, the file that others wait for is lock enough.
///
/// The file is made for its owner only (0600): one that others can open, as az makes it, they can lock,
/// too. Where such a one stays locked for longer than any writer needs, it is replaced.
pub struct MsalLock {
    folder: Handle,
    name: OsString,
    _file: File,
}

impl MsalLock {
    /// Takes the lock `name`, `<file>.lockfile`, in `folder`; each of the two steps, making the file and
    /// locking it, is tried for `limit` (msal-extensions: five seconds).
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
    loop {
        match folder.create_new(name, 0o600) {
            Ok(_) => break,
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Err(_) if begin.elapsed() >= limit => break,
            Err(_) => std::thread::sleep(BETWEEN),
        }
    }
    let (mut begin, mut was_replaced) = (Instant::now(), false);
    loop {
        // Not what a link leads to, nor a second name of somebody's file: it would be written to.
        let mut file = folder.open_or_create(name)?;
        match file.try_lock() {
            // Its last holder removed it in between: the next one locks another file.
            Ok(()) if is_removed(&file) => {}
            Ok(()) => {
                #[cfg(unix)]
                let _as_error = super::size_limit::SizeLimit::as_error();
                // For people who wonder; on a full disk the lock is held all the same.
                let _ = write!(file, "{} azt", std::process::id());
                return Ok(file);
            }
            Err(TryLockError::Error(error)) if has_no_locks(&error) => {
                concede(Concession::Locks, path);
                return Ok(file);
            }
            // Whoever holds it may be another user, who has nothing to change here.
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

/// On Windows a profile folder is its user's.
#[cfg(not(unix))]
fn others_can_open(_file: &File) -> bool {
    false
}

#[cfg(unix)]
fn is_removed(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.metadata().is_ok_and(|found| found.nlink() == 0)
}

/// On Windows a name can go while the file is open, and std does not tell (unverified): two may hold the
/// lock then, and of two changes at once the last one stays.
#[cfg(not(unix))]
fn is_removed(_file: &File) -> bool {
    false
}

impl Drop for MsalLock {
    fn drop(&mut self) {
        let _ = self.folder.remove(&self.name);
    }
}

/// Waits, where another process needs a moment.
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}
