//! The folder of sealed records: one file per record, replaced as a whole, read without a lock.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::key::{KeyId, hex};
use super::newer;
use super::seal::{self, Unopened};
use crate::error::Result;
use crate::sys::file::{Access, Durability, cannot};
use crate::sys::{Folder, fill_random};

const FOLDER: &str = "records";
/// Suffix of a damaged file after its renaming.
const ASIDE: &str = ".unreadable";
/// Length of a record's file name: two letters, a hyphen, 32 hex digits.
const NAME_LENGTH: usize = 35;

/// The contents of a vault's record folder.
pub(super) struct Contents {
    /// Number of records of each kind, by prefix.
    pub(super) records: BTreeMap<String, usize>,
    /// Their total size in bytes.
    pub(super) bytes: u64,
    /// Number of renamed damaged files.
    pub(super) unreadable: usize,
}

/// The folder of one vault's records.
pub(super) struct RecordFolder(Folder);

impl RecordFolder {
    pub(super) fn of(azt_dir: &Folder) -> Self {
        Self(azt_dir.sub(FOLDER))
    }

    pub(super) fn path(&self) -> PathBuf {
        self.0.path()
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.0.file(name)
    }

    /// Fails if no record can be written.
    pub(super) fn check_writable(&self) -> Result<()> {
        self.0.check_writable()
    }

    pub(super) fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.0.read(name)
    }

    pub(super) fn write(&self, name: &str, sealed: &[u8], durability: Durability) -> Result<()> {
        self.0.ensure()?;
        self.0.write(name, sealed, Access::Owner, durability)
    }

    /// Removes a file; true if there was one.
    pub(super) fn remove(&self, name: &str) -> Result<bool> {
        self.0.remove(name)
    }

    /// Renames a damaged file, so that it is neither read again nor lost; returns the new name.
    pub(super) fn set_aside(&self, name: &str) -> Result<io::Result<String>> {
        let mut suffix = [0; 4];
        fill_random(&mut suffix)?;
        let aside = format!("{name}.{}{ASIDE}", hex(&suffix));
        Ok(self.0.rename(name, &aside).map(|()| aside))
    }

    /// Renames `aside` back to `name`, or removes it if there is a newer file of that name.
    pub(super) fn put_back(&self, aside: &str, name: &str) -> Result<()> {
        let renamed = self.0.rename_unless_there(aside, name);
        if !renamed.map_err(|error| cannot("restore", &self.file(name), error))? {
            self.0.remove(aside)?;
        }
        Ok(())
    }

    /// Removes temporary files that no process has written to for `age`.
    pub(super) fn remove_abandoned(&self, age: Duration) -> Result<()> {
        self.0.remove_temporaries(Some(age))
    }

    /// The names of the sealed files, sorted.
    pub(super) fn names(&self) -> Result<Vec<String>> {
        let mut names = self.0.names()?;
        names.retain(|name| is_sealed(name));
        names.sort_unstable();
        Ok(names)
    }

    /// The ids of the keys that records are sealed with, most frequent first.
    ///
    /// # Errors
    /// A newer azt wrote one of them.
    pub(super) fn sealed_with(&self) -> Result<Vec<KeyId>> {
        let mut counts: Vec<(KeyId, usize)> = Vec::new();
        for name in self.names()? {
            let Some(contents) = self.read(&name)? else { continue };
            match seal::key_id(&contents) {
                Ok(id) => match counts.iter_mut().find(|(known, _)| *known == id) {
                    Some((_, count)) => *count += 1,
                    None => counts.push((id, 1)),
                },
                Err(Unopened::Newer(version)) => {
                    return Err(newer(&self.file(&name), version.into()));
                }
                // A file without a key id is not a record.
                Err(_) => {}
            }
        }
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        Ok(counts.into_iter().map(|(id, _)| id).collect())
    }

    /// Removes the records that are sealed with the key `id`.
    pub(super) fn remove_sealed_with(&self, id: KeyId) -> Result<()> {
        for name in self.names()? {
            let Some(contents) = self.read(&name)? else { continue };
            if seal::key_id(&contents).is_ok_and(|found| found == id) {
                self.remove(&name)?;
            }
        }
        Ok(())
    }

    pub(super) fn contents(&self) -> Result<Contents> {
        let all = self.0.names()?;
        let unreadable = all.iter().filter(|name| name.ends_with(ASIDE)).count();
        let mut contents = Contents { records: BTreeMap::new(), bytes: 0, unreadable };
        for name in all.iter().filter(|name| is_sealed(name)) {
            contents.bytes += self.0.stamp(name).map_or(0, |stamp| stamp.size);
            *contents.records.entry(name.chars().take(2).collect()).or_default() += 1;
        }
        Ok(contents)
    }

    /// Removes all records, renamed damaged files and temporary files. Foreign files stay.
    pub(super) fn remove_all(&self) -> Result<()> {
        for name in self.0.names()? {
            if is_sealed(name.get(..NAME_LENGTH).unwrap_or_default()) {
                self.remove(&name)?;
            }
        }
        self.0.remove_temporaries(None)
    }
}

/// True for the file name of a record: the kind's prefix and 32 hex digits.
fn is_sealed(name: &str) -> bool {
    name.split_once('-').is_some_and(|(prefix, hash)| {
        prefix.len() == 2 && hash.len() == 32 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_put_back_unless_a_newer_one_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let folder = RecordFolder(Folder::at(dir.path()));
        let (aside, path) = (dir.path().join("aside"), dir.path().join("path"));
        std::fs::write(&aside, "first").unwrap();
        folder.put_back("aside", "path").unwrap();
        assert_eq!((std::fs::read(&path).unwrap(), aside.exists()), (b"first".to_vec(), false));
        std::fs::write(&aside, "second").unwrap();
        folder.put_back("aside", "path").unwrap();
        assert_eq!((std::fs::read(&path).unwrap(), aside.exists()), (b"first".to_vec(), false));
        std::fs::write(&aside, "third").unwrap();
        folder.put_back("aside", "nowhere/path").unwrap_err();
        assert!(aside.exists(), "nothing is lost");
    }
}
