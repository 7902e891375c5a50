//! Folders: made private, and looked at for whether anything can be kept in them.

use std::io;
use std::path::Path;

use super::file::{cannot, parent_of, resolve_link};
use crate::error::Result;

/// Bytes that a sign-in takes.
#[cfg(unix)]
const ROOM: u64 = 64 * 1024;

/// Makes `path` and its missing parents; a folder made here is the owner's only (0700 on Unix).
///
/// # Errors
/// As [`refuse_laid`]'s; it cannot be made.
pub fn create_private_dir(path: &Path) -> Result<()> {
    refuse_laid(path)?;
    let missing: Vec<&Path> = path.ancestors().take_while(|folder| !folder.exists()).collect();
    for folder in missing.into_iter().rev() {
        match make_folder(folder) {
            // Another process was quicker.
            Err(_) if folder.is_dir() => {}
            made => made.map_err(|error| cannot("create", path, error))?,
        }
    }
    if path.is_dir() {
        return Ok(());
    }
    Err(cannot("create", path, io::Error::from(io::ErrorKind::AlreadyExists)))
}

/// An error when `path`, or the folder that it is in, is a link that another user made to what is not
/// theirs: what is kept, or removed, there would be somebody else's.
pub fn refuse_laid(path: &Path) -> Result<()> {
    resolve_link(parent_of(path))?;
    resolve_link(path).map(drop)
}

/// Parent and child by descriptor, so that nobody puts a link into the way meanwhile.
#[cfg(unix)]
fn make_folder(folder: &Path) -> io::Result<()> {
    use rustix::fs::{Mode, OFlags, mkdirat, openat};
    let Some(name) = folder.file_name() else { return Ok(()) };
    let parent = std::fs::File::open(parent_of(folder))?;
    mkdirat(&parent, name, Mode::RWXU)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let made = openat(&parent, name, flags, Mode::empty())?;
    super::owner::give(&made.into(), &parent.metadata()?);
    Ok(())
}

#[cfg(not(unix))]
fn make_folder(folder: &Path) -> io::Result<()> {
    std::fs::create_dir(folder)
}

/// Why nothing can be kept in `folder`: it cannot be written, or has no room left.
#[cfg(unix)]
pub fn writing_flaw(folder: &Path) -> Option<String> {
    use rustix::fs::{Access, access, statvfs};
    if let Err(error) = access(folder, Access::WRITE_OK | Access::EXEC_OK) {
        return Some(format!("it cannot be written: {}", io::Error::from(error)));
    }
    let disk = statvfs(folder).ok()?;
    let has_files_left = disk.f_favail > 0 || disk.f_files == 0;
    let is_full = disk.f_bavail.saturating_mul(disk.f_frsize) < ROOM || !has_files_left;
    is_full.then(|| "there is no room left on its disk".to_owned())
}

/// Found out by writing, on Windows.
#[cfg(not(unix))]
pub fn writing_flaw(_folder: &Path) -> Option<String> {
    None
}
