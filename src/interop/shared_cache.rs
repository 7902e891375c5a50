//! The cache that Azure's SDKs share on a machine (`SharedTokenCacheCredential`,
//! `TokenCachePersistenceOptions`), in the places and forms of Azure Identity for Python 1.27.
//!
//! There are two: tokens of clients that can answer a claims challenge (`.cae`), and of those that
//! cannot. Both get people's refresh tokens, neither an access token. On Linux the cache is an item
//! of the Secret Service, or, where a program allows it, plain text in `~/.IdentityService`; on
//! Windows a file that the system encrypts; on macOS an item of the Keychain (both unverified).

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::foreign_file::{ForeignFile, PATIENCE};
use super::people::People;
use crate::error::{Error, Kind, Result};
use crate::settings::python_json_indented;
use crate::sys::file::{self, Access};
use crate::sys::{KeyringItem, System, folder};
use crate::vault::Vault;

/// The name that the SDKs use unless told otherwise.
pub const DEFAULT_NAME: &str = "msal.cache";

/// How long a keyring may take; longer than for a token, because a person waits.
const KEYRING_LIMIT: Duration = Duration::from_secs(30);

/// One of the two caches of a name.
struct Place {
    /// The plain text; or the file whose time of change tells readers that the keyring's item
    /// changed.
    file: ForeignFile,
    item: KeyringItem,
}

/// What a cache was read from or written to, for people.
pub struct Found {
    /// The place.
    pub place: String,
    /// MSAL's unified cache.
    pub cache: Value,
}

/// The caches called `name` that can be read, each with its place, and why the others cannot.
pub fn read_shared(system: &System, name: &str) -> Result<(Vec<Found>, Vec<String>)> {
    let (mut found, mut silent) = (Vec::new(), Vec::new());
    for place in places(system, name)? {
        if !cfg!(windows) {
            match place.item.read(KEYRING_LIMIT) {
                Ok(Some(secret)) => found.extend(parse(&secret).map(|cache| Found {
                    place: format!("the keyring's {}", place.item.schema),
                    cache,
                })),
                Ok(None) => {}
                Err(error) => silent.push(format!("The keyring cannot be asked: {error}.")),
            }
        }
        let bytes = place.file.read()?;
        if let Some(cache) = bytes.and_then(|bytes| parse(&bytes)) {
            found.push(Found { place: place.file.path.display().to_string(), cache });
        }
    }
    silent.dedup();
    Ok((found, silent))
}

/// The files of the caches called `name` that hold plain text.
pub fn plain_text_shared(system: &System, name: &str) -> Result<Vec<PathBuf>> {
    if cfg!(windows) {
        return Ok(Vec::new());
    }
    let files = places(system, name)?.map(|place| place.file.path);
    // An empty one tells readers of the keyring when its item changed.
    let is_plain = |path: &PathBuf| std::fs::metadata(path).is_ok_and(|file| file.len() > 0);
    Ok(files.into_iter().filter(is_plain).collect())
}

/// Gives the people of `vault`, or the one called `account`, to the caches called `name`; answers
/// the places that have them now. Everything else there stays.
///
/// # Errors
/// [`Kind::NotSignedIn`] when there is nobody to give. [`Kind::Vault`] where nothing can encrypt the
/// cache, unless `allow_unencrypted` says that plain text will do; it also writes plain text beside
/// the keyring, for programs that cannot ask that.
pub fn publish(
    system: &System,
    vault: &Vault<'_>,
    name: &str,
    account: Option<&str>,
    allow_unencrypted: bool,
) -> Result<Vec<String>> {
    let people = People::of(vault, account)?;
    if people.is_empty() {
        return Err(Error::new(
            Kind::NotSignedIn,
            match account {
                Some(name) => format!("'{name}' is no person who is signed in."),
                None => "Nobody is signed in who could be shared: applications are not.".to_owned(),
            },
        ));
    }
    let mut written = Vec::new();
    for place in places(system, name)? {
        if cfg!(windows) {
            place.update_file(&people)?;
            written.push(place.file.path.display().to_string());
            continue;
        }
        match place.update_item(&people) {
            Ok(()) => {
                place.signal()?;
                written.push(format!("the keyring's {}", place.item.schema));
            }
            Err(error) if !allow_unencrypted => {
                return Err(Error::new(
                    Kind::Vault,
                    format!("The keyring cannot keep the shared cache: {error}."),
                )
                .remedy("Run inside a desktop session with an unlocked keyring,")
                .remedy("or write plain text, which any program of yours can read, with --allow-unencrypted."));
            }
            Err(_) => {}
        }
        if allow_unencrypted {
            place.update_file(&people)?;
            written.push(format!("{} (plain text)", place.file.path.display()));
        }
    }
    Ok(written)
}

impl Place {
    fn update_item(&self, people: &People) -> std::io::Result<()> {
        let held = self.item.read(KEYRING_LIMIT)?;
        let mut cache = held.and_then(|bytes| parse(&bytes)).unwrap_or_else(|| json!({}));
        people.put_into(&mut cache);
        let text = Zeroizing::new(serde_json::to_vec(&cache)?);
        self.item.write(text, KEYRING_LIMIT)
    }

    /// Tells readers of the item that it changed: they compare this file's time.
    fn signal(&self) -> Result<()> {
        let path = &self.file.path;
        let kept = file::read(path).ok().flatten().unwrap_or_default();
        self.ensure_folder()?;
        file::write_atomic(path, &kept, Access::Owner, false)
    }

    fn update_file(&self, people: &People) -> Result<()> {
        self.ensure_folder()?;
        let _held = self.file.lock(PATIENCE)?;
        let mut cache = match self.file.read()? {
            Some(bytes) => parse(&bytes).ok_or_else(|| {
                let path = self.file.path.display();
                Error::failed(format!("{path} is no cache that can be read."))
                    .remedy("Move it away and try again. It was not changed.")
            })?,
            None => json!({}),
        };
        people.put_into(&mut cache);
        let text = python_json_indented(&cache).map_err(|_| {
            Error::failed(format!("{} cannot be written.", self.file.path.display()))
        })?;
        self.file.write(&Zeroizing::new(text))
    }

    fn ensure_folder(&self) -> Result<()> {
        self.file.path.parent().map_or(Ok(()), folder::create_private_dir)
    }
}

fn places(system: &System, name: &str) -> Result<[Place; 2]> {
    if name.is_empty() || name.contains(['/', '\\']) {
        return Err(Error::new(Kind::Usage, format!("'{name}' is no name of a cache.")));
    }
    let root = if cfg!(windows) { system.env.path("LOCALAPPDATA") } else { system.home() };
    let root = root.ok_or_else(|| Error::failed("There is no home folder to share tokens in."))?;
    let folder = root.join(".IdentityService");
    Ok([".nocae", ".cae"].map(|suffix| {
        let schema = format!("{name}{suffix}");
        let is_first = name == DEFAULT_NAME && suffix == ".nocae";
        let account = if is_first { "MSALCache".to_owned() } else { schema.clone() };
        let file = ForeignFile { path: folder.join(&schema), is_encrypted: cfg!(windows) };
        Place { file, item: KeyringItem { schema, account } }
    }))
}

/// The cache in `bytes`: JSON, or JSON in base64, as some SDKs put it into keyrings.
fn parse(bytes: &[u8]) -> Option<Value> {
    let value = serde_json::from_slice::<Value>(bytes).ok().or_else(|| {
        let text = std::str::from_utf8(bytes).ok()?.trim();
        let decoded = Zeroizing::new(STANDARD.decode(text).ok()?);
        serde_json::from_slice(&decoded).ok()
    })?;
    value.is_object().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_is_json_or_that_in_base64() {
        let encoded = STANDARD.encode(r#"{"Account": {}}"#);
        for bytes in [r#"{"Account": {}}"#, encoded.as_str(), &format!("{encoded}\n")] {
            assert_eq!(parse(bytes.as_bytes()), Some(json!({"Account": {}})), "{bytes}");
        }
        for bytes in ["", "[]", "no", "{\"Acc", "4AAA"] {
            assert_eq!(parse(bytes.as_bytes()), None, "{bytes}");
        }
    }
}
