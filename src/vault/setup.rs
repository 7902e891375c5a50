//! Opening a vault, making one, and finding the key of one whose `vault.json` is gone.

use std::cell::Cell;
use std::time::Duration;

use super::folder::RecordFolder;
use super::key::Sources;
use super::lock::{Held, Locks};
use super::manifest::Manifest;
use super::store::Store;
use super::{KeyChoice, KeyId, KeySource, Options, Prompt, Vault, VaultKey, start_afresh, trouble};
use crate::error::{Error, Result};
use crate::sys::{Folder, System};

/// Longer than a person may take to unlock the keyring for the process that makes the vault.
const SETUP_LIMIT: Duration = Duration::from_secs(150);

/// What to do where the keyring has the key and does not give it. The last line works there as well.
const WITHOUT_KEYRING: [&str; 3] = [
    "In a session where the keyring is unlocked the key can be moved: 'azt vault move --to file'.",
    "In this session a folder of its own does without a keyring:",
    if cfg!(windows) {
        "$env:AZURE_CONFIG_DIR = \"$HOME/.azure-here\"; $env:AZURE_CORE_KEY_SOURCE = 'file'; azt login"
    } else {
        "export AZURE_CONFIG_DIR=\"$HOME/.azure-here\" AZURE_CORE_KEY_SOURCE=file; azt login"
    },
];

/// What opening and making a vault need.
pub(super) struct Setup<'s> {
    pub(super) system: &'s System,
    pub(super) azt_dir: Folder,
    options: Options,
    /// True for a change of the key, which may be of its source.
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
            // The key may have been changed between its name and itself.
            match Manifest::read(self.system, &self.azt_dir)? {
                Some(now) if now != manifest => manifest = now,
                _ => return opened,
            }
        }
    }

    /// The vault as `manifest` describes it; `None` when its key is gone but nothing was sealed
    /// with it.
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
                // A disk or a mode is mended, and nothing is lost.
                KeySource::File if error.is_from_system() => error,
                _ => error.last_resort(start_afresh(self.system)),
            })?;
        match found.as_ref().map(VaultKey::id) {
            Some(found_id) if found_id == id => {}
            _ if RecordFolder::of(&self.azt_dir).sealed_with()?.is_empty() => return Ok(None),
            other => return Err(self.sources.lost(source, id, other)),
        }
        Ok(found.map(|key| self.vault(source, &key, None)))
    }

    /// An error where `vault.json` names another source than the settings or the environment do.
    ///
    /// Whoever can write the folder can write `vault.json`, and a key beside it; neither the variable
    /// nor the keyring is theirs. Without this, what is stored from then on would be sealed for them.
    fn check_source(&self, source: KeySource, id: KeyId) -> Result<()> {
        if let KeyChoice::Source(wanted) = self.options.key_source
            && wanted != source
        {
            return Err(trouble(format!(
                "The vault key is kept in '{source}', and core.key_source asks for '{wanted}'."
            ))
            .remedy(format!(
                "If you changed the setting, move the key, and all that is stored there: azt vault move --to {wanted}"
            ))
            .remedy(format!("Or set core.key_source to '{source}' or 'auto' to go on with it.")));
        }
        self.check_environment(source, id)
    }

    /// An error where the variable has another key than the vault's, `id` in `source`.
    pub(super) fn check_environment(&self, source: KeySource, id: KeyId) -> Result<()> {
        match self.sources.other_in_environment(source, id)? {
            Some(other) => Err(trouble(format!(
                "AZT_VAULT_KEY has the key {other}, and the vault is sealed with {id}, kept in '{source}'."
            ))
            .remedy("If you chose that source, unset AZT_VAULT_KEY.")
            .remedy("If you did not, somebody else changed vault.json or core.key_source: restore them from a backup.")
            .last_resort(start_afresh(self.system))),
            None => Ok(()),
        }
    }

    /// An error where the keyring says that azt keeps the key of this folder there, and `vault.json`
    /// that it is elsewhere. Asked at sign-ins and changes of the key, not for every token: a keyring
    /// takes its time.
    pub(super) fn check_pin(&self, source: KeySource, id: KeyId) -> Result<()> {
        match self.sources.pinned() {
            Some(pinned) if source != KeySource::Keyring || pinned != id => {
                Err(self.not_pinned(pinned, source, id))
            }
            _ => Ok(()),
        }
    }

    fn not_pinned(&self, pinned: KeyId, source: KeySource, id: KeyId) -> Error {
        trouble(format!(
            "The keyring has the key of this vault ({pinned}), and here is another ({id}), kept in '{source}'."
        ))
        .remedy("azt did not change that. Restore vault.json and core.key_source from a backup.")
        .last_resort(start_afresh(self.system))
    }

    /// Finds the key of records whose `vault.json` is gone, and writes that again.
    fn restore(&self) -> Result<Option<Vault<'s>>> {
        let _lock = self.lock(SETUP_LIMIT)?;
        if let Some(manifest) = Manifest::read(self.system, &self.azt_dir)? {
            return self.open_with(&manifest);
        }
        let ids = RecordFolder::of(&self.azt_dir).sealed_with()?;
        let Some(&id) = ids.first() else { return Ok(None) };
        // Whoever removed vault.json may have laid records and a key there instead.
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
                "Mend that and try again; if the key is not there, put it back, or set AZT_VAULT_KEY to it."
            };
            silent
                .into_iter()
                .fold(trouble(message), Error::remedy)
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
        // Another process may have made it while this one waited.
        let former = Manifest::read(self.system, &self.azt_dir)?;
        if let Some(manifest) = &former
            && let Some(vault) = self.open_with(manifest)?
        {
            return Ok(vault);
        }
        let chosen = self.sources.choose(self.options.key_source)?;
        let (source, id) = (chosen.source, chosen.key.id());
        self.check_environment(source, id)?;
        // A new key in the keyring is as safe as the one before; what that opened is gone.
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
            trouble("Another process is setting up the vault and does not finish.")
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
