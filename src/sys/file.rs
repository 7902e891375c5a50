//! Files at paths that the user or the environment names. This program's own files are in a
//! [`Folder`](super::Folder).

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::os_error::file_remedy;
use super::stream;
use crate::error::{Error, Result};
use crate::foreign::Typed;

/// The largest file that is read, in bytes; far above the size of any real input.
const LIMIT: u64 = 64 * 1024 * 1024;

/// Whether a write waits until its file and folder are on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Waits: the file survives a power cut.
    Durable,
    /// Does not wait: the file can be made again.
    Volatile,
}

/// Who may read a written file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Only the owner: 0600, independent of the umask.
    Owner,
    /// Keeps the mode of an existing file; a new file gets 0644 less the umask, like az's files
    /// without secrets.
    Shared,
}

impl Access {
    /// The mode of a new file, before the umask.
    pub(super) fn mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::Shared => 0o644,
        }
    }
}

/// Returns the bytes of the file at `path`, a well-known place; `None` if it is missing. A pipe
/// there is an error, so that this never blocks.
pub(crate) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    #[cfg(unix)]
    let opened = {
        use std::os::unix::fs::OpenOptionsExt;
        match fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path) {
            // Another process (a file server) holds a lease on the file. A blocking open waits
            // until the kernel has broken the lease.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => File::open(path),
            opened => opened,
        }
    };
    #[cfg(not(unix))]
    let opened = File::open(path);
    unless_missing(opened)?.map(|file| contents(file, Pipes::Refuse)).transpose()
}

/// Returns the bytes of the file at `path`, which the user named; `None` if it is missing. A pipe,
/// such as a shell's `<(command)`, is read to its end.
pub(crate) fn read_named(path: &Path) -> io::Result<Option<Vec<u8>>> {
    unless_missing(File::open(path))?.map(|file| contents(file, Pipes::Read)).transpose()
}

fn unless_missing(opened: io::Result<File>) -> io::Result<Option<File>> {
    match opened {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => opened.map(Some),
    }
}

/// What to do with a file that is a pipe.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pipes {
    /// Read to the end, however long the writer takes.
    Read,
    /// Fail at once.
    Refuse,
}

/// Returns the bytes of `file`, at most 64 MiB.
fn contents(file: File, pipes: Pipes) -> io::Result<Vec<u8>> {
    let found = file.metadata()?;
    contents_of(file, &found, pipes)
}

/// Returns the bytes of `file`, at most 64 MiB. `found` is its metadata.
pub(super) fn contents_of(file: File, found: &fs::Metadata, pipes: Pipes) -> io::Result<Vec<u8>> {
    if is_pipe(found) && pipes == Pipes::Refuse {
        return Err(io::Error::new(io::ErrorKind::NotSeekable, "it is a pipe"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(found.len().min(LIMIT)).unwrap_or(0) + 1);
    file.take(LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LIMIT {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is over 64 MiB"));
    }
    Ok(bytes)
}

#[cfg(unix)]
fn is_pipe(found: &fs::Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&found.file_type())
}

/// Always false: Windows keeps pipes in a separate namespace.
#[cfg(not(unix))]
fn is_pipe(_found: &fs::Metadata) -> bool {
    false
}

/// Reads standard input (a piped secret or document) to its end, at most 64 MiB.
pub(crate) fn read_stdin() -> Result<Vec<u8>> {
    let bytes = stream::stdin_to_end(LIMIT + 1)
        .map_err(|error| Error::failed(format!("Cannot read standard input: {error}.")))?;
    if bytes.len() as u64 > LIMIT {
        return Err(Error::failed("Standard input is over 64 MiB."));
    }
    Ok(bytes)
}

/// Decodes `bytes`, the contents of the file at `path`, as text without a byte order mark.
///
/// # Errors
/// The bytes are not text; the message names the file.
pub(super) fn text(bytes: Vec<u8>, path: impl FnOnce() -> PathBuf) -> Result<String> {
    if !bytes.is_empty() && bytes.iter().all(|byte| *byte == 0) {
        return Err(not_text(&path(), "holds only zero bytes, as after a system crash"));
    }
    super::text::into_decoded(bytes)
        .ok_or_else(|| not_text(&path(), "is neither UTF-8 nor UTF-16 text"))
}

fn not_text(path: &Path, what: &str) -> Error {
    Error::failed(format!("{} {what}.", path.display()))
        .remedy("Save it as UTF-8, or move it away. It was not changed.")
}

/// True if `path` exists and, after links, is not a regular file.
pub(crate) fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file())
}

/// Writes a file that everybody may read into `folder`, which the user named, and makes the folder.
pub(crate) fn write_public(folder: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let path = folder.join(name);
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, bytes));
    written.map_err(|error| cannot("write", &path, error))
}

/// Removes `path`; true if it existed.
pub(crate) fn remove(path: &Path) -> Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(cannot("remove", path, error)),
    }
}

/// The error for a failed file operation, such as "Cannot read /x: permission denied", with its
/// remedy.
pub(crate) fn cannot(verb: &str, path: &Path, error: io::Error) -> Error {
    let named = path.display().to_string();
    let failed = Error::failed(format!("Cannot {verb} {}: {error}.", Typed(&named)));
    match file_remedy(path, &error) {
        Some(remedy) => failed.remedy(remedy),
        None => failed,
    }
    .source(error)
}

/// True if both paths name the same place, after relative parts and links are resolved.
pub(crate) fn is_same_path(one: &Path, other: &Path) -> bool {
    let real = |path| fs::canonicalize(path).ok();
    one == other || real(one).is_some_and(|one| real(other) == Some(one))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "mkfifo")]
    fn only_read_named_accepts_a_pipe_and_both_limit_the_size() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        assert_eq!(read(&pipe).unwrap_err().to_string(), "it is a pipe");
        let writer = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::write(pipe, "what was piped")
        });
        assert_eq!(read_named(&pipe).unwrap().unwrap(), b"what was piped");
        writer.join().unwrap().unwrap();
        assert_eq!(read(Path::new("/dev/null")).unwrap(), Some(Vec::new()));
        assert_eq!(
            read_named(Path::new("/dev/zero")).unwrap_err().kind(),
            io::ErrorKind::FileTooLarge
        );
        let sparse = dir.path().join("sparse");
        let file = File::create(&sparse).unwrap();
        file.set_len(LIMIT).unwrap();
        assert_eq!(read(&sparse).unwrap().unwrap().len() as u64, LIMIT);
        file.set_len(LIMIT + 1).unwrap();
        assert_eq!(read(&sparse).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }
}
