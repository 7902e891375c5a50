//! A folder whose files are in memory: the settings that another azt serves.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use super::Folder;
use crate::error::{Error, Kind};

/// The files by name.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

impl Folder {
    /// A folder with these files, which cannot be changed.
    pub(crate) fn in_memory(files: BTreeMap<String, Vec<u8>>) -> Self {
        Self::new(PathBuf::new(), false, Some(files))
    }

    /// The file `name`, if this is a folder in memory.
    pub(super) fn file_in_memory(&self, name: &str) -> Option<&Vec<u8>> {
        self.root.files.as_ref().filter(|_| self.inner.as_os_str().is_empty())?.get(name)
    }

    /// Why nothing can be stored in a folder without a path.
    pub(super) fn keeps_nothing(&self) -> Error {
        let error = if self.root.files.is_some() {
            Error::new(
                Kind::Inapplicable,
                "This azt stores nothing: AZT_BROKER names the azt that it gets tokens from.",
            )
            .remedy("Run the command where 'azt serve' runs, or unset AZT_BROKER.")
        } else {
            Error::failed("There is no home folder to store anything in.")
                .remedy("Set AZURE_CONFIG_DIR to a folder that you can write to.")
        };
        error.source(io::Error::from(io::ErrorKind::NotFound))
    }
}
