//! What can be written in a folder, tried before it matters.

use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;

use super::super::file::cannot;
use super::super::owner;
use super::concession::{Concession, concede, concessions};
use super::{Folder, write};
use crate::error::Result;

impl Folder {
    /// An error where a sign-in could not be kept in it, of which the file `name` is a part. It is made
    /// where it is missing.
    pub fn try_out(&self, name: &str) -> Result<()> {
        let folder = self.made()?;
        write::try_out(&folder, OsStr::new(name))
            .map_err(|error| cannot("write in", &self.path(), error))?;
        let path = self.file(name);
        if owner::kept_from_all(&path).is_some() {
            return Err(cannot("write", &path, io::ErrorKind::PermissionDenied.into()));
        }
        Ok(())
    }

    /// What writing in it would have to do without, each with the path: its own, or that of one of the
    /// `files` in it which is a mount. Tried with files that are gone afterwards; where it is missing,
    /// there is nothing to say.
    ///
    /// # Errors
    /// Nothing can be written in it.
    pub fn probe(&self, files: &[&str]) -> Result<Vec<(Concession, PathBuf)>> {
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
