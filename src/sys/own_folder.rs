//! A folder that nobody else can write in or put another one in the place of, held by descriptor.
//!
//! The way there is gone from the root, folder by folder: each has been looked at before what is in
//! it is, so that nothing that another user changes meanwhile leads elsewhere.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, mkdirat, openat, readlinkat, statat};
use rustix::io::Errno;

use super::file::cannot;
use super::owner::{others_can_write, user_id, way_back};
use crate::error::{Error, Result};
use crate::foreign::Sentence;
use crate::shell;

/// Links on the way, as many as the kernel follows.
const MOST_LINKS: usize = 40;

/// Folders that may be gone through need not be readable.
#[cfg(target_os = "linux")]
const LOOK: OFlags = OFlags::PATH;
#[cfg(not(target_os = "linux"))]
const LOOK: OFlags = OFlags::RDONLY;

/// Others may write, and each may take away what is their own only.
const STICKY: u32 = 0o1000;

/// Opens the folder at the absolute `path`; `None` where there is none.
///
/// # Errors
/// It, or a folder or link on the way, belongs to another user but root, or others can write there:
/// with the command that mends it, where this user can.
pub(super) fn open(path: &Path) -> Result<Option<File>> {
    walk(path, Missing::Leave)
}

/// [`open`], after creating the folder and its missing parents with mode 0755 less the umask.
///
/// # Errors
/// Those of [`open`]; a folder cannot be created.
pub(super) fn open_or_create(path: &Path) -> Result<Option<File>> {
    walk(path, Missing::Create)
}

/// What to do with a missing folder.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    Create,
    Leave,
}

fn walk(path: &Path, missing: Missing) -> Result<Option<File>> {
    let failed = |at: &Path, error: Errno| cannot("open", at, error.into());
    let mut way = names(path);
    let mut at = PathBuf::from("/");
    let mut folder = step(CWD, &at).map_err(|error| failed(&at, error))?;
    let mut links = 0;
    refuse(&folder, &at, way.is_empty())?;
    while let Some(name) = way.pop() {
        let next = at.join(&name);
        match step(&folder, Path::new(&name)) {
            Ok(found) => {
                if name == ".." {
                    at.pop();
                } else {
                    at = next;
                }
                refuse(&found, &at, way.is_empty())?;
                folder = found;
            }
            Err(Errno::NOENT) if missing == Missing::Create => {
                match mkdirat(&folder, &name, Mode::from_raw_mode(0o755)) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(error) => return Err(cannot("create", &next, error.into())),
                }
                // As whatever is there now.
                links += 1;
                way.push(name);
            }
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::NOTDIR | Errno::LOOP) => {
                let target = link(&folder, &name, &next)?;
                links += 1;
                if target.is_absolute() {
                    at = PathBuf::from("/");
                    folder = step(CWD, &at).map_err(|error| failed(&at, error))?;
                }
                way.extend(names(&target));
            }
            Err(error) => return Err(failed(&next, error)),
        }
        if links > MOST_LINKS {
            return Err(failed(path, Errno::LOOP));
        }
    }
    Ok(Some(folder))
}

/// The names on the way, the last one first.
fn names(path: &Path) -> Vec<OsString> {
    let names = path.components().rev().filter_map(|it| match it {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    });
    names.collect()
}

fn step(folder: impl std::os::fd::AsFd, name: &Path) -> rustix::io::Result<File> {
    let flags = LOOK | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(folder, name, flags, Mode::empty()).map(File::from)
}

/// Where the link `name` leads; only root and this user may have laid it.
fn link(folder: &File, name: &OsString, path: &Path) -> Result<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    let failed = |error: Errno| cannot("open", path, error.into());
    let found = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).map_err(failed)?;
    if !FileType::from_raw_mode(found.st_mode).is_symlink() {
        return Err(failed(Errno::NOTDIR));
    }
    if is_anothers(found.st_uid) {
        return Err(of_another(path, found.st_uid));
    }
    let target = readlinkat(folder, name, Vec::new()).map_err(failed)?;
    Ok(PathBuf::from(OsString::from_vec(target.into_bytes())))
}

/// Refuses a folder that another user can change what is in, or for one on the way (not `is_last`),
/// take away what is this user's in it.
fn refuse(folder: &File, path: &Path, is_last: bool) -> Result<()> {
    let found = folder.metadata().map_err(|error| cannot("open", path, error))?;
    if is_anothers(found.uid()) {
        return Err(of_another(path, found.uid()));
    }
    let mode = found.mode() & 0o7777;
    if !others_can_write(mode, found.gid(), found.uid()) || (mode & STICKY != 0 && !is_last) {
        return Ok(());
    }
    let error = Error::failed(format!(
        "Other users can write in {} (mode {mode:04o}), and put a program of theirs in the place of az.",
        Sentence::new(&path.display().to_string())
    ));
    // A shared one is meant to be so, and another's mode is not this user's to change.
    let is_to_mend = mode & STICKY == 0 && found.uid() == user_id();
    let shown = path.to_str().filter(|_| is_to_mend).and_then(shell::shown);
    Err(match shown {
        Some(path) => error.cured_by(format!("chmod go-w {path}")),
        None => error.remedy(OWN_FOLDER),
    })
}

/// Root may do as it likes in any case.
fn is_anothers(uid: u32) -> bool {
    uid != 0 && uid != user_id()
}

fn of_another(path: &Path, uid: u32) -> Error {
    let error = Error::failed(format!(
        "{} belongs to another user (uid {uid}), who could put a program of theirs in the place of az.",
        Sentence::new(&path.display().to_string())
    ));
    match way_back(path) {
        Some(command) => error.cured_by(command),
        None => error.remedy(OWN_FOLDER),
    }
}

const OWN_FOLDER: &str = "Choose a folder of your own with --dir.";
