//! systemd's journal, and files that only grow.
#![allow(clippy::disallowed_methods, reason = "this module wraps the banned functions")]

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use super::file::cannot;
#[cfg(unix)]
use super::owner::others_can_write;
use crate::error::{Error, Result};

/// Opens the file at `path` to append lines; creates it for this user alone.
///
/// # Errors
/// It is no regular file, or others can write it.
pub(crate) fn append_only(path: &Path) -> Result<File> {
    let refused = |why: &str| Err(Error::failed(format!("{} {why}.", path.display())));
    // Before it is opened: a pipe without a reader would not open.
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return refused("is no regular file");
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|error| cannot("open", path, error))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let found = file.metadata().map_err(|error| cannot("read", path, error))?;
        if others_can_write(found.mode(), found.gid(), found.uid()) {
            return refused("can be written by others");
        }
    }
    Ok(file)
}

/// The name of the program of the process `pid`; `None` where the system does not tell.
pub(crate) fn program_of(pid: i32) -> Option<String> {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(name.trim_end().to_owned())
}

/// A connection to systemd's journal (its native protocol, systemd.journal-fields(7)).
pub(crate) struct Journal {
    #[cfg(unix)]
    socket: std::os::unix::net::UnixDatagram,
}

impl Journal {
    /// Connects.
    ///
    /// # Errors
    /// There is no journal here.
    #[cfg(unix)]
    pub(crate) fn open() -> Result<Self> {
        let socket = std::os::unix::net::UnixDatagram::unbound()
            .and_then(|socket| socket.connect("/run/systemd/journal/socket").map(|()| socket))
            // A journal that hangs must not stop who writes.
            .and_then(|socket| socket.set_nonblocking(true).map(|()| socket));
        let socket = socket.map_err(|error| {
            Error::failed(format!("systemd's journal cannot be reached: {error}."))
                .remedy("Name a file instead: --audit FILE")
        })?;
        Ok(Self { socket })
    }

    /// There is none.
    ///
    /// # Errors
    /// Always.
    #[cfg(not(unix))]
    pub(crate) fn open() -> Result<Self> {
        Err(Error::failed("There is no systemd here.").remedy("Name a file instead: --audit FILE"))
    }

    /// Writes `line`, which has no line feed.
    #[cfg(unix)]
    pub(crate) fn write(&self, line: &str) -> io::Result<()> {
        let entry = format!("PRIORITY=6\nSYSLOG_IDENTIFIER=azt\nMESSAGE={line}\n");
        self.socket.send(entry.as_bytes()).map(drop)
    }

    /// There is none.
    #[cfg(not(unix))]
    pub(crate) fn write(&self, _line: &str) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
