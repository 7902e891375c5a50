//! Remedies for errors of the operating system.

use std::io;
use std::path::Path;

use super::owner;

/// The remedy for a pipe, a socket or a device in the place of a file.
const NO_FILE: &str = "It is not a regular file. Move it away and try again. It was not changed.";

/// The remedy for `error` of a file operation at `path`; `None` if azt knows no remedy.
pub(super) fn file_remedy(path: &Path, error: &io::Error) -> Option<String> {
    // Opening a socket file gives this error.
    #[cfg(unix)]
    if error.raw_os_error() == Some(libc::ENXIO) {
        return Some(NO_FILE.to_owned());
    }
    let remedy = match error.kind() {
        io::ErrorKind::PermissionDenied => return Some(owner::permission_remedy(path)),
        io::ErrorKind::ReadOnlyFilesystem => {
            "That disk is read-only: set AZURE_CONFIG_DIR to a folder that you can write to."
        }
        io::ErrorKind::NotADirectory => {
            "A file lies where a folder is needed: move it away, or set AZURE_CONFIG_DIR to another folder."
        }
        io::ErrorKind::IsADirectory => {
            "A folder lies where the file belongs; container engines create one if the source of a mount is missing. Move it away and try again."
        }
        io::ErrorKind::NotSeekable => NO_FILE,
        io::ErrorKind::ResourceBusy => {
            "It is a mount, or in use: unmount it, or mount the folder that contains it instead."
        }
        io::ErrorKind::StorageFull => "Make room on that disk.",
        io::ErrorKind::QuotaExceeded => "Your disk quota is used up: delete files there.",
        _ => return limit_remedy(error).map(str::to_owned),
    };
    Some(remedy.to_owned())
}

/// The remedy if `error` is a limit of this process or of the machine.
pub(super) fn limit_remedy(error: &io::Error) -> Option<&'static str> {
    #[cfg(unix)]
    match error.raw_os_error()? {
        libc::EMFILE => {
            return Some("Close files, or raise the limit on how many may be open (ulimit -n).");
        }
        libc::ENFILE => return Some("The machine has too many open files: end some programs."),
        libc::EFBIG => return Some("The limit on file sizes forbids it (ulimit -f)."),
        libc::EAGAIN => {
            return Some(
                "No more threads can be started: end other programs, or raise the limit \
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
