//! What to do when the operating system refuses.

use std::io;
use std::path::Path;

use super::owner;

/// What to do about a pipe, a socket or a device in the place of a file.
const NO_FILE: &str =
    "What lies there is no regular file. Move it away and try again. It was not changed.";

/// What to do about `error` of a file operation at `path`; `None` where the error says it all.
pub(super) fn file_remedy(path: &Path, error: &io::Error) -> Option<String> {
    // What the system says of a socket.
    #[cfg(unix)]
    if error.raw_os_error() == Some(libc::ENXIO) {
        return Some(NO_FILE.to_owned());
    }
    let remedy = match error.kind() {
        io::ErrorKind::PermissionDenied => return Some(owner::permission_remedy(path)),
        io::ErrorKind::ReadOnlyFilesystem => {
            "That disk can only be read: another place is needed (AZURE_CONFIG_DIR names the folder that azt works in)."
        }
        io::ErrorKind::NotADirectory => {
            "A file lies where a folder is needed: move it away, or name another folder (AZURE_CONFIG_DIR names the one that azt works in)."
        }
        io::ErrorKind::IsADirectory => {
            "A folder lies where the file belongs, as a container makes one for a mount whose source is missing. Move it away and try again."
        }
        io::ErrorKind::NotSeekable => NO_FILE,
        io::ErrorKind::ResourceBusy => {
            "It is a mount, or in use: unmount it, or mount the folder that it is in instead."
        }
        io::ErrorKind::StorageFull => "Make room on that disk.",
        io::ErrorKind::QuotaExceeded => "Make room there: your share of that disk is used up.",
        _ => return limit_remedy(error).map(str::to_owned),
    };
    Some(remedy.to_owned())
}

/// What to do when `error` is a limit of this process or of the machine.
pub(super) fn limit_remedy(error: &io::Error) -> Option<&'static str> {
    #[cfg(unix)]
    match error.raw_os_error()? {
        libc::EMFILE => {
            return Some("Close files, or raise the limit on how many may be open (ulimit -n).");
        }
        libc::ENFILE => return Some("The machine has too many files open: end some programs."),
        libc::EFBIG => return Some("A limit on the size of files forbids it (ulimit -f)."),
        libc::EAGAIN => {
            return Some(
                "No more threads may be started here: end other programs, or raise the limit \
                 (ulimit -u; in a container its limit on processes).",
            );
        }
        libc::ENOMEM | libc::ENOBUFS => {
            return Some("The machine is out of memory: end some programs.");
        }
        _ => {}
    }
    #[cfg(not(unix))]
    let _ = error;
    None
}
