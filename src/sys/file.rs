//! Files, read whole and replaced whole.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::os_error::file_remedy;
use super::owner::{give, is_laid_by_another};
use super::temporary;
use crate::error::{Error, Result};

/// Files larger than this are refused: nothing this program reads comes near it.
const LIMIT: u64 = 64 * 1024 * 1024;

/// Who may read a file that is written. Its owner is who runs this program; but what root makes in
/// somebody else's folder (sudo, a home mounted into a container) is theirs, or they could not use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The owner only: 0600, whatever the umask.
    Owner,
    /// As an existing file has it, else 0644 less the umask: what az leaves for files that hold no
    /// secret.
    Shared,
}

/// The bytes of `path`, a file in its place; `None` when there is no such file. A pipe that somebody
/// put there is not waited for.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    #[cfg(unix)]
    let opened = {
        use std::os::unix::fs::OpenOptionsExt;
        match fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path) {
            // Somebody has a lease on the file (a file server): it is given up for who waits.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => File::open(path),
            opened => opened,
        }
    };
    #[cfg(not(unix))]
    let opened = File::open(path);
    contents(opened, false)
}

/// The bytes of `path`, which the person named: a pipe is read to its end (`<(command)` of a shell).
pub fn read_named(path: &Path) -> io::Result<Option<Vec<u8>>> {
    contents(File::open(path), true)
}

fn contents(opened: io::Result<File>, may_be_pipe: bool) -> io::Result<Option<Vec<u8>>> {
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let found = file.metadata()?;
    if is_pipe(&found) && !may_be_pipe {
        return Err(io::Error::other("it is a pipe"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(found.len().min(LIMIT)).unwrap_or(0) + 1);
    file.take(LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LIMIT {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is over 64 MiB"));
    }
    Ok(Some(bytes))
}

#[cfg(unix)]
fn is_pipe(found: &fs::Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&found.file_type())
}

/// On Windows pipes have names of their own.
#[cfg(not(unix))]
fn is_pipe(_found: &fs::Metadata) -> bool {
    false
}

/// What tells one state of a file from the next, without reading it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// In bytes.
    pub size: u64,
    /// When its contents changed: seconds since 1970-01-01 UTC, and nanoseconds.
    modified: (i64, u32),
    /// Which file it is, and when anything about it changed (Unix).
    other: (u64, i64, i64),
}

impl Stamp {
    /// That of the file at `path`, links followed; `None` when there is none or it cannot be told.
    pub fn of(path: &Path) -> Option<Self> {
        let found = fs::metadata(path).ok()?;
        let since = found.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        let modified = (i64::try_from(since.as_secs()).ok()?, since.subsec_nanos());
        #[cfg(unix)]
        let other = {
            use std::os::unix::fs::MetadataExt;
            (found.ino(), found.ctime(), found.ctime_nsec())
        };
        #[cfg(not(unix))]
        let other = (0, 0, 0);
        Some(Self { size: found.len(), modified, other })
    }

    /// When the file last changed, in seconds since 1970-01-01 UTC.
    pub fn changed_at(&self) -> i64 {
        self.modified.0.max(self.other.1)
    }
}

/// Standard input to its end, at most 64 MiB: a secret or a document that was piped in.
pub fn read_stdin() -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::stdin()
        .take(LIMIT + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Error::failed(format!("Cannot read standard input: {error}.")))?;
    if bytes.len() as u64 > LIMIT {
        return Err(Error::failed("Standard input is over 64 MiB."));
    }
    Ok(bytes)
}

/// [`read`] as text; an error names the file and the cause.
pub fn read_text(path: &Path) -> Result<Option<String>> {
    let Some(bytes) = read(path).map_err(|error| cannot("read", path, error))? else {
        return Ok(None);
    };
    String::from_utf8(bytes).map(Some).map_err(|_| {
        Error::failed(format!("{} is not UTF-8 text.", path.display()))
            .remedy("Mend the file or move it away. It was not changed.")
    })
}

/// Replaces `path` by `bytes` at once: readers see the old file or the new one, never a part.
///
/// Written to a temporary file in the same folder and renamed. A symbolic link is followed first,
/// so that a settings file kept elsewhere stays a link; not one by which another user points at
/// what is not theirs. What is there and is no regular file (a pipe, a device, a folder) is not
/// replaced: whoever reads it would wait for ever. `durable` waits until file and folder are
/// on the disk.
pub fn write_atomic(path: &Path, bytes: &[u8], access: Access, durable: bool) -> Result<()> {
    let failed = |error: io::Error| cannot("write", path, error);
    let target = resolve_link(path)?;
    if is_special(&target) {
        return Err(failed(io::Error::other("it is no regular file"))
            .remedy("Move it away and try again. It was not changed."));
    }
    let folder = parent_of(&target);
    #[cfg(unix)]
    let _as_error = super::size_limit::SizeLimit::as_error();
    let temporary = temporary::create(folder, access).map_err(failed)?;
    temporary.as_file().write_all(bytes).map_err(failed)?;
    set_access(temporary.as_file(), access, &target).map_err(failed)?;
    give(temporary.as_file(), &fs::metadata(folder).map_err(failed)?);
    if durable {
        temporary.as_file().sync_all().map_err(failed)?;
    }
    temporary.persist(&target).map_err(|error| failed(error.error))?;
    if durable {
        sync_folder(folder).map_err(failed)?;
    }
    Ok(())
}

/// True when something is at `path`, links followed, that is no regular file.
pub fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file())
}

/// Makes the time of `path` now, and the file, empty and its owner's alone, where there is none. What
/// is in it stays.
#[allow(clippy::disallowed_methods, reason = "the file's time, not that of anything that is told")]
pub fn touch(path: &Path) -> Result<()> {
    let mut options = fs::OpenOptions::new();
    options.append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600).custom_flags(libc::O_NONBLOCK);
    }
    let touched = || match options.clone().create_new(true).open(path) {
        Ok(made) => {
            give(&made, &fs::metadata(parent_of(path))?);
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            options.open(path)?.set_modified(std::time::SystemTime::now())
        }
        Err(error) => Err(error),
    };
    touched().map_err(|error| cannot("write", path, error))
}

/// Removes `path`; true when there was something to remove.
pub fn remove(path: &Path) -> Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(cannot("remove", path, error)),
    }
}

/// The folder that `path` is in.
pub(super) fn parent_of(path: &Path) -> &Path {
    path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The error for a file operation: "Cannot read /x: permission denied", and what to do about it.
pub fn cannot(verb: &str, path: &Path, error: io::Error) -> Error {
    let failed = Error::failed(format!("Cannot {verb} {}: {error}.", path.display()));
    match file_remedy(path, &error) {
        Some(remedy) => failed.remedy(remedy),
        None => failed,
    }
    .source(error)
}

/// Where `path` leads. An error when somebody else laid a link there to what is not theirs: in a
/// folder where others can write, or when root writes in theirs, it could lead to anything.
pub(super) fn resolve_link(path: &Path) -> Result<PathBuf> {
    let Ok(link) = fs::symlink_metadata(path) else { return Ok(path.to_path_buf()) };
    if !link.is_symlink() {
        return Ok(path.to_path_buf());
    }
    let Ok(target) = fs::canonicalize(path) else { return Ok(path.to_path_buf()) };
    if is_laid_by_another(&link, &target) {
        let message = format!(
            "{} is a link that another user made, to {}, which is not theirs.",
            path.display(),
            target.display()
        );
        return Err(Error::failed(message)
            .remedy("Remove the link, and let nobody else write in its folder."));
    }
    Ok(target)
}

#[cfg(unix)]
fn set_access(file: &File, access: Access, target: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    match fs::metadata(target) {
        Ok(existing) if access == Access::Shared => {
            let mode = existing.permissions().mode() & 0o777;
            file.set_permissions(fs::Permissions::from_mode(mode))
        }
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn set_access(_file: &File, _access: Access, _target: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn owner_files_are_0600_even_over_a_looser_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        write_atomic(&path, b"new", Access::Owner, true).unwrap();
        assert_eq!((mode(&path), fs::read(&path).unwrap()), (0o600, b"new".to_vec()));
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "mkfifo")]
    fn a_pipe_is_read_only_where_a_person_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        assert_eq!(read(&pipe).unwrap_err().to_string(), "it is a pipe");
        let error = write_atomic(&pipe, b"nobody's to read", Access::Owner, false).unwrap_err();
        assert!(error.message().ends_with(": it is no regular file."), "{error}");
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

    #[test]
    fn a_link_stays_a_link_and_its_target_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let (target, link) = (dir.path().join("target"), dir.path().join("link"));
        fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        write_atomic(&link, b"new", Access::Shared, false).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&target).unwrap(), b"new");
    }

    #[test]
    fn a_link_that_another_made_leads_only_to_what_is_theirs() {
        use std::os::unix::fs::{chown, lchown, symlink};
        let dir = tempfile::tempdir().unwrap();
        let (target, link) = (dir.path().join("target"), dir.path().join("link"));
        fs::write(&target, "old").unwrap();
        symlink(&target, &link).unwrap();
        if lchown(&link, Some(65_534), None).is_err() {
            // Only root can make a link another's.
            return;
        }
        let error = write_atomic(&link, b"new", Access::Shared, false).unwrap_err();
        assert!(error.message().contains("is a link that another user made"), "{error}");
        assert_eq!(fs::read(&target).unwrap(), b"old");
        chown(&target, Some(65_534), None).unwrap();
        write_atomic(&link, b"new", Access::Shared, false).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_litter() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("folder");
        fs::create_dir(&path).unwrap();
        let error = write_atomic(&path, b"new", Access::Owner, false).unwrap_err();
        assert!(error.message().starts_with("Cannot write "), "{error}");
        assert!(error.message().ends_with(": it is no regular file."), "{error}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
