//! The sources of the vault key.

mod env;
mod file;
mod kernel;
mod key_file;
mod keyring;
mod passphrase;
mod source;
mod vault_key;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub(crate) use kernel::KERNEL_FORGETS;
pub(crate) use vault_key::{KeyId, VaultKey};

pub(super) use vault_key::hex;

use env::Env;
use file::File;
use kernel::Kernel;
use key_file::KeyFile;
use keyring::Keyring;
use passphrase::Passphrase;
use source::Source;

use super::{Options, start_afresh, vault_failure};
use crate::error::{Error, Kind, Result};
use crate::sys::{Folder, System};

/// The place of a vault key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeySource {
    /// The environment variable `AZT_VAULT_KEY`: 64 hex digits or base64 of 32 bytes.
    Env,
    /// The file `vault.key` beside the records, which only its owner can read.
    File,
    /// The Linux kernel's user keyring, which loses its contents when the machine restarts.
    Kernel,
    /// The Secret Service, macOS Keychain or Windows Credential Manager.
    Keyring,
    /// The file `vault.passphrase`, sealed with a passphrase; Linux only.
    Passphrase,
}

/// The requested source: one source, or `auto`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyChoice {
    /// The environment variable if set, else the keyring if it accepts the key, else the file.
    #[default]
    Auto,
    /// This source only.
    Source(KeySource),
}

const SOURCES: [KeySource; 5] =
    [KeySource::Env, KeySource::File, KeySource::Kernel, KeySource::Keyring, KeySource::Passphrase];

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Env => "env",
            Self::File => "file",
            Self::Kernel => "kernel",
            Self::Keyring => "keyring",
            Self::Passphrase => "passphrase",
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
                format!("'{text}' is not a key source: use auto, env, file, kernel, keyring or passphrase."),
            )
        })
    }
}

/// The key sources of one vault.
pub(super) struct Sources<'s> {
    system: &'s System,
    env: Env<'s>,
    file: File,
    kernel: Kernel,
    keyring: Keyring<'s>,
    passphrase: Passphrase<'s>,
}

/// A new key, and what a user should know about its source.
pub(super) struct Chosen {
    pub(super) source: KeySource,
    pub(super) key: VaultKey,
    pub(super) notice: Option<String>,
}

/// Whether a user may be asked to unlock the keyring, or for the passphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prompt {
    /// At a sign-in, where a user is present.
    Allowed,
    Never,
}

impl<'s> Sources<'s> {
    pub(super) fn new(
        system: &'s System,
        azt_dir: &Folder,
        options: Options,
        prompt: Prompt,
    ) -> Self {
        let limit = match prompt {
            Prompt::Allowed => keyring::limit_at_sign_in(system, options.keyring_limit),
            Prompt::Never => options.keyring_limit,
        };
        Self {
            system,
            env: Env { system },
            file: File::of(azt_dir),
            kernel: Kernel,
            keyring: Keyring { system, limit, cache_seconds: options.key_cache_seconds },
            passphrase: Passphrase::of(
                system,
                azt_dir,
                prompt == Prompt::Allowed && system.can_ask(),
                options.key_cache_seconds,
            ),
        }
    }

    fn get(&self, source: KeySource) -> &dyn Source {
        match source {
            KeySource::Env => &self.env,
            KeySource::File => &self.file,
            KeySource::Kernel => &self.kernel,
            KeySource::Keyring => &self.keyring,
            KeySource::Passphrase => &self.passphrase,
        }
    }

    /// [`Source::fetch`] of `source`.
    pub(super) fn fetch(&self, source: KeySource, id: KeyId) -> Result<Option<VaultKey>> {
        self.get(source).fetch(id)
    }

    /// The id of the key in the environment, if it differs from `id`, the vault's key in `source`.
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

    /// The key that azt pinned in the keyring for this folder; `None` also if the keyring does not
    /// answer.
    pub(super) fn pinned(&self) -> Option<KeyId> {
        keyring::pinned(self.system, &self.file.key_file.folder.path(), self.keyring.limit)
    }

    /// Pins the key of this folder if it is in the keyring, else removes the pin. If that fails, a
    /// change of the source goes unnoticed, as without a keyring.
    pub(super) fn pin(&self, source: KeySource, id: KeyId) {
        match (source, self.pinned()) {
            (KeySource::Keyring, Some(pinned)) if pinned == id => {}
            (KeySource::Keyring, _) => {
                keyring::pin(
                    self.system,
                    &self.file.key_file.folder.path(),
                    id,
                    self.keyring.limit,
                );
            }
            (_, Some(_)) => self.unpin(),
            (_, None) => {}
        }
    }

    /// Removes the pin of [`Sources::pin`].
    pub(super) fn unpin(&self) {
        keyring::unpin(self.system, &self.file.key_file.folder.path(), self.keyring.limit);
    }

    /// The first source that holds one of the keys `ids` and passes `check`.
    ///
    /// # Errors
    /// No source does; one sentence for each source that failed or did not pass.
    pub(super) fn find(
        &self,
        ids: &[KeyId],
        check: impl Fn(KeySource, KeyId) -> Result<()>,
    ) -> Result<(KeySource, VaultKey), Vec<String>> {
        let mut reasons = Vec::new();
        for id in ids {
            for source in SOURCES {
                match self.fetch(source, *id) {
                    Ok(Some(key)) if key.id() == *id => match check(source, *id) {
                        Ok(()) => return Ok((source, key)),
                        Err(error) => reasons.push(error.message().to_owned()),
                    },
                    Ok(_) => {}
                    Err(error) => reasons.push(error.message().to_owned()),
                }
            }
        }
        reasons.dedup();
        Err(reasons)
    }

    /// Creates a key for a new vault, or takes the one in the environment, and verifies that it can
    /// be read back.
    pub(super) fn choose(&self, choice: KeyChoice) -> Result<Chosen> {
        match choice {
            KeyChoice::Source(source) => self.make(source),
            KeyChoice::Auto if env::fetch(self.system)?.is_some() => self.make(KeySource::Env),
            KeyChoice::Auto => self.make(KeySource::Keyring).or_else(|_| {
                let chosen = self.make(KeySource::File)?;
                let notice = format!(
                    "The vault key is kept in {}: no keyring here accepts it (azt doctor has the details).",
                    self.file.place()
                );
                Ok(Chosen { notice: Some(notice), ..chosen })
            }),
        }
    }

    /// Why the keyring cannot be used; `None` if it can.
    pub(super) fn keyring_flaw(&self) -> Option<Error> {
        keyring::flaw(self.system, self.keyring.limit)
    }

    fn make(&self, source: KeySource) -> Result<Chosen> {
        let place = self.get(source);
        let key = place.make()?;
        if place.read_back(key.id())?.as_ref() != Some(&key) {
            return Err(vault_failure(format!(
                "The key source '{source}' did not keep the vault key."
            )));
        }
        Ok(Chosen { source, key, notice: place.notice().map(str::to_owned) })
    }

    /// Creates a new key in `to`. The one in `from` stays until it is settled or
    /// removed.
    pub(super) fn make_next(&self, from: KeySource, to: KeySource) -> Result<VaultKey> {
        if from == to {
            return self.get(to).make_next();
        }
        self.make(to).map(|chosen| chosen.key)
    }

    /// [`KeyFile::settle`] of `source`, if it keeps one key.
    pub(super) fn settle_next(&self, source: KeySource) -> Result<()> {
        self.get(source).key_file().map_or(Ok(()), KeyFile::settle)
    }

    /// True if `source` has room for one key and a new one beside it.
    pub(super) fn keeps_one_key(&self, source: KeySource) -> bool {
        self.get(source).key_file().is_some()
    }

    /// [`KeyFile::clear_next`] of `source`, if it keeps one key.
    pub(super) fn clear_next(&self, source: KeySource, current: KeyId) -> Result<()> {
        self.get(source).key_file().map_or(Ok(()), |file| file.clear_next(current))
    }

    /// Removes the copies of the key `id` in the kernel, so that its source is asked again.
    pub(super) fn lock(&self, id: KeyId) {
        kernel::forget_cached(id);
    }

    /// Removes the key `id` and its copy in the kernel.
    pub(super) fn remove(&self, source: KeySource, id: KeyId) -> Result<()> {
        kernel::forget_cached(id);
        self.get(source).remove(id)
    }

    /// Removes the keys `ids` from all sources, for a vault without `vault.json`, and the key files.
    pub(super) fn remove_wherever(&self, ids: Vec<KeyId>) -> Result<()> {
        for id in ids {
            for source in SOURCES.into_iter().filter(|source| !self.keeps_one_key(*source)) {
                // A source that does not answer most likely never had it.
                let _ = self.remove(source, id);
            }
            kernel::forget_cached(id);
        }
        self.passphrase.key_file.remove()?;
        self.file.key_file.remove()
    }

    /// The error for a vault whose source does not have its key `id`; `found` is the key that it
    /// has.
    pub(super) fn lost(&self, source: KeySource, id: KeyId, found: Option<KeyId>) -> Error {
        let place = self.get(source);
        let error = match found {
            Some(other) => vault_failure(format!(
                "The key in {} ({other}) is not the one that the vault was sealed with ({id}).",
                place.place()
            ))
            .remedy("Put the old key back to use the stored data."),
            None => place.lost(id),
        };
        error.last_resort(start_afresh(self.system))
    }
}
