//! Folders held by descriptor (POSIX `openat` and related calls).

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::as_owner::AsOwner;
#[cfg(target_os = "linux")]
use super::walk::without_links;
use super::walk::{FOLDER, Place, is, walk};
use super::{Flaw, Found, Links, Opened, Stamp};
use crate::sys::owner::{others_can_write, user_id};
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, Stat, fchmod, fstat, linkat, mkdirat, openat, renameat,
    statat, unlinkat,
};

/// Free space that a sign-in needs, in bytes.
const ROOM: u64 = 64 * 1024;
/// Flags that open a file without waiting for the other end of a pipe and without following a link.
const FILE: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// An open folder.
pub(in crate::sys) struct Handle {
    fd: OwnedFd,
    uid: u32,
    gid: u32,
    mode: u32,
}

impl Handle {
    /// Opens the folder at `path`. Follows only links that root or this user owns.
    pub(super) fn open(path: &Path) -> io::Result<Opened<Self>> {
        #[cfg(target_os = "linux")]
        if let Some(fd) = without_links(CWD, path, FOLDER)? {
            return Self::of(fd).map(Opened::File);
        }
        opened_folder(walk(CWD, path, true, &may_follow)?)
    }

    /// Opens the folder `inner` in this one, or this one if `inner` is empty.
    pub(super) fn open_folder(&self, inner: &Path, is_trusted: bool) -> io::Result<Opened<Self>> {
        let follows = |link: &Stat| is_trusted || self.follows(link);
        opened_folder(walk(self.fd.as_fd(), &or_dot(inner), true, &follows)?)
    }

    /// Returns the folder that contains the last part of `path`, and that part. Follows only links
    /// that root or this user owns, including a link at the last part.
    pub(super) fn containing(path: &Path) -> io::Result<Opened<(Self, OsString)>> {
        place(walk(CWD, path, true, &may_follow)?)
    }

    /// Returns the place of the file `name`: this folder, or the target of this user's link.
    pub(super) fn place_of(
        self,
        name: &OsStr,
        links: Links,
    ) -> io::Result<Opened<(Self, OsString)>> {
        place(self.walk(Path::new(name), links)?)
    }

    fn walk(&self, inner: &Path, links: Links) -> io::Result<Opened<Place>> {
        let may = |link: &Stat| links == Links::Follow && self.follows(link);
        match walk(self.fd.as_fd(), inner, true, &may)? {
            // This user's own link, but links are refused here.
            Opened::ForeignLink(owner) if links == Links::Refuse && owner == user_id() => {
                Err(io::Error::other("it is a symbolic link"))
            }
            found => Ok(found),
        }
    }

    /// Opens the file at `inner` for reading.
    pub(super) fn open_file(&self, inner: &Path, links: Links) -> io::Result<Opened<File>> {
        #[cfg(target_os = "linux")]
        match without_links(self.fd.as_fd(), inner, FILE) {
            Ok(Some(fd)) => return Ok(Opened::File(fd.into())),
            Ok(None) => {}
            // Another process (a file server) holds a lease on the file. The open below waits until
            // the kernel has broken the lease.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        if let Some(folder) =
            inner.parent().filter(|it| links == Links::Refuse && !it.as_os_str().is_empty())
            && let Some(name) = inner.file_name()
        {
            // Refuses a link as the last part only; the folders before it may be this user's links.
            return match self.open_folder(folder, false)? {
                Opened::File(folder) => folder.open_file(Path::new(name), links),
                Opened::ForeignLink(owner) => Ok(Opened::ForeignLink(owner)),
            };
        }
        let (folder, name) = match self.walk(inner, links)? {
            Opened::File(place) => place,
            Opened::ForeignLink(owner) => return Ok(Opened::ForeignLink(owner)),
        };
        let open = |flags| openat(&folder, &name, flags, Mode::empty()).map(File::from);
        match open(FILE) {
            Err(rustix::io::Errno::AGAIN) => Ok(Opened::File(open(FILE - OFlags::NONBLOCK)?)),
            opened => Ok(Opened::File(opened?)),
        }
    }

    /// Creates the folder at `path` and its missing parents, with mode 0700.
    pub(super) fn make(path: &Path) -> io::Result<()> {
        let missing: Vec<&Path> = path
            .ancestors()
            .filter(|it| !it.as_os_str().is_empty())
            .take_while(|it| matches!(Self::open(it), Err(error) if super::is_missing(&error)))
            .collect();
        for folder in missing.into_iter().rev() {
            if let Opened::File((parent, name)) = place(walk(CWD, folder, false, &may_follow)?)? {
                parent.make_one(&name)?;
            }
        }
        Ok(())
    }

    /// Does what [`Handle::open_folder`] does, and creates missing folders.
    pub(super) fn make_folder(&self, inner: &Path, is_trusted: bool) -> io::Result<Opened<Self>> {
        let mut made = PathBuf::new();
        for part in inner {
            let parent = match self.open_folder(&made, is_trusted)? {
                Opened::File(parent) => parent,
                Opened::ForeignLink(owner) => return Ok(Opened::ForeignLink(owner)),
            };
            parent.make_one(part)?;
            made.push(part);
        }
        self.open_folder(inner, is_trusted)
    }

    fn make_one(&self, name: &OsStr) -> io::Result<()> {
        let _owner = self.gives_to_owner().then(|| AsOwner::take(self.uid, self.gid));
        match mkdirat(&self.fd, name, Mode::RWXU) {
            // Another process may have created it first.
            Ok(()) | Err(rustix::io::Errno::EXIST) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    pub(in crate::sys) fn create_new(&self, name: &OsStr, mode: u32) -> io::Result<File> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(openat(&self.fd, name, flags, permissions(mode))?.into())
    }

    /// Opens the file `name` for writing; creates it (0600) if it is missing. Does not follow a
    /// link. In another user's folder it also refuses a hard link, which could name a file of a
    /// third user.
    pub(in crate::sys) fn open_or_create(&self, name: &OsStr) -> io::Result<File> {
        let open =
            |flags| openat(&self.fd, name, OFlags::WRONLY | FILE | flags, permissions(0o600));
        let file = loop {
            match open(OFlags::CREATE | OFlags::EXCL) {
                Err(rustix::io::Errno::EXIST) => {}
                made => {
                    let made = File::from(made?);
                    self.give_to_owner(&made);
                    return Ok(made);
                }
            }
            match open(OFlags::empty()) {
                // Another process removed it in between, as az does with its lock file.
                Err(rustix::io::Errno::NOENT) => {}
                opened => break File::from(opened?),
            }
        };
        let found = file.metadata()?;
        if self.is_own() || self.belongs_here(&found) { Ok(file) } else { Err(anothers_file()) }
    }

    /// Opens the file `name` to read and overwrite it. The file must belong to this user or, unless
    /// `is_mine_only`, to the folder's owner or root. Refuses symbolic links and hard links.
    pub(super) fn open_to_change(&self, name: &OsStr, is_mine_only: bool) -> io::Result<File> {
        let file = File::from(openat(&self.fd, name, OFlags::RDWR | FILE, Mode::empty())?);
        let found = file.metadata()?;
        let is_mine = found.uid() == user_id() && has_one_name(&found);
        if is_mine || (!is_mine_only && self.belongs_here(&found)) {
            Ok(file)
        } else {
            Err(anothers_file())
        }
    }

    /// True if the file `name` is a mount point, which cannot be replaced by a rename.
    #[cfg(target_os = "linux")]
    pub(super) fn is_mount(&self, name: &OsStr) -> bool {
        use rustix::fs::{StatxAttributes, StatxFlags, statx};
        let found = statx(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::empty());
        found.is_ok_and(|found| found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn is_mount(&self, _name: &OsStr) -> bool {
        false
    }

    /// True if the folder's owner or root owns the file, and no hard link gives it a second name.
    fn belongs_here(&self, found: &Metadata) -> bool {
        (found.uid() == self.uid || found.uid() == 0) && has_one_name(found)
    }

    pub(super) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(renameat(&self.fd, from, &self.fd, to)?)
    }

    pub(super) fn link(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(linkat(&self.fd, from, &self.fd, to, AtFlags::empty())?)
    }

    pub(in crate::sys) fn remove(&self, name: &OsStr) -> io::Result<()> {
        Ok(unlinkat(&self.fd, name, AtFlags::empty())?)
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.readable()?.sync_all()
    }

    pub(super) fn names(&self) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::new(self.readable()?)? {
            let name = OsStr::from_bytes(entry?.file_name().to_bytes()).to_owned();
            if name != "." && name != ".." {
                names.push(name);
            }
        }
        Ok(names)
    }

    pub(super) fn readable(&self) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(openat(&self.fd, ".", flags, Mode::empty())?.into())
    }

    #[allow(clippy::useless_conversion, reason = "the types differ between systems")]
    pub(super) fn stamp(&self, inner: &Path) -> Option<Stamp> {
        let found = statat(&self.fd, inner, AtFlags::empty()).ok()?;
        Some(Stamp {
            size: u64::try_from(found.st_size).ok()?,
            modified: (found.st_mtime, u32::try_from(found.st_mtime_nsec).ok()?),
            other: (found.st_ino, found.st_ctime, i64::try_from(found.st_ctime_nsec).ok()?),
        })
    }

    pub(super) fn look_at(&self, name: &OsStr) -> io::Result<Found> {
        match statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) if is(&found, FileType::RegularFile) => Ok(Found::File(mode(&found))),
            Ok(_) => Ok(Found::Special),
            Err(rustix::io::Errno::NOENT) => Ok(Found::Nothing),
            Err(error) => Err(error.into()),
        }
    }

    /// Changes the owner of `made`, a file that root has just created here, to the folder's owner.
    pub(super) fn give_to_owner(&self, made: &File) {
        if self.gives_to_owner() {
            // If chown is not allowed, the file stays root's.
            let _ = std::os::unix::fs::fchown(made, Some(self.uid), Some(self.gid));
        }
    }

    /// True if this process runs as root and another user owns the folder.
    pub(super) fn gives_to_owner(&self) -> bool {
        self.uid != 0 && user_id() == 0
    }

    pub(super) fn is_own(&self) -> bool {
        self.uid == user_id()
    }

    pub(super) fn is_private(&self) -> bool {
        self.mode.trailing_zeros() >= 6
    }

    /// Returns why the contents of this folder cannot be trusted.
    pub(super) fn flaw(&self) -> Option<Flaw> {
        self.flaw_of(self.uid, self.gid, self.mode)
    }

    /// Returns why the folder at `inner` cannot be trusted; `None` if it is missing.
    pub(super) fn flaw_of_folder(&self, inner: &Path) -> Option<Flaw> {
        let found = statat(&self.fd, inner, AtFlags::empty()).ok()?;
        self.flaw_of(found.st_uid, found.st_gid, mode(&found))
    }

    /// Returns why a file in this folder cannot be trusted.
    pub(super) fn flaw_of_file(&self, found: &Metadata) -> Option<Flaw> {
        // The folder's owner may have hard-linked a file of root into their folder.
        if !self.is_own() && found.uid() != self.uid && found.nlink() > 1 {
            return Some(Flaw {
                what: "is a hard link to another user's file".to_owned(),
                command: None,
                is_cure: false,
            });
        }
        self.flaw_of(found.uid(), found.gid(), found.mode())
    }

    fn flaw_of(&self, uid: u32, gid: u32, mode: u32) -> Option<Flaw> {
        let me = user_id();
        // Root may work in another user's folder, on that user's behalf.
        let is_root_here = me == 0 && uid == self.uid;
        if uid != me && uid != 0 && !is_root_here {
            return Some(Flaw {
                what: format!("belongs to another user (uid {uid})"),
                command: Some(format!("sudo chown -R {me}")),
                is_cure: false,
            });
        }
        others_can_write(mode, gid, uid).then(|| Flaw {
            what: format!("can be written by others (mode {:04o})", mode & 0o7777),
            command: Some("chmod go-w".to_owned()),
            is_cure: true,
        })
    }

    /// True if `link`, which is in this folder, may be followed.
    fn follows(&self, link: &Stat) -> bool {
        self.is_own() && may_follow(link)
    }

    fn of(fd: OwnedFd) -> io::Result<Self> {
        let found = fstat(&fd)?;
        Ok(Self { uid: found.st_uid, gid: found.st_gid, mode: mode(&found), fd })
    }
}

/// False if a hard link gives the file a second name. The count is 0 if a file was removed while it
/// was mounted.
fn has_one_name(found: &Metadata) -> bool {
    found.nlink() <= 1
}

fn anothers_file() -> io::Error {
    io::Error::other("it is another user's file")
}

pub(super) fn mode_of(file: &File) -> io::Result<u32> {
    Ok(file.metadata()?.mode() & 0o7777)
}

/// Fails if the file system is too full for `file` to grow to `length` bytes. If the file system
/// cannot reserve space, this succeeds, and the write may fail.
#[cfg(target_os = "linux")]
pub(super) fn reserve(file: &File, length: usize) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::Errno;
    match fallocate(file, FallocateFlags::KEEP_SIZE, 0, length.max(1) as u64) {
        Err(error @ (Errno::NOSPC | Errno::DQUOT | Errno::FBIG)) => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(not(target_os = "linux"))]
#[allow(clippy::unnecessary_wraps, reason = "the function for Linux can fail")]
pub(super) fn reserve(_file: &File, _length: usize) -> io::Result<()> {
    Ok(())
}

/// Sets the file's modification time to now. `UTIME_NOW` needs write access, not ownership.
pub(super) fn set_time(file: &File) -> io::Result<()> {
    use rustix::fs::{Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, futimens};
    let time = |tv_nsec| Timespec { tv_sec: 0, tv_nsec };
    let times = Timestamps { last_access: time(UTIME_OMIT), last_modification: time(UTIME_NOW) };
    Ok(futimens(file, &times)?)
}

pub(super) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    Ok(fchmod(file, permissions(mode))?)
}

#[allow(clippy::useless_conversion, reason = "16 bits on macOS")]
fn permissions(mode: u32) -> Mode {
    Mode::from_raw_mode(mode.try_into().unwrap_or(0o600))
}

/// True for a link that root or this user owns: no other user can change its target.
fn may_follow(link: &Stat) -> bool {
    link.st_uid == 0 || link.st_uid == user_id()
}

#[allow(clippy::useless_conversion, reason = "16 bits on macOS")]
fn mode(found: &Stat) -> u32 {
    u32::from(found.st_mode)
}

/// Returns `inner`, or `.` if it is empty.
fn or_dot(inner: &Path) -> PathBuf {
    if inner.as_os_str().is_empty() { PathBuf::from(".") } else { inner.to_owned() }
}

fn place(found: Opened<Place>) -> io::Result<Opened<(Handle, OsString)>> {
    Ok(match found {
        Opened::File((folder, name)) => Opened::File((Handle::of(folder)?, name)),
        Opened::ForeignLink(owner) => Opened::ForeignLink(owner),
    })
}

/// Opens the folder that a walk found. `NOFOLLOW` because the walk has resolved all links.
fn opened_folder(found: Opened<Place>) -> io::Result<Opened<Handle>> {
    Ok(match found {
        Opened::File((folder, name)) => {
            let fd = openat(&folder, &name, FOLDER | OFlags::NOFOLLOW, Mode::empty())?;
            Opened::File(Handle::of(fd)?)
        }
        Opened::ForeignLink(owner) => Opened::ForeignLink(owner),
    })
}

/// Returns why nothing can be stored in `folder`: it is not writable, or its disk is full.
pub(crate) fn writing_flaw(folder: &Path) -> Option<String> {
    use rustix::fs::{Access, access, statvfs};
    if let Err(error) = access(folder, Access::WRITE_OK | Access::EXEC_OK) {
        return Some(format!("it cannot be written: {}", io::Error::from(error)));
    }
    let disk = statvfs(folder).ok()?;
    let has_files_left = disk.f_favail > 0 || disk.f_files == 0;
    let is_full = disk.f_bavail.saturating_mul(disk.f_frsize) < ROOM || !has_files_left;
    is_full.then(|| "there is no room left on its disk".to_owned())
}
