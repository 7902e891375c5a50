//! A folder in which this program keeps files, accessed by descriptor.
//!
//! The folder is opened and checked once, at first use. A folder that another user owns or can
//! write is refused, because that user could replace its files. Later accesses start from its
//! descriptor, so a rename or a new link at its path has no effect.
//!
//! - A link in the folder is followed only if this user or root owns it (settings stored
//!   elsewhere). In another user's folder, where only root works, no link is followed.
//! - A file that another user owns or can write is refused, like a folder.
//! - What root creates in another user's folder belongs to that user, who could not use it
//!   otherwise.

#[cfg(unix)]
mod as_owner;
mod concession;
mod flaw;
#[cfg(not(unix))]
#[path = "by_path.rs"]
mod handle;
#[cfg(unix)]
#[path = "by_descriptor.rs"]
mod handle;
#[cfg_attr(not(unix), allow(dead_code, reason = "only Unix has sockets with an owner"))]
mod in_memory;
mod lock;
#[cfg(unix)]
mod modes;
#[cfg(not(unix))]
#[path = "no_modes.rs"]
mod modes;
mod stamp;
#[cfg(test)]
#[cfg(unix)]
mod tests;
mod trial;
#[cfg(unix)]
mod walk;
mod write;

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use zeroize::Zeroizing;

use super::file::{self, Access, Durability, Pipes, cannot};
use super::owner::is_in_anothers_folder;
use crate::error::Result;
use flaw::{Flaw, refused, refused_link};
use write::New;

pub(super) use concession::concede;
pub(super) use handle::Handle;

/// What to do with a file that is a link of this user's.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    Follow,
    Refuse,
}

pub(crate) use concession::{Concession, concessions};
pub(crate) use handle::writing_flaw;
pub(crate) use modes::{Others, TooOpen};
pub(crate) use stamp::Stamp;
pub(crate) use write::stream_named;
pub use write::write_named;

/// Prefix and suffix of the names of temporary files, which are written and then renamed.
const TEMPORARY: (&str, &str) = (".azt-", ".tmp");

/// A folder at a path, or inside another [`Folder`]. It need not exist.
#[derive(Clone)]
pub struct Folder {
    root: Arc<Root>,
    /// Empty for the root itself.
    inner: PathBuf,
    /// Set once all folders from the root to this one passed the check.
    is_sound: Arc<OnceLock<()>>,
    /// Set once all folders from the root to the parent of this one passed the check.
    is_parent_sound: Arc<OnceLock<()>>,
}

struct Root {
    path: PathBuf,
    /// True if the environment declares it trusted: owner and mode are not checked.
    is_trusted: bool,
    /// The files of a folder without a path ([`Folder::in_memory`]).
    files: Option<in_memory::Files>,
    opened: OnceLock<Handle>,
}

impl From<&Path> for Folder {
    fn from(path: &Path) -> Self {
        Self::at(path)
    }
}

impl From<&Folder> for Folder {
    fn from(folder: &Folder) -> Self {
        folder.clone()
    }
}

impl std::fmt::Debug for Folder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Folder({})", self.path().display())
    }
}

impl Folder {
    /// The folder at `path`.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self::new(path.into(), false, None)
    }

    /// The folder at `path`, without a check of owner and mode. For file systems that store
    /// neither.
    pub(crate) fn trusted(path: impl Into<PathBuf>) -> Self {
        Self::new(path.into(), true, None)
    }

    /// A folder without a path: it is empty and cannot be created.
    pub(crate) fn nowhere() -> Self {
        Self::at(PathBuf::new())
    }

    fn new(path: PathBuf, is_trusted: bool, files: Option<in_memory::Files>) -> Self {
        let root = Root { path, is_trusted, files, opened: OnceLock::new() };
        Self {
            root: Arc::new(root),
            inner: PathBuf::new(),
            is_sound: Arc::default(),
            is_parent_sound: Arc::default(),
        }
    }

    /// The folder `name` in this one.
    #[must_use]
    pub(crate) fn sub(&self, name: &str) -> Self {
        let inner = self.inner.join(name);
        let (root, is_parent_sound) = (Arc::clone(&self.root), Arc::clone(&self.is_sound));
        Self { root, inner, is_sound: Arc::default(), is_parent_sound }
    }

    /// The folder that contains this one; `None` unless this one came from [`Folder::sub`].
    pub(crate) fn parent(&self) -> Option<Self> {
        let inner = self.inner.parent()?.to_owned();
        let (root, is_sound) = (Arc::clone(&self.root), Arc::clone(&self.is_parent_sound));
        Some(Self { root, inner, is_sound, is_parent_sound: Arc::default() })
    }

    /// Its path, for messages.
    pub(crate) fn path(&self) -> PathBuf {
        self.root.path.join(&self.inner)
    }

    /// The path of the file `name` in it, for messages.
    pub(crate) fn file(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path().join(name)
    }

    /// True for [`Folder::trusted`] and folders in it.
    pub(crate) fn is_trusted(&self) -> bool {
        self.root.is_trusted
    }

    /// True for [`Folder::nowhere`] and [`Folder::in_memory`].
    pub(crate) fn is_nowhere(&self) -> bool {
        self.root.path.as_os_str().is_empty()
    }

    /// True if the folder exists and may be used.
    pub(crate) fn exists(&self) -> bool {
        self.open().is_ok_and(|found| found.is_some())
    }

    /// True if this user owns the folder or it is trusted. Root must not run or send anything that
    /// it finds in another user's folder.
    pub(crate) fn is_own(&self) -> bool {
        self.root.is_trusted || matches!(self.root_handle(), Ok(Some(root)) if root.is_own())
    }

    /// True if only the owner can access the folder (0700). A copied or checked-out folder usually
    /// fails this.
    pub(crate) fn is_private(&self) -> bool {
        self.root.is_trusted || matches!(self.open(), Ok(Some(it)) if it.is_private())
    }

    /// Creates the folder and its missing parents, with mode 0700 on Unix.
    pub(crate) fn ensure(&self) -> Result<()> {
        self.created().map(drop)
    }

    /// Returns the bytes of the file `name`; `None` if the file or the folder is missing. A pipe is
    /// an error.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let path = || self.file(name);
        if let Some(bytes) = self.file_in_memory(name) {
            return Ok(Some(bytes.clone()));
        }
        let Some((file, found)) = self.opened(name, Links::Follow)? else { return Ok(None) };
        file::contents_of(file, &found, Pipes::Refuse)
            .map(Some)
            .map_err(|error| cannot("read", &path(), error))
    }

    /// Does what [`Folder::read`] does, and decodes the bytes as text.
    pub(crate) fn read_text(&self, name: &str) -> Result<Option<String>> {
        let Some(bytes) = self.read(name)? else { return Ok(None) };
        file::text(bytes, || self.file(name)).map(Some)
    }

    /// Opens the file `name` for reading and returns it with its metadata; `None` if it is missing.
    /// It may be a pipe or a folder. A link that is not followed is an error.
    pub(crate) fn opened(&self, name: &str, links: Links) -> Result<Option<(File, Metadata)>> {
        let path = || self.file(name);
        let Some(root) = self.root_handle()? else { return Ok(None) };
        self.check_folders(root)?;
        match root.open_file(&self.inner.join(name), links) {
            Ok(Opened::File(file)) => {
                let found = file.metadata().map_err(|error| cannot("read", &path(), error))?;
                if !self.root.is_trusted
                    && let Some(flaw) = root.flaw_of_file(&found)
                {
                    return Err(refused(&path(), &flaw));
                }
                Ok(Some((file, found)))
            }
            Ok(Opened::ForeignLink(owner)) => Err(refused_link(&path(), owner)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(cannot("read", &path(), error)),
        }
    }

    /// Replaces the file `name` by `bytes` atomically: readers see the old file or the new one.
    ///
    /// Writes a temporary file beside it and renames that. The folder must exist. If `name` is this
    /// user's link, its target is replaced, or it is an error ([`Folder::links_written`]). Anything
    /// but a regular file (a pipe, a device, a folder) is left alone and is an error.
    ///
    /// A step that the file system does not support is skipped and recorded ([`concessions`]). A
    /// file that cannot be replaced (a mount) is overwritten in place.
    pub(crate) fn write(
        &self,
        name: &str,
        bytes: &[u8],
        access: Access,
        durability: Durability,
    ) -> Result<()> {
        let failed = |error: io::Error| cannot("write", &self.file(name), error);
        let folder = self.open()?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
        let place = folder.place_of(OsStr::new(name), self.links_written()).map_err(failed)?;
        let (folder, name) = match place {
            Opened::File((folder, name)) => (folder, name),
            Opened::ForeignLink(owner) => return Err(refused_link(&self.file(name), owner)),
        };
        let path = self.file(&name);
        let new = New { bytes, access, durability, gives_to_owner: true };
        new.write(&folder, &name, &path).map_err(|failure| failure.into_error(&path))
    }

    /// Sets the modification time of the file `name` to now. Creates the file empty (0600) if it is
    /// missing.
    pub(crate) fn touch(&self, name: &str) -> Result<()> {
        let touched = || -> io::Result<()> {
            let folder = self.open_or_io()?;
            handle::set_time(&folder.open_or_create(OsStr::new(name))?)
        };
        touched().map_err(|error| cannot("write", &self.file(name), error))
    }

    /// Removes the file or link `name`; true if there was one. A mount is emptied instead.
    pub(crate) fn remove(&self, name: &str) -> Result<bool> {
        let Some(folder) = self.open()? else { return Ok(false) };
        match write::remove(&folder, OsStr::new(name)) {
            Ok(()) => Ok(true),
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(cannot("remove", &self.file(name), error)),
        }
    }

    /// Renames the file `from` (mode 0600) to `to`, and replaces `to`. Copies the contents where
    /// the file system refuses the rename.
    ///
    /// # Errors
    /// Those of the system; callers distinguish them by kind.
    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let folder = self.open_or_io()?;
        match folder.rename(OsStr::new(from), OsStr::new(to)) {
            Err(error) if write::is_refusal(&error) => {}
            done => return done,
        }
        let bytes = self.read(from).map_err(io::Error::other)?;
        let bytes = Zeroizing::new(bytes.ok_or(io::ErrorKind::NotFound)?);
        self.write(to, &bytes, Access::Owner, Durability::Durable).map_err(io::Error::other)?;
        // If this fails both remain: the former `to` is gone, so the new one must not go as well.
        write::remove(&folder, OsStr::new(from))
    }

    /// Renames the file `from` to `to` and returns true; false, without a change, if `to` exists.
    /// Not atomic on a file system without hard links.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn rename_unless_there(&self, from: &str, to: &str) -> io::Result<bool> {
        let folder = self.open_or_io()?;
        match folder.link(OsStr::new(from), OsStr::new(to)) {
            Ok(()) => write::finish_move(&folder, OsStr::new(from), OsStr::new(to))?,
            Err(_) if self.has(to) => return Ok(false),
            Err(_) => self.rename(from, to)?,
        }
        Ok(true)
    }

    /// The UTF-8 names in the folder, unordered; none if the folder is missing.
    pub(crate) fn names(&self) -> Result<Vec<String>> {
        let Some(folder) = self.open()? else { return Ok(Vec::new()) };
        let names = folder.names().map_err(|error| cannot("read", &self.path(), error))?;
        Ok(names.into_iter().filter_map(|name| name.into_string().ok()).collect())
    }

    /// True if the folder has an entry `name`, even a dangling link.
    pub fn has(&self, name: &str) -> bool {
        let found = self.open().ok().flatten();
        found.is_some_and(|folder| !matches!(folder.look_at(OsStr::new(name)), Ok(Found::Nothing)))
    }

    /// Opens and checks the folder; `None` if it is missing.
    pub(super) fn open(&self) -> Result<Option<Handle>> {
        let Some(root) = self.root_handle()? else { return Ok(None) };
        self.check_folders(root)?;
        let found = root.open_folder(&self.inner, self.root.is_trusted);
        self.checked(found)
    }

    /// Opens and checks the folder. Creates it and its missing parents.
    fn created(&self) -> Result<Handle> {
        if self.is_nowhere() {
            return Err(self.keeps_nothing());
        }
        let cannot_create = |path: &Path, error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => cannot("create", path, error)
                .remedy("Set AZURE_CONFIG_DIR to a folder that you can write to."),
            _ => cannot("create", path, error),
        };
        if self.root_handle()?.is_none() {
            Handle::make(&self.root.path).map_err(|error| cannot_create(&self.root.path, error))?;
        }
        let missing = || {
            let why = Handle::open(&self.root.path).err();
            cannot_create(&self.path(), why.unwrap_or(io::ErrorKind::NotFound.into()))
        };
        let root = self.root_handle()?.ok_or_else(missing)?;
        match root.make_folder(&self.inner, self.root.is_trusted) {
            Err(error) if is_no_folder(&error) => Err(cannot("create", &self.path(), error)),
            found => self.checked(found)?.ok_or_else(missing),
        }
    }

    fn open_or_io(&self) -> io::Result<Handle> {
        let opened = self.open().map_err(io::Error::other)?;
        opened.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Fails if a folder between `root` and this one, or this one, cannot be trusted. Goes from the
    /// top down: no other user can then replace a folder inside one that passed.
    fn check_folders(&self, root: &Handle) -> Result<()> {
        if self.root.is_trusted || self.is_sound.get().is_some() {
            return Ok(());
        }
        let unchecked = if self.is_parent_sound.get().is_some() { 1 } else { usize::MAX };
        let ancestors = self.inner.ancestors().filter(|it| !it.as_os_str().is_empty());
        for inner in ancestors.take(unchecked).collect::<Vec<_>>().into_iter().rev() {
            if let Some(flaw) = root.flaw_of_folder(inner) {
                return Err(refused(&self.root.path.join(inner), &flaw));
            }
        }
        let _ = self.is_sound.set(());
        Ok(())
    }

    /// The root folder, opened and checked once; `None` if it is missing.
    fn root_handle(&self) -> Result<Option<&Handle>> {
        if let Some(root) = self.root.opened.get() {
            return Ok(Some(root));
        }
        let path = &self.root.path;
        match Handle::open(path) {
            Ok(Opened::File(root)) => {
                if !self.root.is_trusted
                    && let Some(flaw) = root.flaw()
                {
                    return Err(refused(path, &flaw));
                }
                Ok(Some(self.root.opened.get_or_init(|| root)))
            }
            Ok(Opened::ForeignLink(owner)) => Err(refused_link(path, owner)),
            Err(error)
                if is_missing(&error)
                    || is_no_folder(&error)
                    || is_in_anothers_folder(path, &error) =>
            {
                Ok(None)
            }
            Err(error) => Err(cannot("read", path, error)),
        }
    }

    fn checked(&self, found: io::Result<Opened<Handle>>) -> Result<Option<Handle>> {
        match found {
            Ok(Opened::File(folder)) => match folder.flaw().filter(|_| !self.root.is_trusted) {
                Some(flaw) => Err(refused(&self.path(), &flaw)),
                None => Ok(Some(folder)),
            },
            Ok(Opened::ForeignLink(owner)) => Err(refused_link(&self.path(), owner)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(cannot("read", &self.path(), error)),
        }
    }
}

/// The result of an open that does not follow other users' links.
enum Opened<T> {
    File(T),
    /// A link on the path that must not be followed, with the user id of its owner.
    #[cfg_attr(not(unix), allow(dead_code, reason = "only Unix checks the owners of links"))]
    ForeignLink(u32),
}

/// The kind of a folder entry, links not followed.
enum Found {
    Nothing,
    /// A regular file, with its mode.
    File(u32),
    Special,
}

fn is_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

/// True if a file is where a folder was expected.
fn is_no_folder(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotADirectory
}
