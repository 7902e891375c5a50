//! The vault key in a file that only its owner may read.

use std::fs::Metadata;
use std::io::Read;

use zeroize::Zeroizing;

use super::{VaultKey, trouble};
use crate::error::Result;
#[cfg(unix)]
use crate::shell;
use crate::sys::Folder;
use crate::sys::file::{Access, cannot};

/// More bytes than a key's text has.
const LIMIT: u64 = 256;

/// The key in the file `name` of `folder`; `None` when there is no such file.
///
/// A file that others may read, that belongs to another user or that is a symbolic link is refused:
/// someone else may know or set what it holds.
pub(super) fn fetch(folder: &Folder, name: &str) -> Result<Option<VaultKey>> {
    let Some((file, found)) = folder.opened(name, false)? else {
        return Ok(None);
    };
    let path = folder.file(name);
    let unreadable = |error| cannot("read the vault key", &path, error);
    private(folder, name, &found)?;
    let mut text = Zeroizing::new(String::new());
    file.take(LIMIT).read_to_string(&mut text).map_err(unreadable)?;
    VaultKey::parse(&text).map(Some).ok_or_else(|| {
        trouble(format!("{} holds no vault key.", path.display()))
            .remedy("Restore it: 64 hex digits, or base64 of 32 bytes.")
    })
}

/// Writes `key` to the file `name`, waits until it is on the disk, and hands it back.
pub(super) fn keep(folder: &Folder, name: &str, key: VaultKey) -> Result<VaultKey> {
    let mut text = key.to_hex();
    text.push('\n');
    folder.write(name, text.as_bytes(), Access::Owner, true)?;
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
        let error = std::io::Error::new(kind, "it is no regular file");
        return Err(cannot("read", &path, error));
    }
    if found.mode() & 0o077 != 0 && !folder.is_trusted() {
        let mode = found.mode() & 0o777;
        let error = trouble(format!("{shown} can be used by others (mode {mode:04o})."));
        let error = match path.to_str().and_then(shell::shown) {
            Some(path) => {
                let command = format!("chmod 600 {path}");
                error.remedy(format!("Run: {command}")).command(command)
            }
            None => error.remedy("Take the others' rights to it away (chmod 600)."),
        };
        return Err(error
            .remedy("If somebody may have read it, change it afterwards: azt cache rekey")
            .remedy("A file system that keeps no modes: have the key in AZT_VAULT_KEY (core.key_source=env)."));
    }
    Ok(())
}

/// On Windows the file is as private as the profile folder that it is in.
#[cfg(not(unix))]
fn private(_folder: &Folder, _name: &str, _found: &Metadata) -> Result<()> {
    Ok(())
}
