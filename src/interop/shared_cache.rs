//! The cache that Azure's SDKs share on a machine (`SharedTokenCacheCredential`,
//! `TokenCachePersistenceOptions`), in the places and forms of Azure Identity for Python 1.27.
//!
//! There are two: tokens of clients that can answer a claims challenge (`.cae`), and of those that
//! cannot. Both get people's refresh tokens, neither an access token. On Linux the cache is an item
//! of the Secret Service, or, where a program allows it, plain text in `~/.IdentityService`; on
//! Windows a file that the system encrypts; on macOS an item of the Keychain (both unverified).

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::az_files::json_in;
use super::foreign_file::{ForeignFile, PATIENCE};
use super::people::People;
use crate::error::{Error, Kind, Result};
use crate::settings::python_json_indented;
use crate::sys::{Folder, KeyringItem, System, decoded};
use crate::vault::Vault;

/// The name that the SDKs use unless told otherwise.
pub(crate) const DEFAULT_NAME: &str = "msal.cache";

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
pub(crate) struct Found {
    /// The place.
    pub(crate) place: String,
    /// MSAL's unified cache.
    pub(crate) cache: Value,
}

/// The caches called `name` that can be read, each with its place, and why the others cannot.
pub(crate) fn read_shared(system: &System, name: &str) -> Result<(Vec<Found>, Vec<String>)> {
    let (mut found, mut silent) = (Vec::new(), Vec::new());
    for place in places(system, name)? {
        if !cfg!(windows) {
            match place.item.read(KEYRING_LIMIT) {
                Ok(Some(secret)) => found
                    .extend(parse(&secret).map(|cache| Found { place: place.item_name(), cache })),
                Ok(None) => {}
                Err(error) => silent.push(format!("The keyring cannot be asked: {error}.")),
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

/// The files of the caches called `name` that hold plain text; none where there is no home.
pub(crate) fn plain_text_shared(system: &System, name: &str) -> Result<Vec<PathBuf>> {
    if cfg!(windows) || root(system).is_none() {
        return Ok(Vec::new());
    }
    let files = places(system, name)?.map(|place| place.file);
    // An empty one tells readers of the keyring when its item changed.
    let plain = files.into_iter().filter(|file| file.size().is_some_and(|size| size > 0));
    Ok(plain.map(|file| file.path()).collect())
}

/// What [`publish`] did.
#[derive(Debug, Default)]
pub(crate) struct Published {
    /// The places that have the people now.
    pub(crate) places: Vec<String>,
    /// Who had a later sign-in there, which stayed: user names, each with the place.
    pub(crate) later: Vec<(String, String)>,
}

impl Published {
    fn add(&mut self, place: String, later: &[&str]) {
        self.later.extend(later.iter().map(|name| ((*name).to_owned(), place.clone())));
        self.places.push(place);
    }
}

/// Gives the people of `vault`, or the one called `account`, to the caches called `name`. Everything
/// else there stays, and so does a later sign-in of another program.
///
/// # Errors
/// [`Kind::NotSignedIn`] when there is nobody to give. [`Kind::Vault`] where nothing can encrypt the
/// cache, unless `allow_unencrypted` says that plain text will do; it also writes plain text beside
/// the keyring, for programs that cannot ask that. What is there already and is no cache stays.
pub(crate) fn publish(
    system: &System,
    vault: &Vault<'_>,
    name: &str,
    account: Option<&str>,
    allow_unencrypted: bool,
) -> Result<Published> {
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
    let mut published = Published::default();
    for place in places(system, name)? {
        if cfg!(windows) {
            let later = place.update_file(&people, vault.is_own())?;
            published.add(place.file.path().display().to_string(), &later);
            continue;
        }
        match place.update_item(&people)? {
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
            let later = place.update_file(&people, vault.is_own())?;
            published.add(format!("{} (plain text)", place.file.path().display()), &later);
        }
    }
    Ok(published)
}

impl Place {
    /// Changes the item under the lock that MSAL changes it under, that of the file. The inner error
    /// says that the keyring does not keep it. Answers who had a later sign-in there.
    fn update_item<'p>(&self, people: &'p People) -> Result<io::Result<Vec<&'p str>>> {
        // For a keyring that does not answer no folder is made.
        if let Err(error) = self.item.read(KEYRING_LIMIT) {
            return Ok(Err(error));
        }
        self.ensure_folder()?;
        let _held = self.file.lock(PATIENCE)?;
        let held = match self.item.read(KEYRING_LIMIT) {
            Ok(held) => held.filter(|bytes| !bytes.is_empty()),
            Err(error) => return Ok(Err(error)),
        };
        let mut cache = cache_in(held, &self.item_name())?;
        let later = people.put_into(&mut cache);
        let Ok(text) = serde_json::to_vec(&cache).map(Zeroizing::new) else {
            return Err(Error::failed(format!("{} cannot be written.", self.item_name())));
        };
        if let Err(error) = self.item.write(text, KEYRING_LIMIT) {
            return Ok(Err(error));
        }
        // Readers of the item compare the file's time.
        self.file.folder.touch(&self.file.name)?;
        Ok(Ok(later))
    }

    /// Answers who had a later sign-in there. What is `of_this_user` does not go into a folder of
    /// somebody else's, for whom root works elsewhere.
    fn update_file<'p>(&self, people: &'p People, of_this_user: bool) -> Result<Vec<&'p str>> {
        self.ensure_folder()?;
        let path = self.file.path().display().to_string();
        if of_this_user && !self.file.folder.is_own() {
            return Err(Error::failed(format!(
                "{path} would be another user's, and the sign-ins are yours."
            ))
            .remedy("Run with HOME naming your own home folder."));
        }
        let _held = self.file.lock(PATIENCE)?;
        let mut cache = cache_in(self.file.read()?, &path)?;
        let later = people.put_into(&mut cache);
        let text = python_json_indented(&cache)
            .map_err(|_| Error::failed(format!("{path} cannot be written.")))?;
        self.file.write(&Zeroizing::new(text))?;
        Ok(later)
    }

    /// The item's name, for people.
    fn item_name(&self) -> String {
        format!("the keyring's {}", self.item.schema)
    }

    fn ensure_folder(&self) -> Result<()> {
        self.file.folder.ensure()
    }
}

/// What the SDKs' folder is in.
fn root(system: &System) -> Option<PathBuf> {
    if cfg!(windows) { system.env.path("LOCALAPPDATA") } else { system.home() }
}

fn places(system: &System, name: &str) -> Result<[Place; 2]> {
    if name.is_empty() || name.contains(['/', '\\']) {
        return Err(Error::new(Kind::Usage, format!("'{name}' is no name of a cache.")));
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

/// What `place` holds as a cache; an empty one where it holds nothing.
fn cache_in(held: Option<Zeroizing<Vec<u8>>>, place: &str) -> Result<Value> {
    let Some(bytes) = held else { return Ok(json!({})) };
    parse(&bytes).ok_or_else(|| {
        Error::failed(format!("What is in {place} is no cache that can be read."))
            .remedy("Move it away and try again. It was not changed.")
    })
}

/// The cache in `bytes`: JSON, or JSON in base64, as some SDKs put it into keyrings.
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
