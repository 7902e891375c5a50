//! The files that [`write_atomic`](super::file::write_atomic) makes and, unless it is killed, renames.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::file::{Access, remove};
use crate::error::Result;

/// How their names begin and end.
const NAME: (&str, &str) = (".azt-", ".tmp");

/// Makes one in `folder`.
pub(super) fn create(folder: &Path, access: Access) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(NAME.0).suffix(NAME.1);
    #[cfg(unix)]
    if access == Access::Shared {
        use std::os::unix::fs::PermissionsExt;
        // Less the umask.
        builder.permissions(fs::Permissions::from_mode(0o644));
    }
    #[cfg(not(unix))]
    let _ = access;
    // The path that it adds to an error is nobody's business: the file was never there.
    builder.tempfile_in(folder).map_err(|error| {
        let text = error.to_string();
        let text = text.split(" at path ").next().unwrap_or_default();
        // The number is what a remedy goes by.
        let code = text.rsplit_once("(os error ").and_then(|(_, code)| code.strip_suffix(')'));
        code.and_then(|code| code.parse().ok())
            .map_or_else(|| io::Error::new(error.kind(), text), io::Error::from_raw_os_error)
    })
}

/// Removes those in `folder` that killed processes left there, secrets perhaps: all, or the ones that
/// are older than `age`, which nobody is writing any more.
pub fn remove_temporaries(folder: &Path, age: Option<Duration>) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.flatten() {
        let is_old = |age: Duration| {
            let modified = entry.metadata().and_then(|it| it.modified());
            modified.is_ok_and(|time| time.elapsed().is_ok_and(|elapsed| elapsed > age))
        };
        let name = entry.file_name();
        let is_one =
            name.to_str().is_some_and(|name| name.starts_with(NAME.0) && name.ends_with(NAME.1));
        if is_one && age.is_none_or(is_old) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}
