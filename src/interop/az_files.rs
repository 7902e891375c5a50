//! Reading and changing az's two files.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::adal;
use super::foreign_file::{ForeignFile, PATIENCE};
use crate::error::{Error, Result};
use crate::foreign;
use crate::settings::{ConfigDir, python_json_indented};
use crate::sys::{decoded, pause};

/// MSAL's unified cache.
pub(super) const TOKEN_CACHE: &str = "msal_token_cache";
/// The credentials of applications.
pub(super) const SERVICE_PRINCIPALS: &str = "service_principal_entries";

/// The names of the files in which az keeps tokens and secrets, now and before 2.30.
pub(crate) fn secret_files_of_az() -> impl Iterator<Item = String> {
    let now = [TOKEN_CACHE, SERVICE_PRINCIPALS].into_iter();
    let now = now.flat_map(|name| [format!("{name}.json"), format!("{name}.bin")]);
    now.chain([adal::FILE.to_owned()])
}

/// az writes in place, so that a reader may see a part: it tries again (az reads three times).
const ATTEMPTS: u32 = 3;
const BETWEEN: Duration = Duration::from_millis(100);

/// Where az 2.91 keeps `name`: plain text on Linux and macOS, on Windows encrypted
/// (`core.encrypt_token_cache`, which is on there). What it writes elsewhere when it is told to
/// encrypt is of no use to anybody: both files go to one place and overwrite each other.
fn az_file(dir: &ConfigDir, name: &str) -> ForeignFile {
    let file = |suffix: &str, is_encrypted| {
        let (folder, name) = (dir.folder().clone(), format!("{name}.{suffix}"));
        ForeignFile { folder, name, is_encrypted }
    };
    let (plain, encrypted) = (file("json", false), file("bin", true));
    let is_encrypted = cfg!(windows) && (encrypted.size().is_some() || plain.size().is_none());
    if is_encrypted { encrypted } else { plain }
}

/// What is in a file that should hold JSON of one kind.
enum Content {
    /// Nothing: there is no such file, or an empty one.
    Nothing,
    Json(Value),
    /// Something else: no JSON, bytes after it, or JSON of another kind.
    Other,
}

/// What is in `file`, where `empty` is of the kind that is expected. What cannot be read is an error,
/// not nothing: it may be good all the same.
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
            pause(BETWEEN);
        }
    }
    Ok(Content::Other)
}

/// The JSON in `bytes`, behind a byte order mark or not, in UTF-16 too: who mends such a file by hand
/// has an editor that writes so.
pub(crate) fn json_in(bytes: &[u8]) -> Option<Value> {
    foreign::from_json(&decoded(bytes)?).ok()
}

/// True when there is such a file.
pub(super) fn exists(dir: &ConfigDir, name: &str) -> bool {
    az_file(dir, name).size().is_some()
}

/// az's files that hold secrets in plain text, and whether each is what az makes.
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

/// The JSON in `name`, of the kind of `empty`; `empty` when there is none that can be read: what az
/// does not have is not ours to complain of.
pub(super) fn read(dir: &ConfigDir, name: &str, empty: Value) -> Value {
    match content(&az_file(dir, name), &empty) {
        Ok(Content::Json(value)) => value,
        _ => empty,
    }
}

/// Changes `name` under az's lock, for each step of which it waits `limit`; `change` gets what is in
/// it, or `empty` and true where az has no such file or broke it (it wipes its cache when many write
/// at once). Writes nothing if nothing changed.
///
/// # Errors
/// The file cannot be read: it stays as it is.
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

/// [`update`] for what is only taken out: there is nothing to do where there is no file, and one that
/// is not az's JSON stays as it is, for nobody knows what else is in it.
///
/// # Errors
/// The file cannot be read, or is not az's JSON.
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
            let message = format!("{} is no file of az's that can be read.", file.path().display());
            Err(Error::failed(message)
                .remedy("It may hold sign-ins: mend it or move it away, and try again."))
        }
    };
    // Nobody waits for a lock that is not needed.
    if before_and_after()?.is_none_or(|(before, after)| before == after) {
        return Ok(());
    }
    let _held = file.lock(limit)?;
    match before_and_after()? {
        Some((before, after)) => replace(&file, Some(&before), &after),
        None => Ok(()),
    }
}

/// Removes `name` under az's lock unless `missed` names anybody in it; where it stays, its path and
/// those. What is no file of az's stays too.
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

/// Writes `value` where it is not what was there `before`.
fn replace(file: &ForeignFile, before: Option<&Value>, value: &Value) -> Result<()> {
    if before == Some(value) {
        return Ok(());
    }
    let text = python_json_indented(value)
        .map_err(|_| Error::failed(format!("{} cannot be written.", file.path().display())))?;
    file.write(&Zeroizing::new(text))
}

/// A member of an entry, as text.
pub(super) fn text<'v>(entry: &'v Value, name: &str) -> &'v str {
    entry.get(name).and_then(Value::as_str).unwrap_or_default()
}
