//! The way to a file: in one call of the system, or part by part where a link is on it.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat, openat, readlinkat, statat};

use super::Opened;

/// Links on one way (Linux has the same limit).
const MOST_LINKS: u32 = 40;

/// Opens a folder only to reach what is in it, where the system can: it need not be readable.
#[cfg(target_os = "linux")]
pub(super) const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
pub(super) const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Opens `path` from `start` in one call; `None` where a link is on the way, or the kernel (before 5.6)
/// or a sandbox does not know the call.
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

/// Goes from `start` to the last part of `path`, part by part, and answers the folder that it is in and
/// that part. Links on the way are followed if `follows` says so, and with `to_the_end` the last one too.
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
            return Ok(Opened::LaidLink(found.st_uid));
        }
        links += 1;
        if links > MOST_LINKS {
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
