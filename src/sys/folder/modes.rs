//! Folders and files that other users may use, and how they are closed.

use std::io;
use std::path::{Path, PathBuf};

use super::{Folder, Handle, Links, Opened, cannot, handle};
use crate::error::Result;
use crate::sys::owner::{others_can_write, user_id};

/// What others may do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Others {
    /// Nothing: modes 0700 and 0600.
    Nothing,
    /// All but write.
    Read,
}

/// A folder or file of this user's with which others may do more than that.
pub(crate) struct TooOpen {
    /// The folder that it is in, or that it is.
    folder: Folder,
    /// The name of the file; `None` if it is the folder.
    name: Option<String>,
    /// The mode that it should have.
    pub(crate) mode: u32,
}

impl TooOpen {
    /// Its path, for messages.
    pub(crate) fn path(&self) -> PathBuf {
        self.name.as_ref().map_or_else(|| self.folder.path(), |name| self.folder.file(name))
    }

    /// Sets its mode. The owner is checked again, and no link is followed.
    pub(crate) fn close(&self) -> Result<()> {
        let close = || match look(&self.folder, self.name.as_deref())? {
            Some((file, _)) => handle::set_mode(&file, self.mode),
            None => Err(io::Error::other("it is not this user's own file")),
        };
        close().map_err(|error| cannot("change the mode of", &self.path(), error))
    }
}

impl Folder {
    /// What is too open in this folder: the folder itself and the files in `names`, or all.
    pub(crate) fn too_open(&self, names: Option<&[&str]>, others: Others) -> Vec<TooOpen> {
        // Where modes mean nothing, none is wrong.
        if self.is_trusted() || self.is_nowhere() {
            return Vec::new();
        }
        let files = match names {
            Some(names) => names.iter().map(|name| (*name).to_owned()).collect(),
            None => all_names(self),
        };
        let places = std::iter::once(None).chain(files.into_iter().map(Some));
        let check = |name: Option<String>| {
            let (_, found) = look(self, name.as_deref()).ok().flatten()?;
            let mode = allowed(&found, others)?;
            Some(TooOpen { folder: self.clone(), name, mode })
        };
        places.filter_map(check).collect()
    }
}

/// The mode that a folder or file should have; `None` if it is closed enough.
fn allowed(found: &std::fs::Metadata, others: Others) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    let mode = found.mode() & 0o7777;
    match others {
        Others::Nothing if mode & 0o077 != 0 => Some(if found.is_dir() { 0o700 } else { 0o600 }),
        Others::Read if others_can_write(mode, found.gid(), found.uid()) => Some(mode & !0o022),
        Others::Nothing | Others::Read => None,
    }
}

/// The folder, or the file `name` in it, if this user owns it. `None` for links, for files with
/// several names and for those of others.
fn look(
    folder: &Folder,
    name: Option<&str>,
) -> io::Result<Option<(std::fs::File, std::fs::Metadata)>> {
    use std::os::unix::fs::MetadataExt;
    // By path and not by the folder's own handle, which refuses what is looked for here.
    let Opened::File(root) = Handle::open(&folder.root.path)? else { return Ok(None) };
    let Opened::File(at) = root.open_folder(&folder.inner, false)? else { return Ok(None) };
    let file = match name {
        None => at.readable()?,
        Some(name) => match at.open_file(Path::new(name), Links::Refuse)? {
            Opened::File(file) => file,
            Opened::ForeignLink(_) => return Ok(None),
        },
    };
    let found = file.metadata()?;
    let fits = if name.is_some() { found.is_file() && found.nlink() == 1 } else { found.is_dir() };
    Ok((fits && found.uid() == user_id()).then_some((file, found)))
}

fn all_names(folder: &Folder) -> Vec<String> {
    let names = || -> io::Result<Vec<String>> {
        let Opened::File(root) = Handle::open(&folder.root.path)? else { return Ok(Vec::new()) };
        let Opened::File(at) = root.open_folder(&folder.inner, false)? else {
            return Ok(Vec::new());
        };
        Ok(at.names()?.into_iter().filter_map(|name| name.into_string().ok()).collect())
    };
    let mut names = names().unwrap_or_default();
    names.sort_unstable();
    names
}
