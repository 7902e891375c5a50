//! A Unix socket that only chosen users of this machine can speak to.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

use super::http_server::{Listener, Peer};
use super::own_folder;
use crate::error::{Error, Result};

/// A listening socket; its file is removed on drop.
pub(crate) struct Socket {
    listener: UnixListener,
    path: PathBuf,
    /// The device and inode of the file, so that no other one is removed.
    file: (u64, u64),
    allowed: Vec<u32>,
}

impl Socket {
    /// Listens at the absolute `path` for processes of this user, and of the `allowed` uids. A socket file that a
    /// dead server left is replaced. Needs a running runtime.
    ///
    /// # Errors
    /// Another server listens there; the path names another kind of file; another user could replace
    /// the socket in its folder.
    pub(crate) fn listen(path: &Path, allowed: &[u32]) -> Result<Listener> {
        let cannot = |why: &dyn std::fmt::Display| {
            Error::failed(format!("Cannot listen on {}: {why}.", path.display()))
        };
        let path = path.to_owned();
        check_folder(&path)?;
        match fs::symlink_metadata(&path) {
            Ok(found) if !found.file_type().is_socket() => {
                return Err(cannot(&"it is a file of another kind"));
            }
            // Refused: who made the file has gone.
            Ok(_) => match std::os::unix::net::UnixStream::connect(&path) {
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    fs::remove_file(&path).map_err(|error| cannot(&error))?;
                }
                _ => {
                    return Err(cannot(&"another program listens there")
                        .remedy("Stop it, or choose another path."));
                }
            },
            Err(_) => {}
        }
        let own = rustix::process::geteuid().as_raw();
        let access = if allowed.iter().all(|uid| *uid == own) { 0o600 } else { 0o666 };
        let listener = UnixListener::bind(&path).map_err(|error| cannot(&error))?;
        let made = fs::set_permissions(&path, fs::Permissions::from_mode(access))
            .and_then(|()| fs::symlink_metadata(&path));
        let found = made.map_err(|error| cannot(&error))?;
        let allowed = allowed.iter().copied().chain([own]).collect();
        Ok(Listener::Socket(Self { listener, path, file: (found.dev(), found.ino()), allowed }))
    }

    /// The next connection, and who is there as the kernel tells it: the mode of the file does not
    /// hold root back.
    pub(super) async fn accept(&self) -> io::Result<(UnixStream, Peer)> {
        let (stream, _) = self.listener.accept().await?;
        let peer = stream.peer_cred()?;
        let (uid, pid) = (Some(peer.uid()), peer.pid());
        let is_admitted = self.allowed.contains(&peer.uid());
        Ok((stream, Peer { is_admitted, uid, pid }))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let is_own = fs::symlink_metadata(&self.path)
            .is_ok_and(|found| (found.dev(), found.ino()) == self.file);
        if is_own {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Fails if the folder of the socket at `path` is missing, or if another user could put another
/// socket there.
pub(super) fn check_folder(path: &Path) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    match own_folder::open(folder) {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(Error::failed(format!(
            "The folder {} of the socket does not exist.",
            folder.display()
        ))),
        Err(_) => Err(Error::failed(format!(
            "Another user could put a socket of theirs into {}.",
            folder.display()
        ))
        .remedy("Choose a folder that only you can write, such as your home.")),
    }
}
