//! What a vault contains, without its key.

use std::collections::BTreeMap;

use super::folder::{Contents, RecordFolder};
use super::manifest::Manifest;
use super::{KeyId, KeySource, of_vault};
use crate::error::Result;
use crate::sys::{Folder, System};

/// What a vault contains, as far as it is visible without the key.
#[derive(Debug)]
pub struct Inventory {
    /// Source and id of the key; `None` if nothing was ever stored.
    pub key: Option<(KeySource, KeyId)>,
    /// Number of records of each kind, by file name prefix.
    pub records: BTreeMap<String, usize>,
    /// Total size of the records.
    pub bytes: u64,
    /// Number of files that could not be opened and were renamed.
    pub unreadable: usize,
}

/// Counts the contents of the vault in `azt_dir` without opening a record.
pub fn inventory(system: &System, azt_dir: impl Into<Folder>) -> Result<Inventory> {
    let azt_dir = &azt_dir.into();
    let count = || -> Result<Inventory> {
        let key = Manifest::read(system, azt_dir)?.map(|found| (found.key_source, found.key_id));
        let Contents { records, bytes, unreadable } = RecordFolder::of(azt_dir).contents()?;
        Ok(Inventory { key, records, bytes, unreadable })
    };
    count().map_err(of_vault)
}
