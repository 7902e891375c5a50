//! `vault.json`: the id and the source of the vault's key.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::key::{KeyId, KeySource};
use super::{newer, start_afresh, vault_failure};
use crate::error::Result;
use crate::sys::file::{Access, Durability};
use crate::sys::{Folder, System};

const NAME: &str = "vault.json";
const VERSION: u64 = 1;

/// The contents of `vault.json`. It holds no secret.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Manifest {
    version: u64,
    pub(super) key_source: KeySource,
    pub(super) key_id: KeyId,
    /// A key whose records do not belong to this vault; see `rekey.rs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) retired: Option<KeyId>,
    /// The source of the retired key, which may still have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retired_source: Option<KeySource>,
    /// Unknown members, kept as they are.
    #[serde(flatten)]
    other: Map<String, Value>,
}

impl Manifest {
    /// The manifest for this key; keeps the unknown members of `former`.
    pub(super) fn new(key_source: KeySource, key_id: KeyId, former: Option<Self>) -> Self {
        let other = former.map(|former| former.other).unwrap_or_default();
        Self { version: VERSION, key_source, key_id, retired: None, retired_source: None, other }
    }

    /// This manifest with another retired key, which is in `source`.
    pub(super) fn retiring(&self, source: KeySource, retired: KeyId) -> Self {
        let former = Self { other: self.other.clone(), ..*self };
        Self { retired: Some(retired), retired_source: Some(source), ..former }
    }

    /// The retired key and its source; never the key in use, even if the file says so.
    pub(super) fn retired(&self) -> Option<(KeySource, KeyId)> {
        let retired = self.retired.filter(|it| *it != self.key_id)?;
        Some((self.retired_source.unwrap_or(self.key_source), retired))
    }

    /// Reads `vault.json`; `None` if there is none. A damaged file is an error and stays, because
    /// it may be the only trace of the key.
    pub(super) fn read(system: &System, azt_dir: &Folder) -> Result<Option<Self>> {
        #[derive(Deserialize)]
        struct Version {
            version: u64,
        }
        let found = azt_dir.read(NAME)?;
        let Some(bytes) = found else { return Ok(None) };
        let path = || azt_dir.file(NAME);
        let manifest = serde_json::from_slice::<Self>(&bytes);
        // A newer format may have other members.
        let version = manifest.as_ref().map_or_else(
            |_| serde_json::from_slice(&bytes).map_or(VERSION, |Version { version }| version),
            |manifest| manifest.version,
        );
        if version > VERSION {
            return Err(newer(&path(), version));
        }
        manifest.map(Some).map_err(|error| {
            vault_failure(format!("{} is damaged: {error}.", path().display()))
                .source(error)
                .remedy(format!(
                    "Restore it from a backup, or remove it: {} then searches for the key.",
                    system.program
                ))
                .last_resort(start_afresh(system))
        })
    }

    /// Writes `vault.json` durably.
    pub(super) fn write(&self, azt_dir: &Folder) -> Result<()> {
        let text = serde_json::to_vec(self)
            .map_err(|error| vault_failure("vault.json cannot be written.").source(error))?;
        azt_dir.write(NAME, &text, Access::Owner, Durability::Durable)
    }

    /// Removes `vault.json`.
    pub(super) fn remove(azt_dir: &Folder) -> Result<()> {
        azt_dir.remove(NAME).map(drop)
    }
}
