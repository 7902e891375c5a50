//! The folder of sealed records: one file each, replaced whole, read without a lock.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use zeroize::Zeroizing;

use super::key::{KeyId, VaultKey, hex};
use super::manifest::Manifest;
use super::record::{Record, RecordKey};
use super::seal::{self, Seal, Unopened};
use super::{newer, start_afresh, trouble};
use crate::error::{Error, Kind, Result};
use crate::sys::file::{self, Access};
use crate::sys::{System, fill_random, folder, remove_temporaries};

const FOLDER: &str = "records";
/// Ends the name of a file that could not be opened.
const ASIDE: &str = ".unreadable";
/// Room for a record with the longest tokens, so that its text is not copied while it grows.
const ROOM: usize = 16 * 1024;

/// The records of one vault.
pub(super) struct Store<'s> {
    system: &'s System,
    folder: PathBuf,
    seal: RefCell<Rc<Seal>>,
    warned: Cell<bool>,
}

impl<'s> Store<'s> {
    pub(super) fn new(system: &'s System, azt_dir: &Path, key: &VaultKey) -> Self {
        let (folder, seal) = (azt_dir.join(FOLDER), RefCell::new(Rc::new(Seal::new(key))));
        Self { system, folder, seal, warned: Cell::new(false) }
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
        self.sealer().file_name(R::LETTERS, key.as_str())
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
        self.load(&self.name(key))
    }

    pub(super) fn put<R: Record>(&self, record: &R) -> Result<()> {
        let mut plain = Zeroizing::new(Vec::with_capacity(ROOM));
        // The cause is not told: it could quote the record.
        serde_json::to_writer(&mut *plain, record)
            .map_err(|_| trouble("The record cannot be written as JSON."))?;
        let name = self.name(&record.key());
        let sealed = self.sealer().seal(&name, &plain)?;
        folder::create_private_dir(&self.folder)
            .and_then(|()| {
                let path = self.folder.join(name);
                file::write_atomic(&path, &sealed, Access::Owner, R::DURABLE)
            })
            .map_err(|error| self.unwritable(error))
    }

    pub(super) fn remove<R: Record>(&self, key: &RecordKey<R>) -> Result<bool> {
        file::remove(&self.folder.join(self.name(key))).map_err(|error| self.unwritable(error))
    }

    /// Every record of one kind, in the order of their files' names.
    pub(super) fn all<R: Record>(&self) -> Result<Vec<R>> {
        let mut records = Vec::new();
        for name in names(&self.folder)? {
            if name.starts_with(R::LETTERS) {
                records.extend(self.load(&name)?);
            }
        }
        Ok(records)
    }

    /// Removes what killed writers left behind longer ago than `age`.
    pub(super) fn remove_abandoned(&self, age: std::time::Duration) -> Result<()> {
        remove_temporaries(&self.folder, Some(age))
    }

    fn load<R: Record>(&self, name: &str) -> Result<Option<R>> {
        let path = self.folder.join(name);
        let Some(contents) = read(&path)? else { return Ok(None) };
        match self.unseal(&path, name, &contents)? {
            Ok(record) => Ok(record),
            Err(flaw) => self.set_aside(name, flaw),
        }
    }

    /// The record in `contents`; the inner error says what is wrong with a damaged file.
    fn unseal<R: Record>(
        &self,
        path: &Path,
        name: &str,
        contents: &[u8],
    ) -> Result<Result<Option<R>, &'static str>> {
        match self.sealer().open(name, contents) {
            // The cause is not told: it could quote the record.
            Ok(plain) => {
                Ok(serde_json::from_slice(&plain).map(Some).map_err(|_| "it holds no such record"))
            }
            Err(Unopened::Damaged(flaw)) => Ok(Err(flaw)),
            Err(Unopened::OtherKey(other)) if self.is_retired(other) => Ok(Ok(None)),
            Err(Unopened::Newer(version)) => Err(newer(path, version.into())),
            Err(Unopened::OtherKey(other)) => {
                let (path, id) = (path.display(), self.sealer().key_id());
                Err(trouble(format!("{path} was sealed with the key {other}, not with {id}."))
                    .remedy("Put back the key and the vault.json that it belongs to.")
                    .remedy(start_afresh(self.system)))
            }
        }
    }

    /// Whether records of the key `id` are not of this vault, or not any more: asked anew, since a
    /// change of keys may have begun meanwhile.
    fn is_retired(&self, id: KeyId) -> bool {
        let manifest = self.folder.parent().map(|azt_dir| Manifest::read(self.system, azt_dir));
        let Some(Ok(Some(manifest))) = manifest else { return false };
        manifest.retired == Some(id) || manifest.key_id == id
    }

    /// Renames a damaged file, so that it is out of the way but not lost, and says so once.
    fn set_aside<R: Record>(&self, name: &str, flaw: &str) -> Result<Option<R>> {
        let path = self.folder.join(name);
        let mut mark = [0; 4];
        fill_random(&mut mark)?;
        let aside = self.folder.join(format!("{name}.{}{ASIDE}", hex(&mark)));
        match fs::rename(&path, &aside) {
            // Another process was faster, and has said so.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                self.warn(&format!(
                    "{} cannot be opened: {flaw}. Cannot set it aside: {error}.",
                    path.display()
                ));
                return Ok(None);
            }
            Ok(()) => {}
        }
        // A writer may have replaced the damaged file before it was renamed: then this is a good
        // record, which goes back unless a later one has taken its place.
        if let Some(contents) = read(&aside)?
            && let Ok(Ok(record @ Some(_))) = self.unseal(&aside, name, &contents)
        {
            put_back(&aside, &path).map_err(|error| file::cannot("restore", &path, error))?;
            return Ok(record);
        }
        self.warn(&format!(
            "{} cannot be opened: {flaw}. It was set aside as {} and counts as absent.",
            path.display(),
            aside.display()
        ));
        Ok(None)
    }

    fn warn(&self, text: &str) {
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
        let folder = self.folder.display();
        error.remedy(format!("azt keeps tokens in {folder}: it must be writable, with space left."))
    }
}

/// The id of the key that the records in `azt_dir` are sealed with; `None` when there are none.
pub(super) fn sealed_with(azt_dir: &Path) -> Result<Option<KeyId>> {
    let folder = azt_dir.join(FOLDER);
    for name in names(&folder)? {
        let path = folder.join(name);
        let Some(contents) = read(&path)? else { continue };
        match seal::key_id(&contents) {
            Ok(id) => return Ok(Some(id)),
            Err(Unopened::Newer(version)) => return Err(newer(&path, version.into())),
            // Nothing would be lost with it.
            Err(_) => {}
        }
    }
    Ok(None)
}

/// Removes the records that were sealed with the key `id`.
pub(super) fn remove_sealed_with(azt_dir: &Path, id: KeyId) -> Result<()> {
    let folder = azt_dir.join(FOLDER);
    for name in names(&folder)? {
        let path = folder.join(name);
        let Some(contents) = read(&path)? else { continue };
        if seal::key_id(&contents).is_ok_and(|found| found == id) {
            file::remove(&path).map_err(|error| error.of_kind(Kind::Vault))?;
        }
    }
    Ok(())
}

/// How many records of each kind there are, by the letters of the kind, their bytes, and how many
/// files were set aside.
pub(super) fn inventory(azt_dir: &Path) -> Result<(BTreeMap<String, usize>, u64, usize)> {
    let folder = azt_dir.join(FOLDER);
    let (mut counts, mut bytes) = (BTreeMap::new(), 0);
    let is_aside = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().ends_with(ASIDE);
    let unreadable = entries(&folder)?.iter().filter(|entry| is_aside(entry)).count();
    for name in names(&folder)? {
        bytes += fs::metadata(folder.join(&name)).map_or(0, |file| file.len());
        *counts.entry(name.chars().take(2).collect()).or_default() += 1;
    }
    Ok((counts, bytes, unreadable))
}

/// Removes all records in `azt_dir`, and what was set aside or left behind by a crash. Files that are
/// none of azt's stay.
pub(super) fn remove_all(azt_dir: &Path) -> Result<()> {
    let records = azt_dir.join(FOLDER);
    folder::refuse_laid(&records).map_err(|error| error.of_kind(Kind::Vault))?;
    for entry in entries(&records)? {
        let name = entry.file_name();
        let is_ours = |name: &str| is_sealed(name.get(..35).unwrap_or_default());
        if name.to_str().is_some_and(is_ours) {
            file::remove(&entry.path()).map_err(|error| error.of_kind(Kind::Vault))?;
        }
    }
    remove_temporaries(&records, None).map_err(|error| error.of_kind(Kind::Vault))
}

fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    file::read(path).map_err(|error| file::cannot("read", path, error).of_kind(Kind::Vault))
}

/// The names of the sealed files in `folder`, sorted.
fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names: Vec<String> = entries(folder)?
        .into_iter()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| is_sealed(name))
        .collect();
    names.sort_unstable();
    Ok(names)
}

/// Whether a sealed file has this `name`: two letters and 32 hex digits.
fn is_sealed(name: &str) -> bool {
    name.split_once('-').is_some_and(|(letters, hash)| {
        letters.len() == 2 && hash.len() == 32 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

fn entries(folder: &Path) -> Result<Vec<fs::DirEntry>> {
    let listed = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed.and_then(Iterator::collect),
    };
    listed.map_err(|error| file::cannot("read", folder, error).of_kind(Kind::Vault))
}

/// Moves `aside` to `path` unless there is a file.
fn put_back(aside: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(aside, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => fs::rename(aside, path),
        _ => fs::remove_file(aside),
    }
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
        let store = Store::new(&system, dir.path(), &VaultKey::generate().unwrap());
        let text =
            r#"{"environment":"e","client_id":"c","realm":"t","secret":"s","expires_on":"1"}"#;
        let token: AccessToken = serde_json::from_str(text).unwrap();
        store.put(&token).unwrap();
        // As if the damaged file had been read before this one was written.
        let found = store.set_aside(&store.name(&token.key()), "it was damaged").unwrap();
        assert_eq!(found.as_ref(), Some(&token));
        assert_eq!(store.get(&token.key()).unwrap(), Some(token));
        assert_eq!(entries(&dir.path().join(FOLDER)).unwrap().len(), 1);
    }

    #[test]
    fn what_goes_back_is_in_nobodys_way_and_never_lost() {
        let dir = tempfile::tempdir().unwrap();
        let (aside, path) = (dir.path().join("aside"), dir.path().join("path"));
        fs::write(&aside, "first").unwrap();
        put_back(&aside, &path).unwrap();
        assert_eq!((fs::read(&path).unwrap(), aside.exists()), (b"first".to_vec(), false));
        fs::write(&aside, "second").unwrap();
        put_back(&aside, &path).unwrap();
        assert_eq!((fs::read(&path).unwrap(), aside.exists()), (b"first".to_vec(), false));
        fs::write(&aside, "third").unwrap();
        put_back(&aside, &dir.path().join("nowhere/path")).unwrap_err();
        assert!(aside.exists());
    }
}
