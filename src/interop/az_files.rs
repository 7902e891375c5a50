//! Reads and changes az's two secret files.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::adal;
use super::foreign_file::{ForeignFile, PATIENCE};
use crate::error::{Error, Result};
use crate::foreign;
use crate::settings::{ConfigDir, python_json_indented};
use crate::sys::{decoded, sleep};

/// MSAL's unified cache.
pub(super) const TOKEN_CACHE: &str = "msal_token_cache";
/// The list of application credentials.
pub(super) const SERVICE_PRINCIPALS: &str = "service_principal_entries";

/// The names of the files in which az keeps tokens and secrets, now and before 2.30.
pub(crate) fn secret_files_of_az() -> impl Iterator<Item = String> {
    let now = [TOKEN_CACHE, SERVICE_PRINCIPALS].into_iter();
    let now = now.flat_map(|name| [format!("{name}.json"), format!("{name}.bin")]);
    now.chain([adal::FILE.to_owned()])
}

/// az writes in place, so a reader may see a partial file and must retry (az reads three times).
const ATTEMPTS: u32 = 3;
const BETWEEN: Duration = Duration::from_millis(100);

/// Where az 2.91 keeps `name`: plain text on Linux and macOS, encrypted on Windows, where
/// `core.encrypt_token_cache` is on by default. Encryption on Linux and macOS is ignored: az then
/// writes both files to the same place, so that they overwrite each other.
fn az_file(dir: &ConfigDir, name: &str) -> ForeignFile {
    let file = |suffix: &str, is_encrypted| {
        let (folder, name) = (dir.folder().clone(), format!("{name}.{suffix}"));
        ForeignFile { folder, name, is_encrypted }
    };
    let (plain, encrypted) = (file("json", false), file("bin", true));
    let is_encrypted = cfg!(windows) && (encrypted.size().is_some() || plain.size().is_none());
    if is_encrypted { encrypted } else { plain }
}

/// The content of a file that should hold a JSON object, or a JSON array.
enum Content {
    /// The file is missing or empty.
    Nothing,
    Json(Value),
    /// Not JSON, JSON with trailing bytes, or JSON of the wrong type.
    Other,
}

/// The content of `file`; `empty` has the expected type. An I/O error is returned as an error: the
/// content may still be valid.
fn content(file: &ForeignFile, empty: &Value) -> Result<Content> {
    for attempt in 0..ATTEMPTS {
        let Some(text) = file.read()?.filter(|text| !text.trim_ascii().is_empty()) else {
            return Ok(Content::Nothing);
        };
        if let Some(value) = json_in(&text) {
            let is_expected = value.is_object() == empty.is_object();
            return Ok(if is_expected { Content::Json(value) } else { Content::Other });
        }
        if attempt + 1 < ATTEMPTS {
            sleep(BETWEEN);
        }
    }
    Ok(Content::Other)
}

/// The JSON in `bytes`, with or without a byte order mark, in UTF-8 or UTF-16: editors may save a
/// hand-edited file in any of these.
pub(crate) fn json_in(bytes: &[u8]) -> Option<Value> {
    foreign::from_json(&decoded(bytes)?).ok()
}

/// True when the file exists.
pub(super) fn exists(dir: &ConfigDir, name: &str) -> bool {
    az_file(dir, name).size().is_some()
}

/// az's plain-text files with secrets, each with whether it has az's format.
pub(crate) fn plain_text_of_az(dir: &ConfigDir) -> Vec<(PathBuf, bool)> {
    let files = [(TOKEN_CACHE, json!({})), (SERVICE_PRINCIPALS, json!([]))];
    let files = files.map(|(name, empty)| (az_file(dir, name), empty)).into_iter();
    let plain = files.filter(|(file, _)| !file.is_encrypted && file.size().is_some());
    plain
        .map(|(file, empty)| {
            let is_azs = !matches!(content(&file, &empty), Ok(Content::Other));
            (file.path(), is_azs)
        })
        .collect()
}

/// The JSON in `name`, of the type of `empty`. Returns `empty` when the file is missing or
/// unreadable: azt does not depend on az's files.
pub(super) fn read(dir: &ConfigDir, name: &str, empty: Value) -> Value {
    match content(&az_file(dir, name), &empty) {
        Ok(Content::Json(value)) => value,
        _ => empty,
    }
}

/// Changes `name` under az's lock, waiting at most `limit` for each step of the lock. `change` gets
/// the content and false, or `empty` and true when the file is missing or damaged (az damages its
/// cache when many processes write at once). Writes only a changed value.
///
/// # Errors
/// The file cannot be read. It is not changed.
pub(super) fn update(
    dir: &ConfigDir,
    name: &str,
    empty: Value,
    limit: Duration,
    change: impl FnOnce(&mut Value, bool),
) -> Result<()> {
    let file = az_file(dir, name);
    let _held = file.lock(limit)?;
    let before = match content(&file, &empty)? {
        Content::Json(value) => Some(value),
        Content::Nothing | Content::Other => None,
    };
    let mut value = before.clone().unwrap_or(empty);
    change(&mut value, before.is_none());
    replace(&file, before.as_ref(), &value)
}

/// [`update`] for removals: a missing file needs no change, and a file without az's JSON is not
/// overwritten because its content is unknown.
///
/// # Errors
/// The file cannot be read, or does not hold az's JSON.
pub(super) fn take_out(
    dir: &ConfigDir,
    name: &str,
    empty: &Value,
    limit: Duration,
    change: impl Fn(&mut Value),
) -> Result<()> {
    let file = az_file(dir, name);
    let before_and_after = || match content(&file, empty)? {
        Content::Json(before) => {
            let mut after = before.clone();
            change(&mut after);
            Ok(Some((before, after)))
        }
        Content::Nothing => Ok(None),
        Content::Other => {
            let message = format!("{} is not a readable az file.", file.path().display());
            Err(Error::failed(message)
                .remedy("It may hold sign-ins. Repair it or move it away, and try again."))
        }
    };
    // Checks without the lock first: usually there is nothing to remove.
    if before_and_after()?.is_none_or(|(before, after)| before == after) {
        return Ok(());
    }
    let _held = file.lock(limit)?;
    match before_and_after()? {
        Some((before, after)) => replace(&file, Some(&before), &after),
        None => Ok(()),
    }
}

/// Removes `name` under az's lock unless `missed` returns names from its content. Returns the path
/// and those names if the file stays. A file without az's JSON stays too, with no names.
pub(super) fn remove_if(
    dir: &ConfigDir,
    name: &str,
    empty: &Value,
    missed: impl FnOnce(&Value) -> Vec<String>,
) -> Result<Option<(PathBuf, Vec<String>)>> {
    let file = az_file(dir, name);
    if file.size().is_none() {
        return Ok(None);
    }
    let _held = file.lock(PATIENCE)?;
    let missed = match content(&file, empty)? {
        Content::Nothing => Vec::new(),
        Content::Json(value) => missed(&value),
        Content::Other => return Ok(Some((file.path(), Vec::new()))),
    };
    if !missed.is_empty() {
        return Ok(Some((file.path(), missed)));
    }
    file.folder.remove(&file.name)?;
    Ok(None)
}

/// Writes `value` unless it equals `before`.
fn replace(file: &ForeignFile, before: Option<&Value>, value: &Value) -> Result<()> {
    if before == Some(value) {
        return Ok(());
    }
    let text = python_json_indented(value)
        .map_err(|_| Error::failed(format!("{} cannot be written.", file.path().display())))?;
    file.write(&Zeroizing::new(text))
}

/// The text of a member of an entry; empty when it is missing or not text.
pub(super) fn text<'v>(entry: &'v Value, name: &str) -> &'v str {
    entry.get(name).and_then(Value::as_str).unwrap_or_default()
}
