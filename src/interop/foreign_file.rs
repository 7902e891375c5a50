//! A file with tokens that belongs to another program.

use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::error::Result;
use crate::sys::file::{self, Access};
use crate::sys::{MsalLock, protect, unprotect};

/// How long others' locks are waited for, as their libraries do, where nobody waits for a token.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Where it is and how it is kept.
pub(super) struct ForeignFile {
    pub(super) path: PathBuf,
    /// True when Windows encrypts what is in it (DPAPI), as MSAL's libraries have it there.
    pub(super) is_encrypted: bool,
}

impl ForeignFile {
    /// What is in it, decrypted; `None` when there is no such file or an empty one.
    pub(super) fn read(&self) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let bytes = file::read(&self.path)
            .map_err(|error| file::cannot("read", &self.path, error))?
            .map(Zeroizing::new)
            .filter(|bytes| !bytes.is_empty());
        match bytes {
            Some(bytes) if self.is_encrypted => {
                let opened = unprotect(&bytes);
                opened.map(Some).map_err(|error| file::cannot("decrypt", &self.path, error))
            }
            other => Ok(other),
        }
    }

    /// Puts `text` in the place of what is in it, encrypted if it was to be.
    pub(super) fn write(&self, text: &[u8]) -> Result<()> {
        if !self.is_encrypted {
            return file::write_atomic(&self.path, text, Access::Owner, true);
        }
        let sealed = protect(text).map_err(|error| file::cannot("encrypt", &self.path, error))?;
        file::write_atomic(&self.path, &sealed, Access::Owner, true)
    }

    /// The lock that MSAL's and az's libraries change it under, waited for in two steps of `limit`.
    pub(super) fn lock(&self, limit: Duration) -> Result<MsalLock> {
        let mut lock = self.path.clone().into_os_string();
        lock.push(".lockfile");
        let lock = Path::new(&lock);
        MsalLock::acquire(lock, limit).map_err(|error| file::cannot("lock", lock, error))
    }
}
