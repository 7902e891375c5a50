//! The lock under which az and MSAL change their files.
#![allow(clippy::disallowed_methods, reason = "this is the seam that the ban points to")]

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const BETWEEN: Duration = Duration::from_millis(25);

/// A lock as msal-extensions' `CrossPlatLock` takes it: the file is made by whoever holds it, is
/// locked, and is removed at the end. A file that was left behind by a killed process is waited
/// for and then taken over.
pub struct MsalLock {
    path: PathBuf,
    _file: File,
}

impl MsalLock {
    /// Takes the lock at `path`, `<file>.lockfile`; each of the two steps, making the file and
    /// locking it, is tried for `limit` (msal-extensions: five seconds).
    pub fn acquire(path: &Path, limit: Duration) -> io::Result<Self> {
        let begin = Instant::now();
        loop {
            match OpenOptions::new().write(true).create_new(true).open(path) {
                Ok(_) => break,
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                Err(_) if begin.elapsed() >= limit => break,
                Err(_) => std::thread::sleep(BETWEEN),
            }
        }
        let begin = Instant::now();
        loop {
            let mut file = open(path)?;
            match file.try_lock() {
                // Its last holder removed it in between: the next one locks another file.
                Ok(()) if is_removed(&file) => {}
                Ok(()) => {
                    #[cfg(unix)]
                    let _as_error = super::size_limit::SizeLimit::as_error();
                    // For people who wonder; on a full disk the lock is held all the same.
                    let _ = write!(file, "{} azt", std::process::id());
                    return Ok(Self { path: path.to_owned(), _file: file });
                }
                Err(_) if begin.elapsed() >= limit => {
                    return Err(io::Error::new(
                        io::ErrorKind::TimedOut,
                        "another process holds it",
                    ));
                }
                Err(_) => std::thread::sleep(BETWEEN),
            }
        }
    }
}

/// Not what a link leads to: it would be emptied.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        libc::O_NOFOLLOW | libc::O_NONBLOCK,
    );
    options.open(path)
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
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Waits, where another process needs a moment.
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn what_a_link_in_its_place_leads_to_is_not_emptied() {
        let dir = tempfile::tempdir().unwrap();
        let (target, link) = (dir.path().join("target"), dir.path().join("x.lockfile"));
        std::fs::write(&target, "kept").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(open(&link).is_err());
        assert_eq!(std::fs::read(&target).unwrap(), b"kept");
    }
}
