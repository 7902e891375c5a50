//! Where the vault key is kept.

mod env;
mod file;
mod kernel;
mod keyring;
mod vault_key;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use vault_key::{KeyId, VaultKey};

pub(super) use vault_key::hex;

use super::{Options, start_afresh, trouble};
use crate::error::{Error, Kind, Result};
use crate::sys::{Folder, System};

/// The key, where its source is `file`.
const FILE: &str = "vault.key";
/// Where every new key file begins: until `vault.json` names the key, it is not in the other's place.
const NEXT_FILE: &str = "vault.key.next";

/// Where a vault key is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeySource {
    /// The environment variable `AZT_VAULT_KEY`: 64 hex digits or base64 of 32 bytes.
    Env,
    /// The file `vault.key` beside the records, readable by its owner only.
    File,
    /// The Linux kernel's user keyring, which is emptied when the machine restarts.
    Kernel,
    /// The Secret Service, macOS Keychain or Windows Credential Manager.
    Keyring,
}

/// What was asked for: a source, or `auto`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyChoice {
    /// The environment variable if set, else the keyring if it takes the key, else the file.
    #[default]
    Auto,
    /// This source and no other.
    Source(KeySource),
}

const SOURCES: [KeySource; 4] =
    [KeySource::Env, KeySource::File, KeySource::Kernel, KeySource::Keyring];

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Env => "env",
            Self::File => "file",
            Self::Kernel => "kernel",
            Self::Keyring => "keyring",
        })
    }
}

impl FromStr for KeyChoice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let source = SOURCES.into_iter().find(|source| source.to_string() == text);
        source.map(Self::Source).ok_or_else(|| {
            Error::new(
                Kind::Usage,
                format!("'{text}' is no key source: use auto, env, file, kernel or keyring."),
            )
        })
    }
}

/// The four sources, as one vault uses them.
pub(super) struct Sources<'s> {
    system: &'s System,
    azt_dir: Folder,
    cache_seconds: u32,
    limit: Duration,
}

/// Said where the key goes there.
pub const KERNEL_FORGETS: &str = "The vault key is kept in the kernel's keyring, which is emptied when this machine restarts: all sign-ins end then.";

/// A key that was just chosen, with what a person should know of where it is kept.
pub(super) struct Chosen {
    pub(super) source: KeySource,
    pub(super) key: VaultKey,
    pub(super) notice: Option<String>,
}

impl<'s> Sources<'s> {
    /// `sign_in` allows the keyring to wait for a person.
    pub(super) fn new(
        system: &'s System,
        azt_dir: &Folder,
        options: Options,
        sign_in: bool,
    ) -> Self {
        let mut limit = options.keyring_limit;
        if sign_in {
            limit = keyring::limit_at_sign_in(system, limit);
        }
        let cache_seconds = options.key_cache_seconds;
        Self { system, azt_dir: azt_dir.clone(), cache_seconds, limit }
    }

    /// What `source` holds as the key `id`; `None` when it has none. The environment and the file
    /// hold one key whatever its id: the caller compares.
    pub(super) fn fetch(&self, source: KeySource, id: KeyId) -> Result<Option<VaultKey>> {
        match source {
            KeySource::Env => env::fetch(self.system),
            KeySource::File => match file::fetch(&self.azt_dir, FILE)? {
                Some(key) if key.id() == id => Ok(Some(key)),
                // Everything is being sealed anew, or was when that was interrupted.
                _ => match file::fetch(&self.azt_dir, NEXT_FILE)? {
                    Some(next) if next.id() == id => Ok(Some(next)),
                    // Or has just ended.
                    _ => file::fetch(&self.azt_dir, FILE),
                },
            },
            KeySource::Kernel => kernel::fetch(id),
            KeySource::Keyring => self.fetch_cached(id),
        }
    }

    fn fetch_cached(&self, id: KeyId) -> Result<Option<VaultKey>> {
        if let Some(key) = self.caches().then(|| kernel::cached(id)).flatten() {
            return Ok(Some(key));
        }
        let key = keyring::fetch(self.system, id, self.limit)?;
        if let Some(key) = key.as_ref().filter(|key| key.id() == id) {
            self.cache(key);
        }
        Ok(key)
    }

    /// The key in the environment where that is another than `id`, which is kept in `source`.
    pub(super) fn other_in_environment(
        &self,
        source: KeySource,
        id: KeyId,
    ) -> Result<Option<KeyId>> {
        if source == KeySource::Env || env::names(self.system, source) {
            return Ok(None);
        }
        let key = env::fetch(self.system)?;
        Ok(key.map(|key| key.id()).filter(|other| *other != id))
    }

    /// Which key the keyring says that azt keeps there for this folder; `None` also where it does not
    /// answer.
    pub(super) fn pinned(&self) -> Option<KeyId> {
        keyring::pinned(self.system, &self.azt_dir.path(), self.limit)
    }

    /// Notes in the keyring that the key of this folder is there, or is there no more. Where it cannot be
    /// noted, a change of source goes unnoticed, as it does without a keyring.
    pub(super) fn pin(&self, source: KeySource, id: KeyId) {
        match (source, self.pinned()) {
            (KeySource::Keyring, Some(pinned)) if pinned == id => {}
            (KeySource::Keyring, _) => {
                keyring::pin(self.system, &self.azt_dir.path(), id, self.limit);
            }
            (_, Some(_)) => self.unpin(),
            (_, None) => {}
        }
    }

    /// Forgets what [`Sources::pin`] noted.
    pub(super) fn unpin(&self) {
        keyring::unpin(self.system, &self.azt_dir.path(), self.limit);
    }

    fn caches(&self) -> bool {
        self.cache_seconds > 0
    }

    fn cache(&self, key: &VaultKey) {
        if self.caches() {
            kernel::cache(key, self.cache_seconds);
        }
    }

    /// The source that holds one of the keys `ids` and passes `check`; else why not, a sentence for each
    /// that could not say, or may not.
    pub(super) fn find(
        &self,
        ids: &[KeyId],
        check: impl Fn(KeySource, KeyId) -> Result<()>,
    ) -> Result<(KeySource, VaultKey), Vec<String>> {
        let mut silent = Vec::new();
        for id in ids {
            for source in SOURCES {
                match self.fetch(source, *id) {
                    Ok(Some(key)) if key.id() == *id => match check(source, *id) {
                        Ok(()) => return Ok((source, key)),
                        Err(error) => silent.push(error.message().to_owned()),
                    },
                    Ok(_) => {}
                    Err(error) => silent.push(error.message().to_owned()),
                }
            }
        }
        silent.dedup();
        Err(silent)
    }

    /// Makes a key for a new vault, or takes the one that the environment has, and proves that it can
    /// be read back.
    pub(super) fn choose(&self, choice: KeyChoice) -> Result<Chosen> {
        match choice {
            KeyChoice::Source(source) => self.make(source),
            KeyChoice::Auto if env::fetch(self.system)?.is_some() => self.make(KeySource::Env),
            KeyChoice::Auto => self.make(KeySource::Keyring).or_else(|_| {
                let chosen = self.make(KeySource::File)?;
                let notice = format!(
                    "The vault key is kept in {}: no keyring takes it here (azt doctor has the details).",
                    self.place(KeySource::File)
                );
                Ok(Chosen { notice: Some(notice), ..chosen })
            }),
        }
    }

    /// What says that the key is not kept in a keyring, though one is asked: nothing where it takes it.
    pub(super) fn keyring_flaw(&self) -> Option<Error> {
        keyring::flaw(self.system, self.limit)
    }

    fn make(&self, source: KeySource) -> Result<Chosen> {
        let key = match source {
            KeySource::Env => env::fetch(self.system)?.ok_or_else(|| env::unset(self.system))?,
            KeySource::File => {
                self.refuse_key_file()?;
                file::keep(&self.azt_dir, NEXT_FILE, VaultKey::generate()?)?
            }
            KeySource::Kernel => kernel::keep(VaultKey::generate()?)?,
            KeySource::Keyring => keyring::keep(self.system, VaultKey::generate()?, self.limit)?,
        };
        let read_back = match source {
            // Not from the cache: what is probed is the keyring.
            KeySource::Keyring => keyring::fetch(self.system, key.id(), self.limit)?,
            source => self.fetch(source, key.id())?,
        };
        if read_back.as_ref() != Some(&key) {
            return Err(trouble(format!("The key source '{source}' did not keep the vault key.")));
        }
        if source == KeySource::Keyring {
            self.cache(&key);
        }
        // Nothing where it is as it should be, or as it was asked for.
        let notice = (source == KeySource::Kernel).then(|| KERNEL_FORGETS.to_owned());
        Ok(Chosen { source, key, notice })
    }

    /// Makes a new key in `to` for what the one in `from` opens now, which stays as long.
    pub(super) fn make_next(&self, from: KeySource, to: KeySource) -> Result<VaultKey> {
        if from != to {
            return self.make(to).map(|chosen| chosen.key);
        }
        let key = VaultKey::generate()?;
        match to {
            KeySource::Env => Err(trouble(format!(
                "The vault key is what {} says, which is not azt's to change.",
                env::VARIABLE
            ))
            .remedy("Move it elsewhere and back: 'azt vault move --to file', then, with another key in the")
            .remedy("variable, 'azt vault move --to env'.")),
            KeySource::File => file::keep(&self.azt_dir, NEXT_FILE, key),
            KeySource::Kernel => kernel::keep(key),
            KeySource::Keyring => keyring::keep(self.system, key, self.limit),
        }
    }

    /// An error for a key file that lies where one is to be made: whoever put it there knows the key.
    fn refuse_key_file(&self) -> Result<()> {
        let path = self.azt_dir.file(FILE);
        if !self.azt_dir.has(FILE) {
            return Ok(());
        }
        Err(trouble(format!(
            "{} is there already, and is the key of no vault here.",
            path.display()
        ))
        .remedy("Whoever put it there knows it, so it is not used. Move it away and try again."))
    }

    /// Puts the new key in the place of the old one, or of none, where there is one place.
    pub(super) fn settle_next(&self, source: KeySource) -> Result<()> {
        if source != KeySource::File {
            return Ok(());
        }
        let settled = self.azt_dir.rename(NEXT_FILE, FILE);
        let replacing =
            |error| crate::sys::file::cannot("replace", &self.azt_dir.file(FILE), error);
        settled.map_err(replacing)
    }

    /// Ends a change of keys in the file that was interrupted, where `current` is the key in use.
    pub(super) fn clear_next(&self, current: KeyId) -> Result<()> {
        match file::fetch(&self.azt_dir, NEXT_FILE)? {
            Some(next) if next.id() == current => self.settle_next(KeySource::File),
            Some(_) => self.azt_dir.remove(NEXT_FILE).map(drop),
            None => Ok(()),
        }
    }

    /// Removes the key `id` from `source`, as far as that is azt's to do.
    pub(super) fn remove(&self, source: KeySource, id: KeyId) -> Result<()> {
        kernel::forget_cached(id);
        match source {
            KeySource::Env => Ok(()),
            KeySource::File => {
                self.azt_dir.remove(NEXT_FILE)?;
                self.azt_dir.remove(FILE).map(drop)
            }
            KeySource::Kernel => kernel::remove(id),
            KeySource::Keyring => keyring::remove(self.system, id, self.limit),
        }
    }

    /// Removes the key of a vault that does not say where it is: the file, and entries named by `ids`.
    pub(super) fn remove_wherever(&self, ids: Vec<KeyId>) -> Result<()> {
        for id in ids {
            // A source that cannot be asked most likely never had it.
            let _ = self.remove(KeySource::Kernel, id);
            let _ = self.remove(KeySource::Keyring, id);
        }
        self.azt_dir.remove(NEXT_FILE)?;
        self.azt_dir.remove(FILE).map(drop)
    }

    /// The error for a vault whose key `id` its source does not have (`found`: it has another).
    pub(super) fn lost(&self, source: KeySource, id: KeyId, found: Option<KeyId>) -> Error {
        let place = self.place(source);
        let error = match (source, found) {
            (KeySource::Env, None) => env::unset(self.system),
            (_, Some(other)) => trouble(format!(
                "The key in {place} ({other}) is not the one that the vault was sealed with ({id})."
            ))
            .remedy("Put the former key back to use what is stored."),
            (KeySource::Kernel, None) => trouble(format!(
                "The vault key {id} is no longer in {place}, which is emptied when the machine \
                 restarts."
            ))
            .remedy("What is stored cannot be opened without it."),
            (KeySource::File | KeySource::Keyring, None) => {
                trouble(format!("The vault key {id} is no longer in {place}."))
                    .remedy("Restore it from a backup to use what is stored.")
            }
        };
        error.remedy(start_afresh(self.system))
    }

    fn place(&self, source: KeySource) -> String {
        match source {
            KeySource::Env => env::VARIABLE.to_owned(),
            KeySource::File => self.azt_dir.file(FILE).display().to_string(),
            KeySource::Kernel => "the kernel's keyring".to_owned(),
            KeySource::Keyring => "the keyring".to_owned(),
        }
    }
}
