//! The vault key in a file that only its owner can read.

use std::fs::Metadata;
use std::io::Read;

use zeroize::Zeroizing;

use super::source::Source;
use super::{KeyId, VaultKey, vault_failure};
use crate::error::Result;
#[cfg(unix)]
use crate::shell;
use crate::sys::file::{Access, Durability, cannot};
use crate::sys::{Folder, Links};

/// The key.
const FILE: &str = "vault.key";
/// A new key, until `vault.json` names it.
const NEXT_FILE: &str = "vault.key.next";
/// More bytes than the text of a key has.
const LIMIT: u64 = 256;

/// The key source `file`.
pub(super) struct File {
    pub(super) azt_dir: Folder,
}

impl Source for File {
    fn fetch(&self, id: KeyId) -> Result<Option<VaultKey>> {
        let key = read(&self.azt_dir, FILE)?;
        if key.as_ref().is_some_and(|key| key.id() == id) {
            return Ok(key);
        }
        // A change of the key is running or was interrupted.
        match read(&self.azt_dir, NEXT_FILE)? {
            Some(next) if next.id() == id => Ok(Some(next)),
            // The change may have ended between the two reads.
            _ => read(&self.azt_dir, FILE),
        }
    }

    fn make(&self) -> Result<VaultKey> {
        self.refuse_key_file()?;
        self.make_next()
    }

    fn make_next(&self) -> Result<VaultKey> {
        write(&self.azt_dir, NEXT_FILE, VaultKey::generate()?)
    }

    fn keeps_one_key(&self) -> bool {
        true
    }

    fn settle(&self) -> Result<()> {
        let settled = self.azt_dir.rename(NEXT_FILE, FILE);
        settled.map_err(|error| cannot("replace", &self.azt_dir.file(FILE), error))
    }

    fn clear_next(&self, current: KeyId) -> Result<()> {
        match read(&self.azt_dir, NEXT_FILE)? {
            Some(next) if next.id() == current => self.settle(),
            Some(_) => self.azt_dir.remove(NEXT_FILE).map(drop),
            None => Ok(()),
        }
    }

    fn remove(&self, _id: KeyId) -> Result<()> {
        self.remove_all()
    }

    fn place(&self) -> String {
        self.azt_dir.file(FILE).display().to_string()
    }
}

impl File {
    /// Removes the key and the new key of an interrupted change.
    pub(super) fn remove_all(&self) -> Result<()> {
        self.azt_dir.remove(NEXT_FILE)?;
        self.azt_dir.remove(FILE).map(drop)
    }

    /// Refuses a key file that azt did not create: another user may know that key.
    fn refuse_key_file(&self) -> Result<()> {
        let path = self.azt_dir.file(FILE);
        if !self.azt_dir.has(FILE) {
            return Ok(());
        }
        Err(vault_failure(format!(
            "{} already exists, but is the key of no vault here.",
            path.display()
        ))
        .remedy(
            "Its creator knows the key, so azt does not use it. Move the file away and try again.",
        ))
    }
}

/// The key in the file `name` of `folder`; `None` if there is no such file.
///
/// Refuses a symlink and a file that other users can read or own: they may know or set the key.
fn read(folder: &Folder, name: &str) -> Result<Option<VaultKey>> {
    let Some((file, found)) = folder.opened(name, Links::Refuse)? else {
        return Ok(None);
    };
    let path = folder.file(name);
    let unreadable = |error| cannot("read the vault key", &path, error);
    private(folder, name, &found)?;
    let mut text = Zeroizing::new(String::new());
    file.take(LIMIT).read_to_string(&mut text).map_err(unreadable)?;
    VaultKey::parse(&text).map(Some).ok_or_else(|| {
        vault_failure(format!("{} contains no vault key.", path.display()))
            .remedy("Restore it: 64 hex digits, or base64 of 32 bytes.")
    })
}

/// Writes `key` durably to the file `name` and returns it.
fn write(folder: &Folder, name: &str, key: VaultKey) -> Result<VaultKey> {
    let mut text = key.to_hex();
    text.push('\n');
    folder.write(name, text.as_bytes(), Access::Owner, Durability::Durable)?;
    Ok(key)
}

#[cfg(unix)]
fn private(folder: &Folder, name: &str, found: &Metadata) -> Result<()> {
    use std::io::ErrorKind::{IsADirectory, NotSeekable};
    use std::os::unix::fs::MetadataExt;
    let path = folder.file(name);
    let shown = path.display().to_string();
    if !found.is_file() {
        let kind = if found.is_dir() { IsADirectory } else { NotSeekable };
        let error = std::io::Error::new(kind, "it is not a regular file");
        return Err(cannot("read", &path, error));
    }
    if found.mode() & 0o077 != 0 && !folder.is_trusted() {
        let mode = found.mode() & 0o777;
        let error = vault_failure(format!("{shown} can be used by others (mode {mode:04o})."));
        let error = match path.to_str().and_then(shell::shown) {
            Some(path) => {
                let command = format!("chmod 600 {path}");
                error.remedy(format!("Run: {command}")).command(command)
            }
            None => error.remedy("Remove the permissions of other users (chmod 600)."),
        };
        return Err(error
            .remedy("If another user may have read it, change the key afterwards: azt cache rekey")
            .remedy("On a file system without permissions, keep the key in AZT_VAULT_KEY (core.key_source=env)."));
    }
    Ok(())
}

/// On Windows, the permissions of the profile folder protect the file.
#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "the function for Unix can fail")]
fn private(_folder: &Folder, _name: &str, _found: &Metadata) -> Result<()> {
    Ok(())
}
