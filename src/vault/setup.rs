//! Opens or creates a vault, and finds the key if `vault.json` is missing.

use std::cell::Cell;
use std::time::Duration;

use super::folder::RecordFolder;
use super::key::Sources;
use super::lock::{Held, Locks};
use super::manifest::Manifest;
use super::store::Store;
use super::{
    KeyChoice, KeyId, KeySource, Options, Prompt, Vault, VaultKey, start_afresh, vault_failure,
};
use crate::error::{Error, Result};
use crate::sys::{Folder, System};

/// Longer than a user may need to unlock the keyring for the process that creates the vault.
const SETUP_LIMIT: Duration = Duration::from_secs(150);

/// Remedies if the keyring has the key and does not release it. The last line works in that case
/// too.
const WITHOUT_KEYRING: [&str; 3] = [
    "In a session with an unlocked keyring, move the key: 'azt vault move --to file'.",
    "In this session, use a separate folder without a keyring:",
    if cfg!(windows) {
        "$env:AZURE_CONFIG_DIR = \"$HOME/.azure-here\"; $env:AZURE_CORE_KEY_SOURCE = 'file'; azt login"
    } else {
        "export AZURE_CONFIG_DIR=\"$HOME/.azure-here\" AZURE_CORE_KEY_SOURCE=file; azt login"
    },
];

/// What opening or creating a vault needs.
pub(super) struct Setup<'s> {
    pub(super) system: &'s System,
    pub(super) azt_dir: Folder,
    options: Options,
    /// True for a change of the key, which may also change its source.
    pub(super) changes_source: bool,
    pub(super) sources: Sources<'s>,
}

impl<'s> Setup<'s> {
    pub(super) fn new(
        system: &'s System,
        azt_dir: &Folder,
        options: Options,
        prompt: Prompt,
    ) -> Self {
        let sources = Sources::new(system, azt_dir, options, prompt);
        Self { system, azt_dir: azt_dir.clone(), options, changes_source: false, sources }
    }

    pub(super) fn open(&self) -> Result<Option<Vault<'s>>> {
        let Some(mut manifest) = Manifest::read(self.system, &self.azt_dir)? else {
            return match RecordFolder::of(&self.azt_dir).sealed_with()?.as_slice() {
                [] => Ok(None),
                _ => self.restore(),
            };
        };
        loop {
            let opened = self.open_with(&manifest);
            if matches!(opened, Ok(Some(_))) {
                return opened;
            }
            // The key may have changed between reading vault.json and fetching the key.
            match Manifest::read(self.system, &self.azt_dir)? {
                Some(now) if now != manifest => manifest = now,
                _ => return opened,
            }
        }
    }

    /// The vault that `manifest` describes; `None` if its key is gone and no record needs it.
    pub(super) fn open_with(&self, manifest: &Manifest) -> Result<Option<Vault<'s>>> {
        let (source, id) = (manifest.key_source, manifest.key_id);
        if !self.changes_source {
            self.check_source(source, id)?;
        }
        let found = self
            .sources
            .fetch(source, id)
            .map_err(|error| match source {
                KeySource::Keyring => WITHOUT_KEYRING.into_iter().fold(error, Error::remedy),
                _ => error,
            })
            .map_err(|error| match source {
                // A problem of the disk or the permissions can be repaired without losing anything.
                KeySource::File if error.is_io_error() => error,
                KeySource::Passphrase => error,
                _ => error.last_resort(start_afresh(self.system)),
            })?;
        match found.as_ref().map(VaultKey::id) {
            Some(found_id) if found_id == id => {}
            _ if RecordFolder::of(&self.azt_dir).sealed_with()?.is_empty() => return Ok(None),
            other => return Err(self.sources.lost(source, id, other)),
        }
        Ok(found.map(|key| self.vault(source, &key, None)))
    }

    /// Fails if `vault.json` names another source than the settings or the environment.
    ///
    /// An attacker who can write the folder can write `vault.json` and a key file, but cannot
    /// change the environment or the keyring. Without this check, azt would seal new records with
    /// the attacker's key.
    fn check_source(&self, source: KeySource, id: KeyId) -> Result<()> {
        if let KeyChoice::Source(wanted) = self.options.key_source
            && wanted != source
        {
            return Err(vault_failure(format!(
                "The vault key is kept in '{source}', but core.key_source is '{wanted}'."
            ))
            .remedy(format!(
                "If you changed the setting, move the key: azt vault move --to {wanted}"
            ))
            .remedy(format!(
                "Or set core.key_source to '{source}' or 'auto' to keep the key there."
            )));
        }
        self.check_environment(source, id)
    }

    /// Fails if the variable has another key than the vault's, `id` in `source`.
    pub(super) fn check_environment(&self, source: KeySource, id: KeyId) -> Result<()> {
        match self.sources.other_in_environment(source, id)? {
            Some(other) => Err(vault_failure(format!(
                "AZT_VAULT_KEY has the key {other}, but the vault is sealed with {id}, kept in '{source}'."
            ))
            .remedy("If you chose that source, unset AZT_VAULT_KEY.")
            .remedy("If you did not, another user changed vault.json or core.key_source: restore them from a backup.")
            .last_resort(start_afresh(self.system))),
            None => Ok(()),
        }
    }

    /// Fails if the keyring has a pinned key for this folder and `vault.json` names another one.
    /// Not checked for every token, because a keyring is slow.
    pub(super) fn check_pin(&self, source: KeySource, id: KeyId) -> Result<()> {
        match self.sources.pinned() {
            Some(pinned) if source != KeySource::Keyring || pinned != id => {
                Err(self.not_pinned(pinned, source, id))
            }
            _ => Ok(()),
        }
    }

    fn not_pinned(&self, pinned: KeyId, source: KeySource, id: KeyId) -> Error {
        vault_failure(format!(
            "The keyring names {pinned} as the key of this vault, but the vault has {id}, kept in '{source}'."
        ))
        .remedy("azt did not make this change. Restore vault.json and core.key_source from a backup.")
        .last_resort(start_afresh(self.system))
    }

    /// Finds the key of records without a `vault.json`, and writes that file again.
    fn restore(&self) -> Result<Option<Vault<'s>>> {
        let _lock = self.lock(SETUP_LIMIT)?;
        if let Some(manifest) = Manifest::read(self.system, &self.azt_dir)? {
            return self.open_with(&manifest);
        }
        let ids = RecordFolder::of(&self.azt_dir).sealed_with()?;
        let Some(&id) = ids.first() else { return Ok(None) };
        // An attacker may have replaced vault.json, the records and the key.
        let check = |source, id| {
            if self.changes_source {
                self.check_environment(source, id)?;
            } else {
                self.check_source(source, id)?;
            }
            self.check_pin(source, id)
        };
        let (source, key) = self.sources.find(&ids, check).map_err(|silent| {
            let message = format!(
                "{} is missing, and no key source has the key {id} that the records beside it were \
                 sealed with.",
                self.azt_dir.file("vault.json").display()
            );
            let cure = if silent.is_empty() {
                "Put the key back, or set AZT_VAULT_KEY to it."
            } else {
                "Fix that and try again. If the key is not there, put it back, or set AZT_VAULT_KEY to it."
            };
            silent
                .into_iter()
                .fold(vault_failure(message), Error::remedy)
                .remedy(cure)
                .last_resort(start_afresh(self.system))
        })?;
        Manifest::new(source, key.id(), None).write(&self.azt_dir)?;
        Ok(Some(self.vault(source, &key, None)))
    }

    pub(super) fn open_or_create(&self) -> Result<Vault<'s>> {
        if let Some(vault) = self.open()? {
            return Ok(vault);
        }
        self.azt_dir.ensure()?;
        let lock = self.lock(SETUP_LIMIT)?;
        // Another process may have created it while this one waited.
        let former = Manifest::read(self.system, &self.azt_dir)?;
        if let Some(manifest) = &former
            && let Some(vault) = self.open_with(manifest)?
        {
            return Ok(vault);
        }
        let chosen = self.sources.choose(self.options.key_source)?;
        let (source, id) = (chosen.source, chosen.key.id());
        self.check_environment(source, id)?;
        // A new key in the keyring is as safe as the old one, whose records are gone.
        if former.is_some() || source != KeySource::Keyring {
            self.check_pin(source, id)?;
        }
        Manifest::new(chosen.source, chosen.key.id(), former).write(&self.azt_dir)?;
        self.sources.settle_next(chosen.source)?;
        self.sources.pin(chosen.source, chosen.key.id());
        drop(lock);
        Ok(self.vault(chosen.source, &chosen.key, chosen.notice))
    }

    pub(super) fn lock(&self, limit: Duration) -> Result<Held> {
        Locks::new(&self.azt_dir).setup(limit)?.ok_or_else(|| {
            vault_failure("Another process is setting up the vault and does not finish.")
                .remedy("Answer its question, or end it, and try again.")
        })
    }

    fn vault(&self, key_source: KeySource, key: &VaultKey, notice: Option<String>) -> Vault<'s> {
        let store = Store::new(self.system, &self.azt_dir, key);
        Vault {
            system: self.system,
            azt_dir: self.azt_dir.clone(),
            options: self.options,
            locks: Locks::new(&self.azt_dir),
            choice_notice: notice,
            store,
            key: Cell::new((key_source, key.id())),
        }
    }
}
