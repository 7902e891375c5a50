//! Reading and changing az's two files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::settings::{ConfigDir, python_json_indented};
use crate::sys::file::{self, Access};
use crate::sys::{MsalLock, pause, protect, unprotect};

/// MSAL's unified cache.
pub(super) const TOKEN_CACHE: &str = "msal_token_cache";
/// The credentials of applications.
pub(super) const SERVICE_PRINCIPALS: &str = "service_principal_entries";

/// az writes in place, so that a reader may see a part: it tries again (az reads three times).
const ATTEMPTS: u32 = 3;
const BETWEEN: Duration = Duration::from_millis(100);

/// A file of az's, and how it is kept.
struct AzFile {
    path: PathBuf,
    /// True for `.bin`, encrypted by Windows (`core.encrypt_token_cache`, which is on there).
    is_encrypted: bool,
}

impl AzFile {
    /// Where az 2.91 keeps `name`: plain text on Linux and macOS. What it writes there when it is
    /// told to encrypt is of no use to anybody: both files go to one place and overwrite each other.
    fn of(dir: &ConfigDir, name: &str) -> Self {
        let (plain, encrypted) =
            (dir.file(&format!("{name}.json")), dir.file(&format!("{name}.bin")));
        let is_encrypted = cfg!(windows) && (encrypted.exists() || !plain.exists());
        Self { path: if is_encrypted { encrypted } else { plain }, is_encrypted }
    }

    /// Its text; `None` when there is no such file or it cannot be read.
    fn text(&self) -> Option<Zeroizing<String>> {
        let bytes = Zeroizing::new(file::read(&self.path).ok()??);
        let bytes = if self.is_encrypted { unprotect(&bytes).ok()? } else { bytes };
        std::str::from_utf8(&bytes).ok().map(|text| Zeroizing::new(text.to_owned()))
    }

    fn write(&self, text: &[u8]) -> Result<()> {
        if !self.is_encrypted {
            return file::write_atomic(&self.path, text, Access::Owner, true);
        }
        let sealed = protect(text).map_err(|error| file::cannot("encrypt", &self.path, error))?;
        file::write_atomic(&self.path, &sealed, Access::Owner, true)
    }

    /// The JSON in it; `None` when there is no such file, or an empty one, or none that can be
    /// read: az's trouble is not ours.
    fn read(&self) -> Option<Value> {
        for attempt in 0..ATTEMPTS {
            let text = self.text()?;
            if text.trim().is_empty() {
                return None;
            }
            if let Ok(value) = serde_json::from_str(&text) {
                return Some(value);
            }
            if attempt + 1 < ATTEMPTS {
                pause(BETWEEN);
            }
        }
        None
    }
}

/// True when there is such a file.
pub(super) fn exists(dir: &ConfigDir, name: &str) -> bool {
    AzFile::of(dir, name).path.exists()
}

/// az's files that hold secrets in plain text.
pub fn plain_text_of_az(dir: &ConfigDir) -> Vec<PathBuf> {
    let files = [TOKEN_CACHE, SERVICE_PRINCIPALS].map(|name| AzFile::of(dir, name));
    let plain = files.into_iter().filter(|file| !file.is_encrypted);
    plain.map(|file| file.path).filter(|path| path.exists()).collect()
}

/// The JSON in `name`; `None` when there is none that can be read.
pub(super) fn read(dir: &ConfigDir, name: &str) -> Option<Value> {
    AzFile::of(dir, name).read()
}

/// Changes `name` under az's lock; `change` gets what is in it, or `empty` and true if that is
/// nothing that can be read (az wipes its cache when many write at once). Writes nothing if nothing
/// changed.
pub(super) fn update(
    dir: &ConfigDir,
    name: &str,
    empty: Value,
    change: impl FnOnce(&mut Value, bool),
) -> Result<()> {
    let file = AzFile::of(dir, name);
    let _held = locked(&file.path)?;
    let before = file.read().filter(|value| value.is_object() == empty.is_object());
    let mut value = before.clone().unwrap_or(empty);
    change(&mut value, before.is_none());
    if before.as_ref() == Some(&value) {
        return Ok(());
    }
    let text = python_json_indented(&value)
        .map_err(|_| Error::failed(format!("{} cannot be written.", file.path.display())))?;
    file.write(&Zeroizing::new(text))
}

/// The lock that MSAL's and az's libraries change the file at `path` under.
pub(super) fn locked(path: &Path) -> Result<MsalLock> {
    let mut lock = path.to_owned().into_os_string();
    lock.push(".lockfile");
    let lock = PathBuf::from(lock);
    MsalLock::acquire(&lock).map_err(|error| {
        Error::failed(format!("Cannot lock {}: {error}.", lock.display())).source(error)
    })
}

/// A member of an entry, as text.
pub(super) fn text<'v>(entry: &'v Value, name: &str) -> &'v str {
    entry.get(name).and_then(Value::as_str).unwrap_or_default()
}
