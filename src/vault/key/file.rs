//! The vault key in a file that only its owner can read.

use std::fs::Metadata;
use std::io::Read;

use zeroize::Zeroizing;

use super::key_file::KeyFile;
use super::source::Source;
use super::{KeyId, VaultKey, vault_failure};
use crate::error::Result;
#[cfg(unix)]
use crate::shell;
use crate::sys::file::cannot;
use crate::sys::{Folder, Links};

const FILE: &str = "vault.key";
/// More bytes than the text of a key has.
const LIMIT: u64 = 256;

/// The key source `file`.
pub(super) struct File {
    pub(super) key_file: KeyFile,
}

impl File {
    pub(super) fn of(azt_dir: &Folder) -> Self {
        let id_in = |folder: &Folder, name: &str| Ok(read(folder, name)?.map(|key| key.id()));
        Self { key_file: KeyFile::new(azt_dir, FILE, id_in) }
    }
}

impl Source for File {
    fn fetch(&self, id: KeyId) -> Result<Option<VaultKey>> {
        self.key_file.find(id, read, VaultKey::id)
    }

    fn make(&self) -> Result<VaultKey> {
        self.key_file.check_is_free()?;
        self.make_next()
    }

    fn make_next(&self) -> Result<VaultKey> {
        let key = VaultKey::generate()?;
        let mut text = key.to_hex();
        text.push('\n');
        self.key_file.write_next(text.as_bytes())?;
        Ok(key)
    }

    fn key_file(&self) -> Option<&KeyFile> {
        Some(&self.key_file)
    }

    fn remove(&self, _id: KeyId) -> Result<()> {
        self.key_file.remove()
    }

    fn place(&self) -> String {
        self.key_file.place()
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
