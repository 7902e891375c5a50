//! Replaces whole files: writes a temporary file beside the old one and renames it. Writes in place
//! where the file system refuses that.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use zeroize::Zeroizing;

use super::super::file::{Access, Durability, cannot, is_special};
use super::super::http::Sink;
use super::super::lock_file::LockGuard;
use super::super::random::fill_random;
use super::concession::{Concession, concede};
use super::handle::{self, Handle};
use super::{Found, Opened, TEMPORARY, refused_link};
use crate::error::{Error, Result};

/// Free space that a sign-in needs, in bytes.
const ROOM: usize = 64 * 1024;

/// Writes `bytes` to the file at `path`, which the user named, with mode 0600. The file belongs to
/// the user that runs this process.
///
/// Works like [`Folder::write`](super::Folder::write), but other users may be able to write in the
/// folder (`/tmp`).
///
/// # Errors
/// The path contains or is another user's link; the file cannot be written.
pub fn write_named(path: &Path, bytes: &[u8]) -> Result<()> {
    match Handle::containing(path) {
        Ok(Opened::File((folder, name))) => {
            let new = New {
                bytes,
                access: Access::Owner,
                durability: Durability::Durable,
                gives_to_owner: false,
            };
            new.write(&folder, &name, path).map_err(|failure| failure.into_error(path))
        }
        Ok(Opened::ForeignLink(owner)) => Err(refused_link(path, owner)),
        Err(error) => Err(cannot("write", path, error)),
    }
}

/// Writes what `fill` writes to the file at `path`, which the user named. Another file there stays
/// until all is written; it is kept if `fill` fails. A device or a pipe is written directly.
///
/// # Errors
/// Those of `fill`. The path contains or is another user's link; the file cannot be written.
pub(crate) fn stream_named(path: &Path, fill: impl FnOnce(Sink<'_>) -> Result<()>) -> Result<()> {
    let failed = |error| cannot("write", path, error);
    if is_special(path) {
        let mut special = File::options().write(true).open(path).map_err(failed)?;
        return fill(&mut |bytes| special.write_all(bytes).map_err(failed));
    }
    let (folder, name) = match Handle::containing(path) {
        Ok(Opened::File(place)) => place,
        Ok(Opened::ForeignLink(owner)) => return Err(refused_link(path, owner)),
        Err(error) => return Err(failed(error)),
    };
    let found = folder.look_at(&name).map_err(failed)?;
    #[cfg(unix)]
    let _as_error = crate::sys::size_limit::SizeLimit::as_error();
    let temporary = Temporary::create(&folder, Access::Shared).map_err(failed)?;
    fill(&mut |bytes| (&temporary.file).write_all(bytes).map_err(failed))?;
    if let Found::File(mode) = found {
        try_set_mode(&temporary.file, mode).map_err(failed)?;
    }
    folder.rename(&temporary.name, &name).map_err(failed)?;
    std::mem::forget(temporary.removal);
    Ok(())
}

/// Why a file was not written.
pub(super) enum Unwritten {
    /// Something other than a regular file is in its place.
    Special,
    System(io::Error),
}

impl From<io::Error> for Unwritten {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl Unwritten {
    pub(super) fn into_error(self, path: &Path) -> Error {
        match self {
            Self::Special => {
                let what = io::Error::new(io::ErrorKind::NotSeekable, "it is not a regular file");
                cannot("write", path, what)
            }
            Self::System(error) => cannot("write", path, error),
        }
    }
}

/// Contents and permissions of a file to write.
#[derive(Clone, Copy)]
pub(super) struct New<'b> {
    pub(super) bytes: &'b [u8],
    pub(super) access: Access,
    /// Waits until the file is on the disk.
    pub(super) durability: Durability,
    /// If root writes in another user's folder, that user becomes the file's owner.
    pub(super) gives_to_owner: bool,
}

impl New<'_> {
    /// Writes the file `name` in `folder`; messages name it `path`.
    ///
    /// After the rename nothing is an error: the new contents are in place.
    pub(super) fn write(self, folder: &Handle, name: &OsStr, path: &Path) -> Result<(), Unwritten> {
        let found = folder.look_at(name)?;
        if matches!(found, Found::Special) {
            return Err(Unwritten::Special);
        }
        #[cfg(unix)]
        let _as_error = crate::sys::size_limit::SizeLimit::as_error();
        let is_there = matches!(found, Found::File(_));
        let temporary = match Temporary::create(folder, self.access) {
            Ok(temporary) => temporary,
            // The folder accepts no new file, but a file mounted into it may still be writable.
            Err(error) if is_there && (is_refusal(&error) || is_read_only(&error)) => {
                return self.write_over(folder, name, path, error, false);
            }
            Err(error) => return Err(error.into()),
        };
        let keeps_modes = self.fill(folder, &temporary.file, &found, path)?;
        match folder.rename(&temporary.name, name) {
            Ok(()) => std::mem::forget(temporary.removal),
            Err(error) if is_there && is_refusal(&error) => {
                return self.write_over(folder, name, path, error, !keeps_modes);
            }
            Err(error) if is_refusal(&error) => {
                let file = folder.create_new(name, self.access.mode()).map_err(|_| error)?;
                let removal = Removal(folder, name.to_owned());
                self.fill(folder, &file, &found, path)?;
                std::mem::forget(removal);
                concede(Concession::Rename, path);
            }
            Err(error) => return Err(error.into()),
        }
        if self.durability == Durability::Durable && folder.sync().is_err() {
            concede(Concession::Sync, path);
        }
        Ok(())
    }

    /// Fills the new, empty `file` and sets its mode, which for [`Access::Shared`] comes from the
    /// file that it replaces (`found`). False if the file system stores no modes.
    fn fill(
        self,
        folder: &Handle,
        mut file: &File,
        found: &Found,
        path: &Path,
    ) -> io::Result<bool> {
        file.write_all(self.bytes)?;
        let keeps_modes = match (found, self.access) {
            // Keeps the mode of the existing file, without write access for others.
            (Found::File(mode), Access::Shared) => try_set_mode(file, mode & 0o755)?,
            (_, Access::Shared) => true,
            (_, Access::Owner) => restrict_to_owner(file)?,
        };
        if !keeps_modes {
            concede(Concession::Modes, path);
        }
        if self.gives_to_owner {
            folder.give_to_owner(file);
        }
        self.sync(file, path)?;
        Ok(keeps_modes)
    }

    fn sync(self, file: &File, path: &Path) -> io::Result<()> {
        match (self.durability == Durability::Durable).then(|| file.sync_all()) {
            Some(Err(error)) if is_refusal(&error) => concede(Concession::Sync, path),
            Some(done) => done?,
            None => {}
        }
        Ok(())
    }

    /// Overwrites the file in place, because the system refused with `refusal` to replace it.
    ///
    /// A secret ([`Access::Owner`]) is written to a file that others can read only if
    /// `is_open_to_all`, which means that the file system stores no modes.
    ///
    /// If this process is killed, the file has the old or the new contents. A crash of the machine
    /// can leave a part of either, which is lost.
    fn write_over(
        self,
        folder: &Handle,
        name: &OsStr,
        path: &Path,
        refusal: io::Error,
        is_open_to_all: bool,
    ) -> Result<(), Unwritten> {
        // Another owner could change the mode or have the file open, so a secret needs a file of
        // this user. Exception: root works in another user's folder on that user's behalf.
        let is_mine_only =
            !self.gives_to_owner || (self.access == Access::Owner && !folder.gives_to_owner());
        let Ok(file) = folder.open_to_change(name, is_mine_only) else {
            return Err(refusal.into());
        };
        if self.access == Access::Owner && !restrict_to_owner(&file)? && !is_open_to_all {
            return Err(refusal.into());
        }
        let mut before = Zeroizing::new(Vec::new());
        (&file).read_to_end(&mut before)?;
        // Detects a full disk before anything changes.
        handle::reserve(&file, self.bytes.len())?;
        let done = overwrite(&file, self.bytes, before.len()).and_then(|()| self.sync(&file, path));
        if let Err(error) = done {
            // Restores the old contents, which fit because they were there before.
            let _ = overwrite(&file, &before, 0).and_then(|()| file.sync_all());
            return Err(error.into());
        }
        concede(Concession::Rename, path);
        Ok(())
    }
}

/// Overwrites `file`, which is at most `length` bytes long, with `bytes`. Newlines pad the rest
/// until the file is truncated, so a reader in between still gets valid text or a valid sealed
/// record.
fn overwrite(mut file: &File, bytes: &[u8], length: usize) -> io::Result<()> {
    let mut padded = Zeroizing::new(bytes.to_vec());
    padded.resize(bytes.len().max(length), b'\n');
    file.rewind()?;
    file.write_all(&padded)?;
    file.set_len(bytes.len() as u64)
}

/// Sets the mode of `file`; false if its file system refuses.
fn try_set_mode(file: &File, mode: u32) -> io::Result<bool> {
    if handle::mode_of(file)? == mode {
        return Ok(true);
    }
    match handle::set_mode(file, mode) {
        Err(error) if is_refusal(&error) => Ok(false),
        done => done.map(|()| true),
    }
}

/// Removes all access of group and others to `file`; false if the file system refuses.
fn restrict_to_owner(file: &File) -> io::Result<bool> {
    let is_private = || -> io::Result<bool> { Ok(handle::mode_of(file)?.trailing_zeros() >= 6) };
    Ok(is_private()? || (try_set_mode(file, 0o600)? && is_private()?))
}

/// True if a file system or mount does not support an operation, and has changed nothing. False for
/// real failures, such as a full disk.
pub(super) fn is_refusal(error: &io::Error) -> bool {
    use io::ErrorKind::{
        AlreadyExists, CrossesDevices, InvalidInput, PermissionDenied, ResourceBusy, Unsupported,
    };
    let refusals =
        [AlreadyExists, CrossesDevices, InvalidInput, PermissionDenied, ResourceBusy, Unsupported];
    refusals.contains(&error.kind())
}

fn is_read_only(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ReadOnlyFilesystem
}

/// Removes the file `name`, or empties it if it is a mount.
pub(super) fn remove(folder: &Handle, name: &OsStr) -> io::Result<()> {
    match folder.remove(name) {
        Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
            folder.open_to_change(name, false).map_err(|_| error)?.set_len(0)
        }
        removed => removed,
    }
}

/// Removes `from` after it was linked or copied to `to`. If that fails, removes `to` again, so that
/// one file remains.
pub(super) fn finish_move(folder: &Handle, from: &OsStr, to: &OsStr) -> io::Result<()> {
    let removed = remove(folder, from);
    if removed.is_err() {
        let _ = folder.remove(to);
    }
    removed
}

/// Tests whether a file of the size of a sign-in can be written in `folder`. If the folder accepts
/// no new file, the existing file `name` must be writable.
pub(super) fn check_writable(folder: &Handle, name: &OsStr) -> io::Result<()> {
    match Temporary::create(folder, Access::Owner) {
        Ok(temporary) => (&temporary.file).write_all(&vec![0; ROOM]),
        Err(error) => folder.open_to_change(name, false).map(drop).map_err(|_| error),
    }
}

/// Runs each step of a write on temporary files. Records a refused step as a concession; fails at
/// the first other error.
pub(super) fn probe(folder: &Handle, path: &Path) -> io::Result<()> {
    let new = New {
        bytes: b"azt",
        access: Access::Owner,
        durability: Durability::Durable,
        gives_to_owner: true,
    };
    let (one, other) =
        (Temporary::create(folder, new.access)?, Temporary::create(folder, new.access)?);
    new.fill(folder, &one.file, &Found::Nothing, path)?;
    if LockGuard::try_hold(other.file)?.is_some_and(|held| held.is_ineffective()) {
        concede(Concession::Locks, path);
    }
    match folder.rename(&one.name, &other.name) {
        Err(error) if is_refusal(&error) => concede(Concession::Rename, path),
        renamed => renamed?,
    }
    if folder.sync().is_err() {
        concede(Concession::Sync, path);
    }
    Ok(())
}

/// A new file, which is removed on drop unless it was renamed.
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
        loop {
            let mut random = [0; 8];
            fill_random(&mut random).map_err(io::Error::other)?;
            let (prefix, suffix) = TEMPORARY;
            let name = format!("{prefix}{:016x}{suffix}", u64::from_ne_bytes(random));
            let name = OsString::from(name);
            match folder.create_new(&name, access.mode()) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                created => {
                    let removal = Removal(folder, name.clone());
                    return Ok(Self { file: created?, name, removal });
                }
            }
        }
    }
}
