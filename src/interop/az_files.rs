//! Reading and changing az's two files.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use zeroize::Zeroizing;

use super::foreign_file::ForeignFile;
use crate::error::{Error, Result};
use crate::settings::{ConfigDir, python_json_indented};
use crate::sys::pause;

/// MSAL's unified cache.
pub(super) const TOKEN_CACHE: &str = "msal_token_cache";
/// The credentials of applications.
pub(super) const SERVICE_PRINCIPALS: &str = "service_principal_entries";

/// az writes in place, so that a reader may see a part: it tries again (az reads three times).
const ATTEMPTS: u32 = 3;
const BETWEEN: Duration = Duration::from_millis(100);

/// Where az 2.91 keeps `name`: plain text on Linux and macOS, on Windows encrypted
/// (`core.encrypt_token_cache`, which is on there). What it writes elsewhere when it is told to
/// encrypt is of no use to anybody: both files go to one place and overwrite each other.
fn az_file(dir: &ConfigDir, name: &str) -> ForeignFile {
    let (plain, encrypted) = (dir.file(&format!("{name}.json")), dir.file(&format!("{name}.bin")));
    let is_encrypted = cfg!(windows) && (encrypted.exists() || !plain.exists());
    ForeignFile { path: if is_encrypted { encrypted } else { plain }, is_encrypted }
}

/// The JSON in `file`; `None` when there is no such file, or an empty one, or none that can be
/// read: az's trouble is not ours.
fn json_in(file: &ForeignFile) -> Option<Value> {
    for attempt in 0..ATTEMPTS {
        let text = file.read().ok()??;
        if text.trim_ascii().is_empty() {
            return None;
        }
        if let Ok(value) = serde_json::from_slice(&text) {
            return Some(value);
        }
        if attempt + 1 < ATTEMPTS {
            pause(BETWEEN);
        }
    }
    None
}

/// True when there is such a file.
pub(super) fn exists(dir: &ConfigDir, name: &str) -> bool {
    az_file(dir, name).path.exists()
}

/// az's files that hold secrets in plain text.
pub fn plain_text_of_az(dir: &ConfigDir) -> Vec<PathBuf> {
    let files = [TOKEN_CACHE, SERVICE_PRINCIPALS].map(|name| az_file(dir, name));
    let plain = files.into_iter().filter(|file| !file.is_encrypted);
    plain.map(|file| file.path).filter(|path| path.exists()).collect()
}

/// The JSON in `name`; `None` when there is none that can be read.
pub(super) fn read(dir: &ConfigDir, name: &str) -> Option<Value> {
    json_in(&az_file(dir, name))
}

/// Changes `name` under az's lock, for each step of which it waits `limit`; `change` gets what is in
/// it, or `empty` and true if that is nothing that can be read (az wipes its cache when many write at
/// once). Writes nothing if nothing changed.
pub(super) fn update(
    dir: &ConfigDir,
    name: &str,
    empty: Value,
    limit: Duration,
    change: impl FnOnce(&mut Value, bool),
) -> Result<()> {
    let file = az_file(dir, name);
    let _held = file.lock(limit)?;
    let before = json_in(&file).filter(|value| value.is_object() == empty.is_object());
    let mut value = before.clone().unwrap_or(empty);
    change(&mut value, before.is_none());
    if before.as_ref() == Some(&value) {
        return Ok(());
    }
    let text = python_json_indented(&value)
        .map_err(|_| Error::failed(format!("{} cannot be written.", file.path.display())))?;
    file.write(&Zeroizing::new(text))
}

/// A member of an entry, as text.
pub(super) fn text<'v>(entry: &'v Value, name: &str) -> &'v str {
    entry.get(name).and_then(Value::as_str).unwrap_or_default()
}
