//! Files that are written whole: to a new one beside them, which takes their place.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use super::super::file::{Access, cannot};
use super::super::random::fill_random;
use super::handle::{self, Handle};
use super::{Found, Opened, TEMPORARY, laid};
use crate::error::{Error, Result};

/// Writes `bytes` to the file at `path`, which a person named: 0600, its owner who runs this. As
/// [`Folder::write`](super::Folder::write) but for the folder, which may be one that others write in (`/tmp`).
///
/// # Errors
/// A link of another user's is on the way, or at its end.
pub fn write_named(path: &Path, bytes: &[u8]) -> Result<()> {
    match Handle::containing(path) {
        Ok(Opened::File((folder, name))) => {
            write_in(&folder, &name, bytes, Access::Owner, true, false)
                .map_err(|failure| failure.of(path))
        }
        Ok(Opened::LaidLink(owner)) => Err(laid(path, owner)),
        Err(error) => Err(cannot("write", path, error)),
    }
}

/// Why a file was not written.
pub(super) enum Unwritten {
    /// What is in its place is no regular file.
    Special,
    System(io::Error),
}

impl From<io::Error> for Unwritten {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl Unwritten {
    pub(super) fn of(self, path: &Path) -> Error {
        match self {
            Self::Special => cannot("write", path, io::Error::other("it is no regular file"))
                .remedy("Move it away and try again. It was not changed."),
            Self::System(error) => cannot("write", path, error),
        }
    }
}

/// `gives`: what root makes in somebody's folder is theirs.
pub(super) fn write_in(
    folder: &Handle,
    name: &OsStr,
    bytes: &[u8],
    access: Access,
    durable: bool,
    gives: bool,
) -> Result<(), Unwritten> {
    let mode = match (folder.look_at(name)?, access) {
        (Found::Special, _) => return Err(Unwritten::Special),
        // What an existing file has, which others cannot write.
        (Found::File(mode), Access::Shared) => Some(mode & 0o755),
        (Found::File(_) | Found::Nothing, _) => None,
    };
    #[cfg(unix)]
    let _as_error = crate::sys::size_limit::SizeLimit::as_error();
    let temporary = Temporary::create(folder, access)?;
    let mut file = &temporary.file;
    file.write_all(bytes)?;
    if let Some(mode) = mode {
        handle::set_mode(file, mode)?;
    }
    if gives {
        folder.give(file);
    }
    if durable {
        file.sync_all()?;
    }
    folder.rename(&temporary.name, name)?;
    std::mem::forget(temporary.removal);
    if durable {
        folder.sync()?;
    }
    Ok(())
}

/// A new file that is removed again unless it was renamed.
struct Temporary<'f> {
    file: File,
    name: OsString,
    removal: Removal<'f>,
}

struct Removal<'f>(&'f Handle, OsString);

impl Drop for Removal<'_> {
    fn drop(&mut self) {
        let _ = self.0.remove(&self.1);
    }
}

impl<'f> Temporary<'f> {
    fn create(folder: &'f Handle, access: Access) -> io::Result<Self> {
        let mode = if access == Access::Shared { 0o644 } else { 0o600 };
        loop {
            let mut random = [0; 8];
            fill_random(&mut random).map_err(io::Error::other)?;
            let (prefix, suffix) = TEMPORARY;
            let name = format!("{prefix}{:016x}{suffix}", u64::from_ne_bytes(random));
            let name = OsString::from(name);
            match folder.create_new(&name, mode) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                created => {
                    let removal = Removal(folder, name.clone());
                    return Ok(Self { file: created?, name, removal });
                }
            }
        }
    }
}
