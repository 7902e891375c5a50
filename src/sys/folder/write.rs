//! Files that are written whole: to a new one beside them, which takes their place; or in place, where
//! the file system does not let it.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use zeroize::Zeroizing;

use super::super::file::{Access, Durability, cannot};
use super::super::lock_file::LockGuard;
use super::super::random::fill_random;
use super::concession::{Concession, concede};
use super::handle::{self, Handle};
use super::{Found, Opened, TEMPORARY, laid};
use crate::error::{Error, Result};

/// What a sign-in takes, in bytes.
const ROOM: usize = 64 * 1024;

/// Writes `bytes` to the file at `path`, which a person named: 0600, its owner who runs this. As
/// [`Folder::write`](super::Folder::write) but for the folder, which may be one that others write in (`/tmp`).
///
/// # Errors
/// A link of another user's is on the way, or at its end.
pub fn write_named(path: &Path, bytes: &[u8]) -> Result<()> {
    match Handle::containing(path) {
        Ok(Opened::File((folder, name))) => {
            let new =
                New { bytes, access: Access::Owner, durability: Durability::Durable, gives: false };
            new.write(&folder, &name, path).map_err(|failure| failure.of(path))
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
            Self::Special => {
                let what = io::Error::new(io::ErrorKind::NotSeekable, "it is no regular file");
                cannot("write", path, what)
            }
            Self::System(error) => cannot("write", path, error),
        }
    }
}

/// What a file is to be.
#[derive(Clone, Copy)]
pub(super) struct New<'b> {
    pub(super) bytes: &'b [u8],
    pub(super) access: Access,
    pub(super) durability: Durability,
    /// What root makes in somebody's folder is theirs.
    pub(super) gives: bool,
}

impl New<'_> {
    /// Makes the file `name` in `folder` so. `path` is what messages call it.
    ///
    /// Once the new content is in its place nothing is an error any more.
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
            // The folder takes nothing new; a file that is mounted into it may be written all the same.
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

    /// Writes the new, empty `file` and gives it the mode that it is to have in the place of what was
    /// `found`. False where its file system keeps no modes.
    fn fill(
        self,
        folder: &Handle,
        mut file: &File,
        found: &Found,
        path: &Path,
    ) -> io::Result<bool> {
        file.write_all(self.bytes)?;
        let keeps_modes = match (found, self.access) {
            // What an existing file has, which others cannot write.
            (Found::File(mode), Access::Shared) => has_mode(file, mode & 0o755)?,
            (_, Access::Shared) => true,
            (_, Access::Owner) => is_owners(file)?,
        };
        if !keeps_modes {
            concede(Concession::Modes, path);
        }
        if self.gives {
            folder.give(file);
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

    /// Writes over what is in the file, which could not be replaced because of `refusal`. What is for
    /// its owner only goes where others can read it if nothing there is kept from them.
    ///
    /// Killed between two steps it leaves the old content or the new. A crash of the machine may leave a
    /// part of either, which nothing mends.
    fn write_over(
        self,
        folder: &Handle,
        name: &OsStr,
        path: &Path,
        refusal: io::Error,
        is_open_to_all: bool,
    ) -> Result<(), Unwritten> {
        // The owner of a file has its mode in hand, and may have it open: a secret is not theirs. Root
        // works in the folders of others on their behalf.
        let is_mine_only = !self.gives || (self.access == Access::Owner && !folder.is_given());
        let Ok(file) = folder.open_to_change(name, is_mine_only) else {
            return Err(refusal.into());
        };
        if self.access == Access::Owner && !is_owners(&file)? && !is_open_to_all {
            return Err(refusal.into());
        }
        let mut before = Zeroizing::new(Vec::new());
        (&file).read_to_end(&mut before)?;
        // Where it is full, that is known before anything is changed.
        handle::reserve(&file, self.bytes.len())?;
        let done = overwrite(&file, self.bytes, before.len()).and_then(|()| self.sync(&file, path));
        if let Err(error) = done {
            // There is room for what was there.
            let _ = overwrite(&file, &before, 0).and_then(|()| file.sync_all());
            return Err(error.into());
        }
        concede(Concession::Rename, path);
        Ok(())
    }
}

/// Makes `bytes` the content of `file`, which has `length` bytes at the most. Line ends fill what is
/// longer until it is cut off: who reads it in between reads the same text, or the same sealed record.
fn overwrite(mut file: &File, bytes: &[u8], length: usize) -> io::Result<()> {
    let mut padded = Zeroizing::new(bytes.to_vec());
    padded.resize(bytes.len().max(length), b'\n');
    file.rewind()?;
    file.write_all(&padded)?;
    file.set_len(bytes.len() as u64)
}

/// Gives `file` this mode; false where its file system refuses.
fn has_mode(file: &File, mode: u32) -> io::Result<bool> {
    if handle::mode_of(file)? == mode {
        return Ok(true);
    }
    match handle::set_mode(file, mode) {
        Err(error) if is_refusal(&error) => Ok(false),
        done => done.map(|()| true),
    }
}

/// Takes what others may do with `file` away; false where that is refused.
fn is_owners(file: &File) -> io::Result<bool> {
    let is_so = || -> io::Result<bool> { Ok(handle::mode_of(file)?.trailing_zeros() >= 6) };
    Ok(is_so()? || (has_mode(file, 0o600)? && is_so()?))
}

/// True where a file system, or a mount, does not do what it was asked for: it is not in trouble, and
/// has changed nothing.
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

/// Removes the file `name`, or empties it where it is a mount.
pub(super) fn remove(folder: &Handle, name: &OsStr) -> io::Result<()> {
    match folder.remove(name) {
        Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
            folder.open_to_change(name, false).map_err(|_| error)?.set_len(0)
        }
        removed => removed,
    }
}

/// Removes `from`, of which `to` is the copy: where that fails, there is one file as before.
pub(super) fn end_move(folder: &Handle, from: &OsStr, to: &OsStr) -> io::Result<()> {
    let removed = remove(folder, from);
    if removed.is_err() {
        let _ = folder.remove(to);
    }
    removed
}

/// An error where the file `name` in `folder`, and more that a sign-in takes, cannot be written.
pub(super) fn try_out(folder: &Handle, name: &OsStr) -> io::Result<()> {
    match Temporary::create(folder, Access::Owner) {
        Ok(temporary) => (&temporary.file).write_all(&vec![0; ROOM]),
        Err(error) => folder.open_to_change(name, false).map(drop).map_err(|_| error),
    }
}

/// Does what writing does, with files that are gone at the end: what is refused is conceded, the first
/// trouble an error.
pub(super) fn probe(folder: &Handle, path: &Path) -> io::Result<()> {
    let new =
        New { bytes: b"azt", access: Access::Owner, durability: Durability::Durable, gives: true };
    let (one, other) =
        (Temporary::create(folder, new.access)?, Temporary::create(folder, new.access)?);
    new.fill(folder, &one.file, &Found::Nothing, path)?;
    if LockGuard::try_hold(other.file)?.is_some_and(|held| held.excludes_nobody()) {
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
