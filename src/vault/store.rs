//! Names, seals and opens records.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;

use zeroize::Zeroizing;

use super::folder::RecordFolder;
use super::key::{KeyId, VaultKey};
use super::manifest::Manifest;
use super::record::{Record, RecordKey, Unsealed};
use super::seal::{Seal, Unopened};
use super::{newer, start_afresh, vault_failure};
use crate::error::{Error, Result};
use crate::sys::{Folder, System};

/// Buffer size for a record with the longest tokens, so that growing does not leave copies in
/// memory.
const ROOM: usize = 16 * 1024;

/// The contents of a file.
enum Loaded<R> {
    Record(R),
    /// Not a record of this vault: the file is missing or was renamed, or its key is retired.
    Nothing,
    /// Sealed with another key, so it cannot be opened.
    OfOtherKey(Error),
}

/// The records of one vault.
pub(super) struct Store<'s> {
    system: &'s System,
    azt_dir: Folder,
    folder: RecordFolder,
    seal: RefCell<Rc<Seal>>,
    warned: Cell<bool>,
}

impl<'s> Store<'s> {
    pub(super) fn new(system: &'s System, azt_dir: &Folder, key: &VaultKey) -> Self {
        let (folder, seal) = (RecordFolder::of(azt_dir), RefCell::new(Rc::new(Seal::new(key))));
        Self { system, azt_dir: azt_dir.clone(), folder, seal, warned: Cell::new(false) }
    }

    /// Takes over the key of `other`, after a change of the vault's key.
    pub(super) fn replace_key(&self, other: Self) {
        self.seal.replace(other.seal.into_inner());
    }

    fn sealer(&self) -> Rc<Seal> {
        Rc::clone(&self.seal.borrow())
    }

    /// The name of the file for `key`.
    pub(super) fn name<R: Record>(&self, key: &RecordKey<R>) -> String {
        self.sealer().file_name(R::PREFIX, key.as_str())
    }

    /// Seals data other than a record, for a file of this name.
    pub(super) fn seal(&self, name: &str, plain: &[u8]) -> Result<Vec<u8>> {
        self.sealer().seal(name, plain)
    }

    /// Opens what [`Store::seal`] sealed.
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

    /// Fails if no record can be written.
    pub(super) fn check_writable(&self) -> Result<()> {
        self.folder.check_writable().map_err(|error| self.unwritable(error))
    }

    pub(super) fn put<R: Record>(&self, record: &R) -> Result<()> {
        let mut plain = Zeroizing::new(Vec::with_capacity(ROOM));
        // Omit the cause: it could quote the record.
        serde_json::to_writer(&mut *plain, record)
            .map_err(|_| vault_failure("The record cannot be written as JSON."))?;
        let name = self.name(&record.key());
        let sealed = self.sealer().seal(&name, &plain)?;
        let written = self.folder.write(&name, &sealed, R::DURABILITY);
        written.map_err(|error| self.unwritable(error))
    }

    pub(super) fn remove<R: Record>(&self, key: &RecordKey<R>) -> Result<bool> {
        self.folder.remove(&self.name(key)).map_err(|error| self.unwritable(error))
    }

    /// Every record of one kind, in the order of their file names, and the error of a skipped
    /// record that another key sealed. One foreign file must not make the others inaccessible.
    pub(super) fn all<R: Record>(&self) -> Result<(Vec<R>, Option<Error>)> {
        let (mut records, mut left_out) = (Vec::new(), None);
        for name in self.folder.names()? {
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

    /// Removes temporary files of killed writers that are older than `age`.
    pub(super) fn remove_abandoned(&self, age: std::time::Duration) -> Result<()> {
        self.folder.remove_abandoned(age)
    }

    fn load<R: Record>(&self, name: &str) -> Result<Loaded<R>> {
        let Some(contents) = self.folder.read(name)? else { return Ok(Loaded::Nothing) };
        match self.unseal(name, &contents)? {
            Ok(loaded) => Ok(loaded),
            Err(flaw) => self.set_aside(name, flaw),
        }
    }

    /// Opens the record in `contents`; the inner error is the reason for a damaged file.
    fn unseal<R: Record>(
        &self,
        name: &str,
        contents: &[u8],
    ) -> Result<Result<Loaded<R>, &'static str>> {
        match self.sealer().open(name, contents) {
            // Omit the cause: it could quote the record.
            Ok(plain) => {
                let record = R::unseal(&Unsealed(&plain)).map(Loaded::Record);
                Ok(record.map_err(|_| "it contains no such record"))
            }
            Err(Unopened::Damaged(flaw)) => Ok(Err(flaw)),
            Err(Unopened::OtherKey(other)) if self.is_retired(other) => Ok(Ok(Loaded::Nothing)),
            Err(Unopened::Newer(version)) => Err(newer(&self.folder.file(name), version.into())),
            Err(Unopened::OtherKey(other)) => {
                let (path, id) = (self.folder.file(name), self.sealer().key_id());
                let path = path.display();
                let error = vault_failure(format!(
                    "{path} was sealed with the key {other}, not with {id}."
                ))
                .remedy("Put back the key and the vault.json that it belongs to.")
                .last_resort(start_afresh(self.system));
                Ok(Ok(Loaded::OfOtherKey(error)))
            }
        }
    }

    /// True if records of the key `id` must be ignored: the key is retired, or it is the new key of
    /// a change that this process has not noticed yet. Reads `vault.json` again to find out.
    fn is_retired(&self, id: KeyId) -> bool {
        let Ok(Some(manifest)) = Manifest::read(self.system, &self.azt_dir) else { return false };
        manifest.retired().is_some_and(|(_, retired)| retired == id) || manifest.key_id == id
    }

    /// Renames a damaged file, so that it is neither read again nor lost, and warns once.
    fn set_aside<R: Record>(&self, name: &str, flaw: &str) -> Result<Loaded<R>> {
        let path = self.folder.file(name);
        let aside = match self.folder.set_aside(name)? {
            Ok(aside) => aside,
            // Another process has already renamed it and warned.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Loaded::Nothing),
            Err(error) => {
                self.warn(&format!(
                    "{} cannot be opened: {flaw}. Cannot set it aside: {error}.",
                    path.display()
                ));
                return Ok(Loaded::Nothing);
            }
        };
        // A writer may have replaced the damaged file just before the renaming. Then the renamed
        // file is a good record: put it back, unless a newer one exists.
        if let Some(contents) = self.folder.read(&aside)?
            && let Ok(Ok(record @ Loaded::Record(_))) = self.unseal(name, &contents)
        {
            self.folder.put_back(&aside, name)?;
            return Ok(record);
        }
        self.warn(&format!(
            "{} cannot be opened: {flaw}. It was set aside as {} and counts as absent.",
            path.display(),
            self.folder.file(&aside).display()
        ));
        Ok(Loaded::Nothing)
    }

    /// Prints a warning the first time, and an info line after that.
    pub(super) fn warn(&self, text: &str) {
        if self.warned.replace(true) {
            self.system.terminal.info(text);
        } else {
            self.system.terminal.warn(text);
        }
    }

    fn unwritable(&self, error: Error) -> Error {
        if !error.remedy_lines().is_empty() {
            return error;
        }
        let folder = self.folder.path();
        let folder = folder.display();
        error.remedy(format!(
            "azt keeps tokens in {folder}, which must be writable and have space left."
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{AccessToken, VaultKey};
    use super::*;
    use crate::program::Program;

    #[test]
    fn a_good_record_that_replaced_a_damaged_one_is_not_lost() {
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
        assert_eq!(std::fs::read_dir(store.folder.path()).unwrap().count(), 1);
    }
}
