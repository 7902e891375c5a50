//! A token file of another program.

use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::error::Result;
use crate::sys::file::{self, Access, Durability};
use crate::sys::{Folder, MsalLock, protect, unprotect};

/// How long to wait for a lock of another program when no caller waits for a token. The other
/// programs' libraries wait as long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// The place and the encoding of the file.
pub(super) struct ForeignFile {
    pub(super) folder: Folder,
    pub(super) name: String,
    /// True when the content is encrypted with Windows DPAPI, as MSAL libraries do.
    pub(super) is_encrypted: bool,
}

impl ForeignFile {
    /// The decrypted content; `None` when the file is missing or empty.
    pub(super) fn read(&self) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let bytes = self.folder.read(&self.name)?;
        let bytes = bytes.map(Zeroizing::new).filter(|bytes| !bytes.is_empty());
        match bytes {
            Some(bytes) if self.is_encrypted => {
                let opened = unprotect(&bytes);
                opened.map(Some).map_err(|error| file::cannot("decrypt", &self.path(), error))
            }
            other => Ok(other),
        }
    }

    /// Replaces the content with `text`, encrypted if the file is.
    pub(super) fn write(&self, text: &[u8]) -> Result<()> {
        if !self.is_encrypted {
            return self.folder.write(&self.name, text, Access::Owner, Durability::Durable);
        }
        let sealed = protect(text).map_err(|error| file::cannot("encrypt", &self.path(), error))?;
        self.folder.write(&self.name, &sealed, Access::Owner, Durability::Durable)
    }

    /// Takes the lock that MSAL libraries and az use for changes, waiting in two steps of `limit`.
    pub(super) fn lock(&self, limit: Duration) -> Result<MsalLock> {
        MsalLock::acquire(&self.folder, &format!("{}.lockfile", self.name), limit)
    }

    /// The path, for messages.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.file(&self.name)
    }

    /// The size in bytes; `None` when the file does not exist.
    pub(super) fn size(&self) -> Option<u64> {
        self.folder.stamp(&self.name).map(|stamp| stamp.size)
    }
}
