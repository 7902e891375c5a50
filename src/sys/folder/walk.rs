//! Resolves a path to a file: in one system call, or part by part if it contains a link.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat, openat, readlinkat, statat};

use super::Opened;

/// The most links that one path may pass through (Linux has the same limit).
const MAX_LINKS: u32 = 40;

/// Flags that open a folder in order to reach its entries. With `O_PATH` the folder need not be
/// readable.
#[cfg(target_os = "linux")]
pub(super) const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
pub(super) const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Opens `path` from `start` in one call. `None` if the path contains a link, or the kernel (before
/// 5.6) or a sandbox does not support the call.
#[cfg(target_os = "linux")]
pub(super) fn without_links(
    start: BorrowedFd<'_>,
    path: &Path,
    flags: OFlags,
) -> io::Result<Option<OwnedFd>> {
    use rustix::fs::{ResolveFlags, openat2};
    use rustix::io::Errno;
    let is_name = path.parent().is_some_and(|it| it.as_os_str().is_empty());
    let opened = if is_name && flags.contains(OFlags::NOFOLLOW) {
        openat(start, path, flags, Mode::empty())
    } else {
        openat2(start, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS)
    };
    match opened {
        Ok(fd) => Ok(Some(fd)),
        Err(Errno::LOOP | Errno::NOSYS | Errno::PERM | Errno::INVAL | Errno::TOOBIG) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(super) type Place = (OwnedFd, OsString);

/// Walks from `start` along `path`, part by part, and returns the folder that contains the last
/// part, and that part. Follows the links that `follows` accepts; a link at the last part only with
/// `to_the_end`.
pub(super) fn walk(
    start: BorrowedFd<'_>,
    path: &Path,
    to_the_end: bool,
    follows: &dyn Fn(&Stat) -> bool,
) -> io::Result<Opened<Place>> {
    let mut at = openat(start, ".", FOLDER, Mode::empty())?;
    let mut parts: VecDeque<OsString> = parts(path);
    let mut links = 0;
    loop {
        let part = parts.pop_front().unwrap_or_else(|| OsString::from("."));
        if part == "/" {
            at = openat(CWD, "/", FOLDER, Mode::empty())?;
            continue;
        }
        let is_last = parts.is_empty();
        let found = match statat(&at, &part, AtFlags::SYMLINK_NOFOLLOW) {
            Err(rustix::io::Errno::NOENT) if is_last => return Ok(Opened::File((at, part))),
            found => found?,
        };
        if !is(&found, FileType::Symlink) || (is_last && !to_the_end) {
            if is_last {
                return Ok(Opened::File((at, part)));
            }
            at = openat(&at, &part, FOLDER | OFlags::NOFOLLOW, Mode::empty())?;
            continue;
        }
        if !follows(&found) {
            return Ok(Opened::ForeignLink(found.st_uid));
        }
        links += 1;
        if links > MAX_LINKS {
            return Err(rustix::io::Errno::LOOP.into());
        }
        let target = readlinkat(&at, &part, Vec::new())?;
        let mut target = self::parts(Path::new(OsStr::from_bytes(target.to_bytes())));
        target.append(&mut parts);
        parts = target;
    }
}

fn parts(path: &Path) -> VecDeque<OsString> {
    let part = |part: Component<'_>| match part {
        Component::RootDir => OsString::from("/"),
        other => other.as_os_str().to_owned(),
    };
    path.components().map(part).collect()
}

pub(super) fn is(found: &Stat, kind: FileType) -> bool {
    FileType::from_raw_mode(found.st_mode) == kind
}
