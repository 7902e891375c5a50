//! The cache that Azure's SDKs share on a machine (`SharedTokenCacheCredential`,
//! `TokenCachePersistenceOptions`), in the places and formats of Azure Identity for Python 1.27.
//!
//! There are two caches: one for clients that handle claims challenges (`.cae`), one for others
//! (`.nocae`). azt writes users' refresh tokens to both, and no access tokens. On Linux the cache
//! is an item of the Secret Service or, if a program allows it, plain text in `~/.IdentityService`;
//! on Windows an encrypted file; on macOS an item of the Keychain (Windows and macOS unverified).

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::az_files::json_in;
use super::foreign_file::{ForeignFile, PATIENCE};
use super::users::Users;
use crate::error::{Error, Kind, Result};
use crate::settings::python_json_indented;
use crate::sys::{Folder, KeyringItem, System, decoded};
use crate::vault::Vault;

/// The SDKs' default name of the cache.
pub(crate) const DEFAULT_NAME: &str = "msal.cache";

/// Timeout of the keyring; longer than for a token, because the user may have to unlock it.
const KEYRING_LIMIT: Duration = Duration::from_secs(30);

/// One of the two caches (`.cae`, `.nocae`) that share a name.
struct Place {
    /// The cache as a file: encrypted on Windows, else plain text. When the keyring holds the cache, readers compare this file's
    /// modification time to detect changes.
    file: ForeignFile,
    item: KeyringItem,
}

/// A cache with its place.
pub(crate) struct Found {
    /// The place, for messages.
    pub(crate) place: String,
    /// MSAL's unified cache.
    pub(crate) cache: Value,
}

/// The readable caches with the name `name`, and messages about those that cannot be read.
pub(crate) fn read_shared(system: &System, name: &str) -> Result<(Vec<Found>, Vec<String>)> {
    let (mut found, mut silent) = (Vec::new(), Vec::new());
    for place in places(system, name)? {
        if !cfg!(windows) {
            match place.item.read(system, KEYRING_LIMIT) {
                Ok(Some(secret)) => found
                    .extend(parse(&secret).map(|cache| Found { place: place.item_name(), cache })),
                Ok(None) => {}
                Err(error) => silent.push(format!("The keyring cannot be read: {error}.")),
            }
        }
        let bytes = place.file.read()?;
        if let Some(cache) = bytes.and_then(|bytes| parse(&bytes)) {
            found.push(Found { place: place.file.path().display().to_string(), cache });
        }
    }
    silent.dedup();
    Ok((found, silent))
}

/// The plain-text files of the caches with the name `name`; empty without a home folder.
pub(crate) fn plain_text_shared(system: &System, name: &str) -> Result<Vec<PathBuf>> {
    if cfg!(windows) || root(system).is_none() {
        return Ok(Vec::new());
    }
    let files = places(system, name)?.map(|place| place.file);
    // An empty file only signals changes of the keyring's item.
    let plain = files.into_iter().filter(|file| file.size().is_some_and(|size| size > 0));
    Ok(plain.map(|file| file.path()).collect())
}

/// The result of [`publish`].
#[derive(Debug, Default)]
pub(crate) struct Published {
    /// The places that were written.
    pub(crate) places: Vec<String>,
    /// Users whose newer sign-in in the cache was kept, each with that cache's place.
    pub(crate) later: Vec<(String, String)>,
}

impl Published {
    fn add(&mut self, place: String, later: &[&str]) {
        self.later.extend(later.iter().map(|name| ((*name).to_owned(), place.clone())));
        self.places.push(place);
    }
}

/// Writes the users of `vault`, or only `account`, to the caches with the name `name`. Other
/// entries stay, and so does a newer sign-in by another program. `allow_unencrypted` also writes
/// plain text beside the keyring, for programs that cannot read the keyring.
///
/// # Errors
/// - [`Kind::NotSignedIn`] when there is no user to write.
/// - [`Kind::Vault`] when the keyring cannot store the cache, unless `allow_unencrypted`.
/// - The current content is not a cache; it is not changed.
pub(crate) fn publish(
    system: &System,
    vault: &Vault<'_>,
    name: &str,
    account: Option<&str>,
    allow_unencrypted: bool,
) -> Result<Published> {
    let users = Users::of(vault, account)?;
    if users.is_empty() {
        return Err(Error::new(
            Kind::NotSignedIn,
            match account {
                Some(name) => format!("'{name}' is not a signed-in user."),
                None => "No user is signed in; service principals are not shared.".to_owned(),
            },
        ));
    }
    let mut published = Published::default();
    for place in places(system, name)? {
        if cfg!(windows) {
            let later = place.update_file(&users, vault.is_own())?;
            published.add(place.file.path().display().to_string(), &later);
            continue;
        }
        match place.update_item(system, &users)? {
            Ok(later) => published.add(place.item_name(), &later),
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
            let later = place.update_file(&users, vault.is_own())?;
            published.add(format!("{} (plain text)", place.file.path().display()), &later);
        }
    }
    Ok(published)
}

impl Place {
    /// Changes the keyring's item under MSAL's lock, which is that of the file. The inner error is
    /// the keyring's. Returns the users with a newer sign-in in the cache.
    fn update_item<'p>(
        &self,
        system: &System,
        users: &'p Users,
    ) -> Result<io::Result<Vec<&'p str>>> {
        // Without a working keyring, the folder is not created.
        if let Err(error) = self.item.read(system, KEYRING_LIMIT) {
            return Ok(Err(error));
        }
        self.ensure_folder()?;
        let _held = self.file.lock(PATIENCE)?;
        let held = match self.item.read(system, KEYRING_LIMIT) {
            Ok(held) => held.filter(|bytes| !bytes.is_empty()),
            Err(error) => return Ok(Err(error)),
        };
        let mut cache = cache_in(held, &self.item_name())?;
        let later = users.put_into(&mut cache);
        let Ok(text) = serde_json::to_vec(&cache).map(Zeroizing::new) else {
            return Err(Error::failed(format!("{} cannot be written.", self.item_name())));
        };
        if let Err(error) = self.item.write(system, text, KEYRING_LIMIT) {
            return Ok(Err(error));
        }
        // Readers of the item compare the file's modification time.
        self.file.folder.touch(&self.file.name)?;
        Ok(Ok(later))
    }

    /// Changes the file. Returns the users with a newer sign-in in it. Sign-ins `of_this_user` are
    /// not written to a folder with another owner, which root could otherwise do by accident.
    fn update_file<'p>(&self, users: &'p Users, of_this_user: bool) -> Result<Vec<&'p str>> {
        self.ensure_folder()?;
        let path = self.file.path().display().to_string();
        if of_this_user && !self.file.folder.is_own() {
            return Err(Error::failed(format!(
                "{path} would belong to another user, but the sign-ins are yours."
            ))
            .remedy("Run with HOME naming your own home folder."));
        }
        let _held = self.file.lock(PATIENCE)?;
        let mut cache = cache_in(self.file.read()?, &path)?;
        let later = users.put_into(&mut cache);
        let text = python_json_indented(&cache)
            .map_err(|_| Error::failed(format!("{path} cannot be written.")))?;
        self.file.write(&Zeroizing::new(text))?;
        Ok(later)
    }

    /// The item's name, for messages.
    fn item_name(&self) -> String {
        format!("the keyring's {}", self.item.schema)
    }

    fn ensure_folder(&self) -> Result<()> {
        self.file.folder.ensure()
    }
}

/// The parent of the SDKs' folder.
fn root(system: &System) -> Option<PathBuf> {
    if cfg!(windows) { system.env.path("LOCALAPPDATA") } else { system.home() }
}

fn places(system: &System, name: &str) -> Result<[Place; 2]> {
    if name.is_empty() || name.contains(['/', '\\']) {
        return Err(Error::new(Kind::Usage, format!("'{name}' is not a valid cache name.")));
    }
    let root = root(system).ok_or_else(|| {
        Error::failed("There is no home folder to share tokens in.")
            .remedy("Set HOME to the folder in which Azure's SDKs look for them.")
    })?;
    let folder = Folder::at(root.join(".IdentityService"));
    Ok([".nocae", ".cae"].map(|suffix| {
        let schema = format!("{name}{suffix}");
        let is_first = name == DEFAULT_NAME && suffix == ".nocae";
        let account = if is_first { "MSALCache".to_owned() } else { schema.clone() };
        let (folder, name) = (folder.clone(), schema.clone());
        let file = ForeignFile { folder, name, is_encrypted: cfg!(windows) };
        Place { file, item: KeyringItem { schema, account } }
    }))
}

/// Parses the content of `place`; an empty cache when there is no content.
fn cache_in(held: Option<Zeroizing<Vec<u8>>>, place: &str) -> Result<Value> {
    let Some(bytes) = held else { return Ok(json!({})) };
    parse(&bytes).ok_or_else(|| {
        Error::failed(format!("{place} does not hold a readable cache."))
            .remedy("Move it away and try again. It was not changed.")
    })
}

/// The cache in `bytes`: JSON, or base64 of JSON, which some SDKs store in keyrings.
fn parse(bytes: &[u8]) -> Option<Value> {
    let value = json_in(bytes).or_else(|| {
        let text = decoded(bytes)?;
        json_in(&Zeroizing::new(STANDARD.decode(text.trim()).ok()?))
    })?;
    value.is_object().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_is_json_or_base64_of_json() {
        let encoded = STANDARD.encode(r#"{"Account": {}}"#);
        for bytes in [r#"{"Account": {}}"#, encoded.as_str(), &format!("{encoded}\n")] {
            assert_eq!(parse(bytes.as_bytes()), Some(json!({"Account": {}})), "{bytes}");
        }
        for bytes in ["", "[]", "no", "{\"Acc", "4AAA"] {
            assert_eq!(parse(bytes.as_bytes()), None, "{bytes}");
        }
    }
}
