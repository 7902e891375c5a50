//! The vault key in a file that only its owner may read.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

use super::{VaultKey, trouble};
use crate::error::{Error, Kind, Result};
use crate::sys;
use crate::sys::file::Access;

/// More bytes than a key's text has.
const LIMIT: u64 = 256;

/// The key; `None` when there is no such file.
///
/// A file that others may read, that belongs to another user or that is a symbolic link is refused:
/// someone else may know or set what it holds.
pub(super) fn fetch(path: &Path) -> Result<Option<VaultKey>> {
    let file = match open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(path, error)),
    };
    private(path, &file)?;
    let mut text = Zeroizing::new(String::new());
    file.take(LIMIT).read_to_string(&mut text).map_err(|error| unreadable(path, error))?;
    VaultKey::parse(&text).map(Some).ok_or_else(|| {
        trouble(format!("{} holds no vault key.", path.display()))
            .remedy("Restore it: 64 hex digits, or base64 of 32 bytes.")
    })
}

/// Writes `key` to `path`, waits until it is on the disk, and hands it back.
pub(super) fn keep(path: &Path, key: VaultKey) -> Result<VaultKey> {
    let mut text = key.to_hex();
    text.push('\n');
    sys::file::write_atomic(path, text.as_bytes(), Access::Owner, true)
        .map_err(|error| error.of_kind(Kind::Vault))?;
    Ok(key)
}

fn unreadable(path: &Path, error: io::Error) -> Error {
    sys::file::cannot("read the vault key", path, error).of_kind(Kind::Vault)
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let opened = std::fs::OpenOptions::new()
        .read(true)
        // Not through a link, and without waiting for the other end of a FIFO.
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path);
    opened.map_err(|error| match error.raw_os_error() {
        Some(libc::ELOOP) => io::Error::other("it is a symbolic link"),
        _ => error,
    })
}

#[cfg(unix)]
fn private(path: &Path, file: &File) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let found = file.metadata().map_err(|error| unreadable(path, error))?;
    let shown = path.display();
    if !found.is_file() {
        return Err(trouble(format!("{shown} is not a regular file.")));
    }
    // What root made in somebody's folder is theirs, see `sys::file::Access`.
    let folder = path.parent().and_then(|folder| std::fs::metadata(folder).ok());
    let is_the_folders = folder.is_some_and(|folder| folder.uid() == found.uid());
    if sys::owner::is_anothers(&found) && !(sys::owner::is_root() && is_the_folders) {
        return Err(trouble(format!("{shown} belongs to another user."))
            .remedy("Run as that user, or set AZURE_CONFIG_DIR to a folder of your own."));
    }
    if found.mode() & 0o077 != 0 {
        let mode = found.mode() & 0o777;
        let command =
            format!("chmod 600 {}", shlex::try_quote(&shown.to_string()).unwrap_or_default());
        return Err(trouble(format!("{shown} can be used by others (mode {mode:04o})."))
            .remedy(format!("Run: {command}"))
            .remedy("If somebody may have read it, change it afterwards: azt cache rekey")
            .command(command));
    }
    Ok(())
}

/// On Windows the file is as private as the profile folder that it is in.
#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

#[cfg(not(unix))]
fn private(_path: &Path, _file: &File) -> Result<()> {
    Ok(())
}
