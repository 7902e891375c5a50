//! What can be written in a folder, tried before it matters.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use super::super::file::cannot;
use super::super::owner;
use super::concession::{Concession, concede, concessions};
use super::{Folder, Opened, laid, write};
use crate::error::Result;

impl Folder {
    /// An error where nothing could be kept in it. It is made where it is missing.
    pub(crate) fn try_out(&self) -> Result<()> {
        let folder = self.made()?;
        write::try_out(&folder, OsStr::new(""))
            .map_err(|error| cannot("write in", &self.path(), error))?;
        changeable(&self.path())
    }

    /// An error where the file `name`, or what it leads to, could not be written in it.
    pub(crate) fn try_out_file(&self, name: &str) -> Result<()> {
        let folder = self.made()?;
        let path = self.file(name);
        let failed = |error| cannot("write", &path, error);
        let (folder, name) = match folder.place_of(OsStr::new(name)) {
            Ok(Opened::File(place)) => place,
            Ok(Opened::LaidLink(owner)) => return Err(laid(&path, owner)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let remedy = "It is a link into a folder that is missing: make that, or remove it.";
                return Err(failed(error).remedy(remedy));
            }
            Err(error) => return Err(failed(error)),
        };
        // Beside a mount there may be room for what it does not take.
        if folder.is_mount(&name) {
            folder.open_to_change(&name, false).map_err(failed)?;
        }
        write::try_out(&folder, &name).map_err(failed)?;
        changeable(&path)
    }

    /// What writing in it would have to do without, each with the path: its own, or that of one of the
    /// `files` in it which is a mount. Tried with files that are gone afterwards; where it is missing,
    /// there is nothing to say.
    ///
    /// # Errors
    /// Nothing can be written in it.
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

/// An error where nobody may change what is at `path`.
fn changeable(path: &Path) -> Result<()> {
    match owner::kept_from_all(path) {
        Some(_) => Err(cannot("write", path, io::ErrorKind::PermissionDenied.into())),
        None => Ok(()),
    }
}
