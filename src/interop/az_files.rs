//! Reading and changing az's two files.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::settings::{ConfigDir, python_json_indented};
use crate::sys::file::{self, Access};
use crate::sys::{MsalLock, pause};

/// MSAL's unified cache.
pub(super) const TOKEN_CACHE: &str = "msal_token_cache.json";
/// The credentials of applications.
pub(super) const SERVICE_PRINCIPALS: &str = "service_principal_entries.json";

/// az writes in place, so that a reader may see a part: it tries again (az reads three times).
const ATTEMPTS: u32 = 3;
const BETWEEN: Duration = Duration::from_millis(100);

/// The JSON in `name`; `None` when there is no such file, or an empty one, or none that can be
/// read: az's trouble is not ours.
pub(super) fn read(dir: &ConfigDir, name: &str) -> Option<Value> {
    let path = dir.file(name);
    for attempt in 0..ATTEMPTS {
        let text = file::read_text(&path).ok()??;
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

/// Changes `name` under az's lock; `change` gets what is in it, `empty` if that is nothing that can
/// be read (az wipes its cache when many write at once). Writes nothing if nothing changed.
pub(super) fn update(
    dir: &ConfigDir,
    name: &str,
    empty: Value,
    change: impl FnOnce(&mut Value),
) -> Result<()> {
    let path = dir.file(name);
    let mut lock_path = path.clone().into_os_string();
    lock_path.push(".lockfile");
    let lock = PathBuf::from(lock_path);
    let _held = MsalLock::acquire(&lock).map_err(|error| {
        Error::failed(format!("Cannot lock {}: {error}.", lock.display())).source(error)
    })?;
    let before = read(dir, name);
    let mut value = match &before {
        Some(value) if value.is_object() == empty.is_object() => value.clone(),
        _ => empty,
    };
    change(&mut value);
    if before.as_ref() == Some(&value) {
        return Ok(());
    }
    let text = python_json_indented(&value)
        .map_err(|_| Error::failed(format!("{} cannot be written.", path.display())))?;
    file::write_atomic(&path, &text, Access::Owner, true)
}

/// The member `name` of `cache`, made if it is missing.
pub(super) fn section<'c>(cache: &'c mut Value, name: &str) -> Option<&'c mut Map<String, Value>> {
    let section = cache.as_object_mut()?.entry(name).or_insert_with(|| Value::Object(Map::new()));
    section.as_object_mut()
}

/// The entries of the member `name` of `cache`.
pub(super) fn entries<'c>(cache: &'c Value, name: &str) -> impl Iterator<Item = &'c Value> {
    cache.get(name).and_then(Value::as_object).into_iter().flat_map(Map::values)
}

/// MSAL's name of the login host `environment`: without the port, which it does not know.
pub(super) fn host(environment: &str) -> &str {
    environment.rsplit_once(':').map_or(environment, |(host, _)| host)
}

/// A member of an entry, as text.
pub(super) fn text<'v>(entry: &'v Value, name: &str) -> &'v str {
    entry.get(name).and_then(Value::as_str).unwrap_or_default()
}
