//! The vault key in the Linux kernel's user keyring: either as the key's source, or as a temporary
//! copy of the Secret Service's key, so that a warm call needs neither D-Bus nor environment
//! variables.

use std::io;

use super::source::Source;
use super::{KeyId, VaultKey, vault_failure};
use crate::error::{Error, Result};
use crate::sys::keyutils;

/// The notice for a new key in this source.
pub(crate) const KERNEL_FORGETS: &str = "The vault key is kept in the kernel's keyring, which is emptied when this machine restarts: all sign-ins end then.";

/// The key source `kernel`.
pub(super) struct Kernel;

impl Source for Kernel {
    fn fetch(&self, id: KeyId) -> Result<Option<VaultKey>> {
        let found = keyutils::find(&name(id)).map_err(unusable)?;
        Ok(found.and_then(|bytes| VaultKey::from_bytes(&bytes)))
    }

    fn make(&self) -> Result<VaultKey> {
        let key = VaultKey::generate()?;
        keyutils::keep(&name(key.id()), key.expose(), None).map_err(unusable)?;
        Ok(key)
    }

    fn remove(&self, id: KeyId) -> Result<()> {
        keyutils::remove(&name(id)).map(drop).map_err(unusable)
    }

    fn place(&self) -> String {
        "the kernel's keyring".to_owned()
    }

    fn lost(&self, id: KeyId) -> Error {
        vault_failure(format!(
            "The vault key {id} is no longer in {}, which is emptied when the machine restarts.",
            self.place()
        ))
        .remedy("The stored data cannot be opened without it.")
    }

    fn notice(&self) -> Option<&'static str> {
        Some(KERNEL_FORGETS)
    }
}

/// The copy of the key `id`. `None` also if the kernel does not answer.
pub(super) fn cached(id: KeyId) -> Option<VaultKey> {
    let bytes = keyutils::find(&copy(id)).ok()??;
    VaultKey::from_bytes(&bytes).filter(|key| key.id() == id)
}

/// Keeps a copy of `key` for `seconds`, if the kernel allows it.
pub(super) fn cache(key: &VaultKey, seconds: u32) {
    // Best effort: without the copy, the next call asks the Secret Service again, which is slower.
    let _ = keyutils::keep(&copy(key.id()), key.expose(), Some(seconds));
}

/// Removes the copy of the key `id`.
pub(super) fn forget_cached(id: KeyId) {
    let _ = keyutils::remove(&copy(id));
}

fn name(id: KeyId) -> String {
    format!("azt:vault-key:{id}")
}

fn copy(id: KeyId) -> String {
    format!("azt:vault-key-copy:{id}")
}

fn unusable(error: io::Error) -> Error {
    let message = why(&error);
    vault_failure(message).source(error).remedy("Choose another key source: env, file or keyring.")
}

#[cfg(target_os = "linux")]
fn why(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::ENOSYS) => "This kernel was built without keyrings.".to_owned(),
        Some(libc::EPERM) => {
            "The kernel's keyring is not available here: the sandbox or container forbids it."
                .to_owned()
        }
        Some(libc::EDQUOT) => "The kernel's keyring is full.".to_owned(),
        _ => format!("The kernel's keyring cannot be used: {error}."),
    }
}

#[cfg(not(target_os = "linux"))]
fn why(_error: &io::Error) -> String {
    "The kernel's keyring is not available here: only Linux has one.".to_owned()
}
