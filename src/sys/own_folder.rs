//! Opens a folder that no other user can write in or replace, and holds it by descriptor.
//!
//! The path is walked from the root, folder by folder. Each folder is checked before its entries
//! are used, so another user cannot redirect the walk.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, mkdirat, openat, readlinkat, statat};
use rustix::io::Errno;

use super::file::cannot;
use super::owner::{chown_topmost, others_can_write, user_id};
use crate::error::{Error, Result};
use crate::foreign::Sentence;
use crate::shell;

/// The most links that one path may pass through, which is the limit of the kernel.
const MAX_LINKS: usize = 40;

/// `O_PATH` opens a folder that is searchable but not readable.
#[cfg(target_os = "linux")]
const LOOK: OFlags = OFlags::PATH;
#[cfg(not(target_os = "linux"))]
const LOOK: OFlags = OFlags::RDONLY;

/// The sticky bit: only the owner of an entry may rename or remove it.
const STICKY: u32 = 0o1000;

/// Opens the folder at the absolute `path`; `None` if it is missing.
///
/// # Errors
/// A user other than this one and root owns or can write in a folder on the path, or owns a link on
/// it. The error has the command that fixes this, if this user can run it.
pub(super) fn open(path: &Path) -> Result<Option<File>> {
    walk(path, Missing::Leave)
}

/// Like [`open`], but creates each missing folder (mode 0755 less the umask) inside one that was
/// already checked.
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
    let mut remaining = parts(path);
    let mut at = PathBuf::from("/");
    let mut folder = step(CWD, &at).map_err(|error| failed(&at, error))?;
    let mut links = 0;
    check(&folder, &at, remaining.is_empty())?;
    while let Some(name) = remaining.pop() {
        let next = at.join(&name);
        match step(&folder, Path::new(&name)) {
            Ok(found) => {
                if name == ".." {
                    at.pop();
                } else {
                    at = next;
                }
                check(&found, &at, remaining.is_empty())?;
                folder = found;
            }
            Err(Errno::NOENT) if missing == Missing::Create => {
                match mkdirat(&folder, &name, Mode::from_raw_mode(0o755)) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(error) => return Err(cannot("create", &next, error.into())),
                }
                // Opens what exists now; counted, so that concurrent removals cannot loop forever.
                links += 1;
                remaining.push(name);
            }
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::NOTDIR | Errno::LOOP) => {
                let target = link(&folder, &name, &next)?;
                links += 1;
                if target.is_absolute() {
                    at = PathBuf::from("/");
                    folder = step(CWD, &at).map_err(|error| failed(&at, error))?;
                }
                remaining.extend(parts(&target));
            }
            Err(error) => return Err(failed(&next, error)),
        }
        if links > MAX_LINKS {
            return Err(failed(path, Errno::LOOP));
        }
    }
    Ok(Some(folder))
}

/// The parts of `path`, last one first.
fn parts(path: &Path) -> Vec<OsString> {
    let parts = path.components().rev().filter_map(|it| match it {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    });
    parts.collect()
}

fn step(folder: impl std::os::fd::AsFd, name: &Path) -> rustix::io::Result<File> {
    let flags = LOOK | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(folder, name, flags, Mode::empty()).map(File::from)
}

/// The target of the link `name`. Fails unless root or this user owns the link.
fn link(folder: &File, name: &OsString, path: &Path) -> Result<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    let failed = |error: Errno| cannot("open", path, error.into());
    let found = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).map_err(failed)?;
    if !FileType::from_raw_mode(found.st_mode).is_symlink() {
        return Err(failed(Errno::NOTDIR));
    }
    if is_anothers(found.st_uid) {
        return Err(foreign_owner(path, found.st_uid));
    }
    let target = readlinkat(folder, name, Vec::new()).map_err(failed)?;
    Ok(PathBuf::from(OsString::from_vec(target.into_bytes())))
}

/// Fails if another user can write in the folder. For a folder on the path (not `is_last`) the
/// sticky bit is enough: other users cannot remove this user's entries.
fn check(folder: &File, path: &Path, is_last: bool) -> Result<()> {
    let found = folder.metadata().map_err(|error| cannot("open", path, error))?;
    if is_anothers(found.uid()) {
        return Err(foreign_owner(path, found.uid()));
    }
    let mode = found.mode() & 0o7777;
    if !others_can_write(mode, found.gid(), found.uid()) || (mode & STICKY != 0 && !is_last) {
        return Ok(());
    }
    let error = Error::failed(format!(
        "Other users can write in {} (mode {mode:04o}) and could replace az by their own program.",
        Sentence::new(&path.display().to_string())
    ));
    // A sticky folder is shared on purpose, and only its owner can change its mode.
    let is_fixable = mode & STICKY == 0 && found.uid() == user_id();
    let shown = path.to_str().filter(|_| is_fixable).and_then(shell::shown);
    Err(match shown {
        Some(path) => error.cured_by(format!("chmod go-w {path}")),
        None => error.remedy(OWN_FOLDER),
    })
}

/// Root does not count as another user, because root can change everything anyway.
fn is_anothers(uid: u32) -> bool {
    uid != 0 && uid != user_id()
}

fn foreign_owner(path: &Path, uid: u32) -> Error {
    let error = Error::failed(format!(
        "{} belongs to another user (uid {uid}), who could replace az by another program.",
        Sentence::new(&path.display().to_string())
    ));
    match chown_topmost(path) {
        Some(command) => error.cured_by(command),
        None => error.remedy(OWN_FOLDER),
    }
}

const OWN_FOLDER: &str = "Choose a folder of your own with --dir.";
