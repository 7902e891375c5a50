//! INI files on the disk.

use std::path::Path;

use super::{Ini, IniError};
use crate::error::{Error, Result};
use crate::settings::ConfigDir;
use crate::sys::file::{self, Access};
use crate::sys::folder;

impl Ini {
    /// Reads `path`; a missing file is an empty one. A file that is not INI is an error that names
    /// it, the line and the remedy.
    pub(in crate::settings) fn read(path: &Path) -> Result<Self> {
        let text = file::read_text(path)?.unwrap_or_default();
        Self::parse(text).map_err(|error| {
            Error::failed(format!("{} cannot be read: {error}.", path.display()))
                .remedy("Correct the file, or move it away to start afresh. It was not changed.")
        })
    }

    /// Reads `path`, lets `edit` change it, and replaces it if that changed anything; all under
    /// the lock of `dir`. Folders are made as needed.
    pub(in crate::settings) fn update<T>(
        dir: &ConfigDir,
        path: &Path,
        access: Access,
        edit: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let _held = dir.lock()?;
        let mut ini = Self::read(path)?;
        let before = ini.text().to_owned();
        let answer = edit(&mut ini)?;
        let after = ini.text();
        if after != before {
            if let Some(folder) = path.parent() {
                folder::create_private_dir(folder)?;
            }
            file::write_atomic(path, after.as_bytes(), access, true)?;
        }
        Ok(answer)
    }
}

impl IniError {
    /// This error about the file at `path`.
    pub(in crate::settings) fn in_file(self, path: &Path) -> Error {
        Error::failed(format!("{}: {self}.", path.display()))
    }
}
