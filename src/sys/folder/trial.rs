//! Tests whether a folder is writable before a command depends on it.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use super::super::file::cannot;
use super::super::owner;
use super::concession::{Concession, concede, concessions};
use super::{Folder, Links, Opened, refused_link, write};
use crate::error::Result;

impl Folder {
    /// Fails if nothing can be stored in the folder. Creates the folder if it is missing.
    pub(crate) fn check_writable(&self) -> Result<()> {
        let folder = self.created()?;
        write::check_writable(&folder, OsStr::new(""))
            .map_err(|error| cannot("write in", &self.path(), error))?;
        changeable(&self.path())
    }

    /// What a write does with this user's links. What a [`Folder::sub`] holds is azt's own: nobody
    /// stores it elsewhere, so a link there leads to a file that is not azt's.
    pub(super) fn links_written(&self) -> Links {
        if self.inner.as_os_str().is_empty() { Links::Follow } else { Links::Refuse }
    }

    /// Fails if the file `name`, or the target of the link `name`, cannot be written. Creates the
    /// folder if it is missing.
    pub(crate) fn check_file_writable(&self, name: &str) -> Result<()> {
        let folder = self.created()?;
        let path = self.file(name);
        let failed = |error| cannot("write", &path, error);
        let (folder, name) = match folder.place_of(OsStr::new(name), self.links_written()) {
            Ok(Opened::File(place)) => place,
            Ok(Opened::ForeignLink(owner)) => return Err(refused_link(&path, owner)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let remedy =
                    "It is a link into a missing folder: create the folder, or remove the link.";
                return Err(failed(error).remedy(remedy));
            }
            Err(error) => return Err(failed(error)),
        };
        // A new file beside a mount may be writable although the mounted file is not.
        if folder.is_mount(&name) {
            folder.open_to_change(&name, false).map_err(failed)?;
        }
        write::check_writable(&folder, &name).map_err(failed)?;
        changeable(&path)
    }

    /// Returns the concessions that a write here would make, each with its path: the folder, or one
    /// of `files` that is a mount. Tests with temporary files. Empty if the folder is missing.
    ///
    /// # Errors
    /// Nothing can be written in the folder.
    pub(crate) fn probe(&self, files: &[&str]) -> Result<Vec<(Concession, PathBuf)>> {
        let Some(folder) = self.open()? else { return Ok(Vec::new()) };
        let before = concessions();
        let probed = write::probe(&folder, &self.path());
        let mut found = concessions();
        for (concession, path) in before {
            concede(concession, &path);
        }
        probed.map_err(|error| cannot("write in", &self.path(), error))?;
        let mounts = files.iter().filter(|name| folder.is_mount(OsStr::new(name)));
        found.extend(mounts.map(|name| (Concession::Rename, self.file(name))));
        Ok(found)
    }
}

/// Fails if a file attribute (immutable, append-only) forbids every change at `path`.
fn changeable(path: &Path) -> Result<()> {
    match owner::locking_attribute(path) {
        Some(_) => Err(cannot("write", path, io::ErrorKind::PermissionDenied.into())),
        None => Ok(()),
    }
}
