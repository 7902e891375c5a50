//! INI files on the disk.

use std::path::Path;

use super::{Ini, IniError};
use crate::error::{Error, Result};
use crate::settings::ConfigDir;
use crate::sys::Folder;
use crate::sys::file::{Access, Durability};

impl Ini {
    /// Reads the file `name` in `folder`; a missing file counts as empty. A file that is not INI is
    /// an error that names the file, the line and the remedy.
    pub(in crate::settings) fn read(folder: &Folder, name: &str) -> Result<Self> {
        let text = folder.read_text(name)?.unwrap_or_default();
        Self::parse(text).map_err(|error| {
            Error::failed(format!("{} cannot be read: {error}.", folder.file(name).display()))
                .remedy("Correct the file. It was not changed.")
        })
    }

    /// Reads the file `name` in `folder`, applies `edit`, and writes the file if its text changed,
    /// all under the lock of `dir`. Creates folders as needed.
    pub(in crate::settings) fn update<T>(
        dir: &ConfigDir,
        (folder, name): (&Folder, &str),
        access: Access,
        edit: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let _held = dir.lock()?;
        let mut ini = Self::read(folder, name)?;
        let before = ini.text().to_owned();
        let answer = edit(&mut ini)?;
        let after = ini.text();
        if after != before {
            folder.ensure()?;
            folder.write(name, after.as_bytes(), access, Durability::Durable)?;
        }
        Ok(answer)
    }
}

impl IniError {
    /// Converts this into an error that names the file at `path`.
    pub(in crate::settings) fn in_file(self, path: &Path) -> Error {
        Error::failed(format!("{}: {self}.", path.display()))
    }
}
