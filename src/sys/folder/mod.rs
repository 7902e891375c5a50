//! A folder in which this program keeps things, and the files in it, by descriptor.
//!
//! The folder is opened once, at the first use, and looked at: one that another user owns or can write is
//! refused, since they could put anything in its files' place. From then on everything is reached from
//! its descriptor, so whoever renames it or lays links meanwhile changes nothing.
//!
//! - Links in it are followed where this user or root made them (settings that are kept elsewhere), and
//!   never in somebody else's folder, where only root works.
//! - A file of another user, or one that others can write, is refused as the folder is.
//! - What root makes in somebody's folder is theirs, or they could not use it.

mod concession;
mod flaw;
#[cfg(not(unix))]
#[path = "by_path.rs"]
mod handle;
#[cfg(unix)]
#[path = "by_descriptor.rs"]
mod handle;
mod lock;
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
use super::owner::is_behind_another;
use crate::error::{Error, Result};
use flaw::{Flaw, laid, refused};
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
pub(crate) use stamp::Stamp;
pub use write::write_named;

/// How the names of files begin and end that are written and then renamed.
const TEMPORARY: (&str, &str) = (".azt-", ".tmp");

/// A folder by its path, or one inside another; it need not exist.
#[derive(Clone)]
pub struct Folder {
    root: Arc<Root>,
    /// Empty for the root itself.
    inner: PathBuf,
    /// Set once the folders on the way from the root to this one were looked at; the other one for
    /// those to the folder that it is in.
    is_sound: Arc<OnceLock<()>>,
    is_parent_sound: Arc<OnceLock<()>>,
}

struct Root {
    path: PathBuf,
    /// The environment says that it is trusted, whoever owns it.
    is_trusted: bool,
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
        Self::new(path.into(), false)
    }

    /// The folder at `path`, which is used whoever owns it and whatever its mode: a file system that
    /// cannot hold either.
    pub(crate) fn trusted(path: impl Into<PathBuf>) -> Self {
        Self::new(path.into(), true)
    }

    /// No folder: nothing is in it, and none can be made.
    pub(crate) fn nowhere() -> Self {
        Self::at(PathBuf::new())
    }

    fn new(path: PathBuf, is_trusted: bool) -> Self {
        let root = Root { path, is_trusted, opened: OnceLock::new() };
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

    /// The folder that it is in, if it was reached by [`Folder::sub`].
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

    /// True where the environment says that it is trusted, whoever owns it.
    pub(crate) fn is_trusted(&self) -> bool {
        self.root.is_trusted
    }

    /// True for [`Folder::nowhere`].
    pub(crate) fn is_nowhere(&self) -> bool {
        self.root.path.as_os_str().is_empty()
    }

    /// True when it is there.
    pub(crate) fn exists(&self) -> bool {
        self.open().is_ok_and(|found| found.is_some())
    }

    /// True when this user owns it. In somebody else's, only root works: nothing in it is run, or sent
    /// anywhere, on their behalf.
    pub(crate) fn is_own(&self) -> bool {
        self.root.is_trusted || matches!(self.root_handle(), Ok(Some(root)) if root.is_own())
    }

    /// True when nobody but its owner can look into it (0700): what was copied or checked out is not.
    pub(crate) fn is_private(&self) -> bool {
        self.root.is_trusted || matches!(self.open(), Ok(Some(it)) if it.is_private())
    }

    /// Makes it and what it is in; a folder made here is its owner's only (0700 on Unix).
    pub(crate) fn ensure(&self) -> Result<()> {
        self.made().map(drop)
    }

    /// The bytes of the file `name`; `None` when there is no such file or folder. A pipe is not waited
    /// for.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let path = || self.file(name);
        let Some((file, found)) = self.opened(name, Links::Follow)? else { return Ok(None) };
        file::contents_of(file, &found, Pipes::Refuse)
            .map(Some)
            .map_err(|error| cannot("read", &path(), error))
    }

    /// [`Folder::read`] as text.
    pub(crate) fn read_text(&self, name: &str) -> Result<Option<String>> {
        let Some(bytes) = self.read(name)? else { return Ok(None) };
        file::text(bytes, || self.file(name)).map(Some)
    }

    /// The file `name`, opened for reading, and what it was found to be: perhaps a pipe or a folder;
    /// `None` where there is none. A link that is not followed is an error.
    pub(crate) fn opened(&self, name: &str, links: Links) -> Result<Option<(File, Metadata)>> {
        let path = || self.file(name);
        let Some(root) = self.root_handle()? else { return Ok(None) };
        self.look_on_the_way(root)?;
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
            Ok(Opened::LaidLink(owner)) => Err(laid(&path(), owner)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(cannot("read", &path(), error)),
        }
    }

    /// Replaces the file `name` by `bytes` at once: readers see the old file or the new one, never a part.
    ///
    /// Written to a new file beside it, which is renamed. The folder must exist. Where `name` is a link of
    /// this user's, what it leads to is replaced. What is there and is no regular file (a pipe, a
    /// device, a folder) stays: whoever reads it would wait for ever. What a file system refuses of that is done without ([`concessions`]);
    /// a file that nothing can be put in the place of (a mount) is written over, last.
    pub(crate) fn write(
        &self,
        name: &str,
        bytes: &[u8],
        access: Access,
        durability: Durability,
    ) -> Result<()> {
        let failed = |error: io::Error| cannot("write", &self.file(name), error);
        let folder = self.open()?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
        let place = folder.place_of(OsStr::new(name)).map_err(failed)?;
        let (folder, name) = match place {
            Opened::File((folder, name)) => (folder, name),
            Opened::LaidLink(owner) => return Err(laid(&self.file(name), owner)),
        };
        let path = self.file(&name);
        let new = New { bytes, access, durability, gives: true };
        new.write(&folder, &name, &path).map_err(|failure| failure.of(&path))
    }

    /// Makes the time of the file `name` now, and the file, empty and its owner's alone, where there is
    /// none. What is in it stays.
    pub(crate) fn touch(&self, name: &str) -> Result<()> {
        let touched = || -> io::Result<()> {
            let folder = self.open_or_io()?;
            handle::set_time(&folder.open_or_create(OsStr::new(name))?)
        };
        touched().map_err(|error| cannot("write", &self.file(name), error))
    }

    /// Removes the file `name`, or the link; true when there was one. One that is a mount stays, empty.
    pub(crate) fn remove(&self, name: &str) -> Result<bool> {
        let Some(folder) = self.open()? else { return Ok(false) };
        match write::remove(&folder, OsStr::new(name)) {
            Ok(()) => Ok(true),
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(cannot("remove", &self.file(name), error)),
        }
    }

    /// Gives the file `from`, its owner's only, the name `to`, in place of what has it; where the file
    /// system refuses that, what is in it is written there.
    ///
    /// # Errors
    /// Those of the system, to be told apart by the caller.
    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let folder = self.open_or_io()?;
        match folder.rename(OsStr::new(from), OsStr::new(to)) {
            Err(error) if write::is_refusal(&error) => {}
            done => return done,
        }
        let bytes = self.read(from).map_err(io::Error::other)?;
        let bytes = Zeroizing::new(bytes.ok_or(io::ErrorKind::NotFound)?);
        self.write(to, &bytes, Access::Owner, Durability::Durable).map_err(io::Error::other)?;
        write::end_move(&folder, OsStr::new(from), OsStr::new(to))
    }

    /// Gives the file `from` the name `to`; false, and it keeps its own, where something has that name.
    /// Where the file system has no links that takes two steps.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn rename_unless_there(&self, from: &str, to: &str) -> io::Result<bool> {
        let folder = self.open_or_io()?;
        match folder.link(OsStr::new(from), OsStr::new(to)) {
            Ok(()) => write::end_move(&folder, OsStr::new(from), OsStr::new(to))?,
            Err(_) if self.has(to) => return Ok(false),
            Err(_) => self.rename(from, to)?,
        }
        Ok(true)
    }

    /// The names in it that are text, in no order; none where it is missing.
    pub(crate) fn names(&self) -> Result<Vec<String>> {
        let Some(folder) = self.open()? else { return Ok(Vec::new()) };
        let names = folder.names().map_err(|error| cannot("read", &self.path(), error))?;
        Ok(names.into_iter().filter_map(|name| name.into_string().ok()).collect())
    }

    /// True when something has the name `name` in it, a link that leads nowhere included.
    pub fn has(&self, name: &str) -> bool {
        let found = self.open().ok().flatten();
        found.is_some_and(|folder| !matches!(folder.look_at(OsStr::new(name)), Ok(Found::Nothing)))
    }

    /// What tells one state of the file `name` from the next, links followed; `None` when there is none
    /// or it cannot be told.
    pub(crate) fn stamp(&self, name: &str) -> Option<Stamp> {
        self.root_handle().ok()??.stamp(&self.inner.join(name))
    }

    /// The folder, looked at; `None` when it is not there.
    pub(super) fn open(&self) -> Result<Option<Handle>> {
        let Some(root) = self.root_handle()? else { return Ok(None) };
        self.look_on_the_way(root)?;
        let found = root.open_folder(&self.inner, self.root.is_trusted);
        self.checked(found)
    }

    fn made(&self) -> Result<Handle> {
        if self.is_nowhere() {
            return Err(Error::failed("There is no home folder to keep anything in.")
                .remedy("Set AZURE_CONFIG_DIR to a folder that you can write to.")
                .source(io::Error::from(io::ErrorKind::NotFound)));
        }
        let cannot_create = |path: &Path, error: io::Error| {
            match error.kind() {
            io::ErrorKind::NotFound => cannot("create", path, error)
                .remedy("Nothing can be made there: set AZURE_CONFIG_DIR to a folder that you can write to."),
            _ => cannot("create", path, error),
        }
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
            Err(error) if is_taken(&error) => Err(cannot("create", &self.path(), error)),
            found => self.checked(found)?.ok_or_else(missing),
        }
    }

    fn open_or_io(&self) -> io::Result<Handle> {
        let opened = self.open().map_err(io::Error::other)?;
        opened.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// An error where a folder on the way from `root` to this one, or this one, is not to be relied on.
    /// Each is in one that was looked at, so nobody else changes which it is.
    fn look_on_the_way(&self, root: &Handle) -> Result<()> {
        if self.root.is_trusted || self.is_sound.get().is_some() {
            return Ok(());
        }
        let to_look_at = if self.is_parent_sound.get().is_some() { 1 } else { usize::MAX };
        let ancestors = self.inner.ancestors().filter(|it| !it.as_os_str().is_empty());
        for inner in ancestors.take(to_look_at).collect::<Vec<_>>().into_iter().rev() {
            if let Some(flaw) = root.flaw_of_folder(inner) {
                return Err(refused(&self.root.path.join(inner), &flaw));
            }
        }
        let _ = self.is_sound.set(());
        Ok(())
    }

    /// The root's descriptor, opened and looked at once.
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
            Ok(Opened::LaidLink(owner)) => Err(laid(path, owner)),
            Err(error)
                if is_missing(&error) || is_taken(&error) || is_behind_another(path, &error) =>
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
            Ok(Opened::LaidLink(owner)) => Err(laid(&self.path(), owner)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(cannot("read", &self.path(), error)),
        }
    }
}

/// True when both lead to the same place, however they are spelled: relative, or over a link.
pub(crate) fn is_same_path(one: &Path, other: &Path) -> bool {
    let real = |path| std::fs::canonicalize(path).ok();
    one == other || real(one).is_some_and(|one| real(other) == Some(one))
}

/// What was opened, or the owner of a link in the way that is not followed.
enum Opened<T> {
    File(T),
    #[cfg_attr(not(unix), allow(dead_code, reason = "links of others are not looked for there"))]
    LaidLink(u32),
}

/// What has a name in a folder, links not followed.
enum Found {
    Nothing,
    /// A regular file, with its mode.
    File(u32),
    Special,
}

fn is_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

/// True where a file lies in the place of a folder.
fn is_taken(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotADirectory
}
