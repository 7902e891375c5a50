//! The folder of sealed records: one file each, replaced whole, read without a lock.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;

use zeroize::Zeroizing;

use super::key::{KeyId, VaultKey, hex};
use super::manifest::Manifest;
use super::record::{Record, RecordKey, Unsealed};
use super::seal::{self, Seal, Unopened};
use super::{newer, start_afresh, trouble};
use crate::error::{Error, Kind, Result};
use crate::sys::file::Access;
use crate::sys::{Folder, System, fill_random};

const FOLDER: &str = "records";
/// Ends the name of a file that could not be opened.
const ASIDE: &str = ".unreadable";
/// Room for a record with the longest tokens, so that its text is not copied while it grows.
const ROOM: usize = 16 * 1024;

/// What a file held.
enum Loaded<R> {
    Record(R),
    /// No record of this vault: there is no file, or it was set aside, or its key is retired.
    Nothing,
    /// It was sealed with another key, which is why it is not opened.
    OfOtherKey(Error),
}

/// The records of one vault.
pub(super) struct Store<'s> {
    system: &'s System,
    azt_dir: Folder,
    folder: Folder,
    seal: RefCell<Rc<Seal>>,
    warned: Cell<bool>,
}

impl<'s> Store<'s> {
    pub(super) fn new(system: &'s System, azt_dir: &Folder, key: &VaultKey) -> Self {
        let (folder, seal) = (azt_dir.sub(FOLDER), RefCell::new(Rc::new(Seal::new(key))));
        Self { system, azt_dir: azt_dir.clone(), folder, seal, warned: Cell::new(false) }
    }

    /// From now on with the key of `other`, which this vault has by now.
    pub(super) fn go_on_with(&self, other: Self) {
        self.seal.replace(other.seal.into_inner());
    }

    fn sealer(&self) -> Rc<Seal> {
        Rc::clone(&self.seal.borrow())
    }

    /// The name of the file for `key`.
    pub(super) fn name<R: Record>(&self, key: &RecordKey<R>) -> String {
        self.sealer().file_name(R::PREFIX, key.as_str())
    }

    /// Something else than a record, sealed as a file of this name.
    pub(super) fn seal(&self, name: &str, plain: &[u8]) -> Result<Vec<u8>> {
        self.sealer().seal(name, plain)
    }

    /// What [`Store::seal`] sealed.
    pub(super) fn open(&self, name: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.sealer().open(name, sealed).ok()
    }

    pub(super) fn get<R: Record>(&self, key: &RecordKey<R>) -> Result<Option<R>> {
        match self.load(&self.name(key))? {
            Loaded::Record(record) => Ok(Some(record)),
            Loaded::Nothing => Ok(None),
            Loaded::OfOtherKey(error) => Err(error),
        }
    }

    /// An error where no record could be put.
    pub(super) fn try_out(&self) -> Result<()> {
        self.folder.try_out().map_err(|error| self.unwritable(error))
    }

    pub(super) fn put<R: Record>(&self, record: &R) -> Result<()> {
        let mut plain = Zeroizing::new(Vec::with_capacity(ROOM));
        // The cause is not told: it could quote the record.
        serde_json::to_writer(&mut *plain, record)
            .map_err(|_| trouble("The record cannot be written as JSON."))?;
        let name = self.name(&record.key());
        let sealed = self.sealer().seal(&name, &plain)?;
        self.folder
            .ensure()
            .and_then(|()| self.folder.write(&name, &sealed, Access::Owner, R::IS_DURABLE))
            .map_err(|error| self.unwritable(error))
    }

    pub(super) fn remove<R: Record>(&self, key: &RecordKey<R>) -> Result<bool> {
        self.folder.remove(&self.name(key)).map_err(|error| self.unwritable(error))
    }

    /// Every record of one kind, in the order of their files' names, and why a record of another key
    /// was left out: one that somebody put there must not be in the way of all others.
    pub(super) fn all<R: Record>(&self) -> Result<(Vec<R>, Option<Error>)> {
        let (mut records, mut left_out) = (Vec::new(), None);
        for name in names(&self.folder)? {
            if !name.starts_with(R::PREFIX) {
                continue;
            }
            match self.load(&name)? {
                Loaded::Record(record) => records.push(record),
                Loaded::Nothing => {}
                Loaded::OfOtherKey(error) => left_out = Some(error),
            }
        }
        Ok((records, left_out))
    }

    /// Removes what killed writers left behind longer ago than `age`.
    pub(super) fn remove_abandoned(&self, age: std::time::Duration) -> Result<()> {
        self.folder.remove_temporaries(Some(age))
    }

    fn load<R: Record>(&self, name: &str) -> Result<Loaded<R>> {
        let Some(contents) = read(&self.folder, name)? else { return Ok(Loaded::Nothing) };
        match self.unseal(name, &contents)? {
            Ok(loaded) => Ok(loaded),
            Err(flaw) => self.set_aside(name, flaw),
        }
    }

    /// The record in `contents`; the inner error says what is wrong with a damaged file.
    fn unseal<R: Record>(
        &self,
        name: &str,
        contents: &[u8],
    ) -> Result<Result<Loaded<R>, &'static str>> {
        match self.sealer().open(name, contents) {
            // The cause is not told: it could quote the record.
            Ok(plain) => {
                let record = R::unseal(&Unsealed(&plain)).map(Loaded::Record);
                Ok(record.map_err(|_| "it holds no such record"))
            }
            Err(Unopened::Damaged(flaw)) => Ok(Err(flaw)),
            Err(Unopened::OtherKey(other)) if self.is_retired(other) => Ok(Ok(Loaded::Nothing)),
            Err(Unopened::Newer(version)) => Err(newer(&self.folder.file(name), version.into())),
            Err(Unopened::OtherKey(other)) => {
                let (path, id) = (self.folder.file(name), self.sealer().key_id());
                let path = path.display();
                let error =
                    trouble(format!("{path} was sealed with the key {other}, not with {id}."))
                        .remedy("Put back the key and the vault.json that it belongs to.")
                        .remedy(start_afresh(self.system));
                Ok(Ok(Loaded::OfOtherKey(error)))
            }
        }
    }

    /// Whether records of the key `id` are not of this vault, or not any more: asked anew, since a
    /// change of keys may have begun meanwhile.
    fn is_retired(&self, id: KeyId) -> bool {
        let Ok(Some(manifest)) = Manifest::read(self.system, &self.azt_dir) else { return false };
        manifest.retired().is_some_and(|(_, retired)| retired == id) || manifest.key_id == id
    }

    /// Renames a damaged file, so that it is out of the way but not lost, and says so once.
    fn set_aside<R: Record>(&self, name: &str, flaw: &str) -> Result<Loaded<R>> {
        let mut mark = [0; 4];
        fill_random(&mut mark)?;
        let aside = format!("{name}.{}{ASIDE}", hex(&mark));
        let path: PathBuf = self.folder.file(name);
        match self.folder.rename(name, &aside) {
            // Another process was faster, and has said so.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Loaded::Nothing),
            Err(error) => {
                self.warn(&format!(
                    "{} cannot be opened: {flaw}. Cannot set it aside: {error}.",
                    path.display()
                ));
                return Ok(Loaded::Nothing);
            }
            Ok(()) => {}
        }
        // A writer may have replaced the damaged file before it was renamed: then this is a good
        // record, which goes back unless a later one has taken its place.
        if let Some(contents) = read(&self.folder, &aside)?
            && let Ok(Ok(record @ Loaded::Record(_))) = self.unseal(name, &contents)
        {
            let renamed = self.folder.rename_unless_there(&aside, name);
            if !renamed.map_err(|error| crate::sys::file::cannot("restore", &path, error))? {
                self.folder.remove(&aside)?;
            }
            return Ok(record);
        }
        self.warn(&format!(
            "{} cannot be opened: {flaw}. It was set aside as {} and counts as absent.",
            path.display(),
            self.folder.file(&aside).display()
        ));
        Ok(Loaded::Nothing)
    }

    /// Says so, the first time as a warning.
    pub(super) fn warn(&self, text: &str) {
        if self.warned.replace(true) {
            self.system.terminal.info(text);
        } else {
            self.system.terminal.warn(text);
        }
    }

    fn unwritable(&self, error: Error) -> Error {
        let error = error.of_kind(Kind::Vault);
        if !error.remedy_lines().is_empty() {
            return error;
        }
        let folder = self.folder.path();
        let folder = folder.display();
        error.remedy(format!("azt keeps tokens in {folder}: it must be writable, with space left."))
    }
}

/// The ids of the keys that records in `azt_dir` are sealed with, that of most records first.
pub(super) fn sealed_with(azt_dir: &Folder) -> Result<Vec<KeyId>> {
    let folder = azt_dir.sub(FOLDER);
    let mut counts: Vec<(KeyId, usize)> = Vec::new();
    for name in names(&folder)? {
        let Some(contents) = read(&folder, &name)? else { continue };
        match seal::key_id(&contents) {
            Ok(id) => match counts.iter_mut().find(|(known, _)| *known == id) {
                Some((_, count)) => *count += 1,
                None => counts.push((id, 1)),
            },
            Err(Unopened::Newer(version)) => {
                return Err(newer(&folder.file(&name), version.into()));
            }
            // Nothing would be lost with it.
            Err(_) => {}
        }
    }
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    Ok(counts.into_iter().map(|(id, _)| id).collect())
}

/// Removes the records that were sealed with the key `id`.
pub(super) fn remove_sealed_with(azt_dir: &Folder, id: KeyId) -> Result<()> {
    let folder = azt_dir.sub(FOLDER);
    for name in names(&folder)? {
        let Some(contents) = read(&folder, &name)? else { continue };
        if seal::key_id(&contents).is_ok_and(|found| found == id) {
            folder.remove(&name).map_err(|error| error.of_kind(Kind::Vault))?;
        }
    }
    Ok(())
}

/// How many records of each kind there are, by the letters of the kind, their bytes, and how many
/// files were set aside.
pub(super) fn inventory(azt_dir: &Folder) -> Result<(BTreeMap<String, usize>, u64, usize)> {
    let folder = azt_dir.sub(FOLDER);
    let (mut counts, mut bytes) = (BTreeMap::new(), 0);
    let all = all_names(&folder)?;
    let unreadable = all.iter().filter(|name| name.ends_with(ASIDE)).count();
    for name in all.iter().filter(|name| is_sealed(name)) {
        bytes += folder.stamp(name).map_or(0, |stamp| stamp.size);
        *counts.entry(name.chars().take(2).collect()).or_default() += 1;
    }
    Ok((counts, bytes, unreadable))
}

/// Removes all records in `azt_dir`, and what was set aside or left behind by a crash. Files that are
/// none of azt's stay.
pub(super) fn remove_all(azt_dir: &Folder) -> Result<()> {
    let records = azt_dir.sub(FOLDER);
    for name in all_names(&records)? {
        if is_sealed(name.get(..35).unwrap_or_default()) {
            records.remove(&name).map_err(|error| error.of_kind(Kind::Vault))?;
        }
    }
    records.remove_temporaries(None).map_err(|error| error.of_kind(Kind::Vault))
}

fn read(folder: &Folder, name: &str) -> Result<Option<Vec<u8>>> {
    folder.read(name).map_err(|error| error.of_kind(Kind::Vault))
}

/// The names of the sealed files in `folder`, sorted.
fn names(folder: &Folder) -> Result<Vec<String>> {
    let mut names = all_names(folder)?;
    names.retain(|name| is_sealed(name));
    names.sort_unstable();
    Ok(names)
}

fn all_names(folder: &Folder) -> Result<Vec<String>> {
    folder.names().map_err(|error| error.of_kind(Kind::Vault))
}

/// Whether a sealed file has this `name`: two letters and 32 hex digits.
fn is_sealed(name: &str) -> bool {
    name.split_once('-').is_some_and(|(letters, hash)| {
        letters.len() == 2 && hash.len() == 32 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::super::{AccessToken, VaultKey};
    use super::*;
    use crate::program::Program;

    #[test]
    fn a_good_record_that_took_the_place_of_a_damaged_one_is_not_lost() {
        let dir = tempfile::tempdir().unwrap();
        let system = System::real(Program::Azt);
        let store = Store::new(&system, &Folder::at(dir.path()), &VaultKey::generate().unwrap());
        let text =
            r#"{"environment":"e","client_id":"c","realm":"t","secret":"s","expires_on":"1"}"#;
        let token: AccessToken = serde_json::from_str(text).unwrap();
        store.put(&token).unwrap();
        // As if the damaged file had been read before this one was written.
        let found = store.set_aside::<AccessToken>(&store.name(&token.key()), "it was damaged");
        assert!(matches!(found, Ok(Loaded::Record(found)) if found == token));
        assert_eq!(store.get(&token.key()).unwrap(), Some(token));
        assert_eq!(all_names(&store.folder).unwrap().len(), 1);
    }

    #[test]
    fn what_goes_back_is_in_nobodys_way_and_never_lost() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::at(dir.path());
        let (aside, path) = (dir.path().join("aside"), dir.path().join("path"));
        std::fs::write(&aside, "first").unwrap();
        assert!(folder.rename_unless_there("aside", "path").unwrap());
        assert_eq!((std::fs::read(&path).unwrap(), aside.exists()), (b"first".to_vec(), false));
        std::fs::write(&aside, "second").unwrap();
        assert!(!folder.rename_unless_there("aside", "path").unwrap());
        assert_eq!((std::fs::read(&path).unwrap(), aside.exists()), (b"first".to_vec(), true));
        std::fs::write(&aside, "third").unwrap();
        folder.rename_unless_there("aside", "nowhere/path").unwrap_err();
        assert!(aside.exists());
    }
}
