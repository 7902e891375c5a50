//! A file with tokens that belongs to another program.

use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::error::Result;
use crate::sys::file::{self, Access, Durability};
use crate::sys::{Folder, MsalLock, protect, unprotect};

/// How long others' locks are waited for, as their libraries do, where nobody waits for a token.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Where it is and how it is kept.
pub(super) struct ForeignFile {
    pub(super) folder: Folder,
    pub(super) name: String,
    /// True when Windows encrypts what is in it (DPAPI), as MSAL's libraries have it there.
    pub(super) is_encrypted: bool,
}

impl ForeignFile {
    /// What is in it, decrypted; `None` when there is no such file or an empty one.
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

    /// Puts `text` in the place of what is in it, encrypted if it was to be.
    pub(super) fn write(&self, text: &[u8]) -> Result<()> {
        if !self.is_encrypted {
            return self.folder.write(&self.name, text, Access::Owner, Durability::Durable);
        }
        let sealed = protect(text).map_err(|error| file::cannot("encrypt", &self.path(), error))?;
        self.folder.write(&self.name, &sealed, Access::Owner, Durability::Durable)
    }

    /// The lock that MSAL's and az's libraries change it under, waited for in two steps of `limit`.
    pub(super) fn lock(&self, limit: Duration) -> Result<MsalLock> {
        MsalLock::acquire(&self.folder, &format!("{}.lockfile", self.name), limit)
    }

    /// Its path, for messages.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.file(&self.name)
    }

    /// Its size in bytes; `None` where there is no such file.
    pub(super) fn size(&self) -> Option<u64> {
        self.folder.stamp(&self.name).map(|stamp| stamp.size)
    }
}
