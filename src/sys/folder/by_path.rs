//! Folders by path, for systems without folder descriptors (Windows, unverified). Owners and links
//! are not checked: a profile folder belongs to its user, and creating links needs a privilege.
#![allow(clippy::unnecessary_wraps, reason = "the functions for descriptors can fail")]

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::{Flaw, Found, Links, Opened, Stamp};

/// A folder.
pub(in crate::sys) struct Handle(PathBuf);

impl Handle {
    pub(super) fn open(path: &Path) -> io::Result<Opened<Self>> {
        if !fs::metadata(path)?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Opened::File(Self(path.to_owned())))
    }

    pub(super) fn open_folder(&self, inner: &Path, _is_trusted: bool) -> io::Result<Opened<Self>> {
        Self::open(&self.0.join(inner))
    }

    pub(super) fn containing(path: &Path) -> io::Result<Opened<(Self, OsString)>> {
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let name = target.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
        let folder = target.parent().filter(|it| !it.as_os_str().is_empty());
        Ok(Opened::File((Self(folder.unwrap_or(Path::new(".")).to_owned()), name)))
    }

    pub(super) fn place_of(
        self,
        name: &OsStr,
        links: Links,
    ) -> io::Result<Opened<(Self, OsString)>> {
        let path = self.0.join(name);
        if links == Links::Refuse && path.is_symlink() {
            return Err(io::Error::other("it is a symbolic link"));
        }
        Self::containing(&path)
    }

    pub(super) fn open_file(&self, inner: &Path, _links: Links) -> io::Result<Opened<File>> {
        File::open(self.0.join(inner)).map(Opened::File)
    }

    pub(super) fn make(path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    pub(super) fn make_folder(&self, inner: &Path, is_trusted: bool) -> io::Result<Opened<Self>> {
        fs::create_dir_all(self.0.join(inner))?;
        self.open_folder(inner, is_trusted)
    }

    pub(in crate::sys) fn create_new(&self, name: &OsStr, _mode: u32) -> io::Result<File> {
        OpenOptions::new().write(true).create_new(true).open(self.0.join(name))
    }

    pub(in crate::sys) fn open_or_create(&self, name: &OsStr) -> io::Result<File> {
        OpenOptions::new().write(true).create(true).truncate(false).open(self.0.join(name))
    }

    pub(super) fn open_to_change(&self, name: &OsStr, _is_mine_only: bool) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open(self.0.join(name))
    }

    pub(super) fn is_mount(&self, _name: &OsStr) -> bool {
        false
    }

    pub(super) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        fs::rename(self.0.join(from), self.0.join(to))
    }

    pub(super) fn link(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        fs::hard_link(self.0.join(from), self.0.join(to))
    }

    pub(in crate::sys) fn remove(&self, name: &OsStr) -> io::Result<()> {
        fs::remove_file(self.0.join(name))
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn names(&self) -> io::Result<Vec<OsString>> {
        fs::read_dir(&self.0)?.map(|entry| entry.map(|it| it.file_name())).collect()
    }

    pub(super) fn stamp(&self, inner: &Path) -> Option<Stamp> {
        let found = fs::metadata(self.0.join(inner)).ok()?;
        let since = found.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        let modified = (i64::try_from(since.as_secs()).ok()?, since.subsec_nanos());
        Some(Stamp { size: found.len(), modified, other: (0, 0, 0) })
    }

    pub(super) fn look_at(&self, name: &OsStr) -> io::Result<Found> {
        match fs::symlink_metadata(self.0.join(name)) {
            Ok(found) if found.is_file() => Ok(Found::File(0)),
            Ok(_) => Ok(Found::Special),
            Err(error) if super::is_missing(&error) => Ok(Found::Nothing),
            Err(error) => Err(error),
        }
    }

    pub(super) fn give_to_owner(&self, _made: &File) {}

    pub(super) fn gives_to_owner(&self) -> bool {
        false
    }

    pub(super) fn is_own(&self) -> bool {
        true
    }

    pub(super) fn is_private(&self) -> bool {
        true
    }

    pub(super) fn flaw(&self) -> Option<Flaw> {
        None
    }

    pub(super) fn flaw_of_folder(&self, _inner: &Path) -> Option<Flaw> {
        None
    }

    pub(super) fn flaw_of_file(&self, _found: &Metadata) -> Option<Flaw> {
        None
    }
}

/// Always 0 (private): Windows restricts a profile folder to its user.
pub(super) fn mode_of(_file: &File) -> io::Result<u32> {
    Ok(0)
}

pub(super) fn reserve(_file: &File, _length: usize) -> io::Result<()> {
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "the file's time, not that of a message")]
pub(super) fn set_time(file: &File) -> io::Result<()> {
    file.set_modified(std::time::SystemTime::now())
}

pub(super) fn set_mode(_file: &File, _mode: u32) -> io::Result<()> {
    Ok(())
}

/// Always `None`: the write itself finds out.
pub(crate) fn writing_flaw(_folder: &Path) -> Option<String> {
    None
}
