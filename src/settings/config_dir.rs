//! The folder that holds az's files and azt's own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::sys::{BROKER, Folder, LockGuard, System, TRUSTED_DIR, is_same_path};

/// How long a writer waits for the lock; a write takes milliseconds.
const LOCK_LIMIT: Duration = Duration::from_secs(5);
const LOCK: &str = "settings.lock";

/// az's configuration folder.
#[derive(Clone, Debug)]
pub struct ConfigDir {
    path: PathBuf,
    folder: Folder,
    azt: Folder,
}

impl ConfigDir {
    /// `AZURE_CONFIG_DIR` as given (relative to the working directory, `~` is not expanded, empty
    /// counts as unset), else `.azure` in the home folder (az 2.91), else [`Folder::nowhere`]; that too
    /// if `AZT_BROKER` is set.
    ///
    /// The folder need not exist. A wrong owner or mode is an error at the first use, unless
    /// `AZT_TRUSTED_DIR` names this folder.
    pub(crate) fn find(system: &System) -> Self {
        let named = system.env.path("AZURE_CONFIG_DIR");
        // Nothing is read beside the settings of the other azt.
        let named_or_home = if system.env.non_empty(BROKER).is_some() {
            None
        } else {
            named.or_else(|| Some(system.home()?.join(".azure")))
        };
        let Some(path) = named_or_home else {
            return Self::of(PathBuf::new(), Folder::nowhere());
        };
        let is_trusted =
            system.env.path(TRUSTED_DIR).is_some_and(|trusted| is_same_path(&trusted, &path));
        if is_trusted { Self::of(path.clone(), Folder::trusted(path)) } else { Self::at(path) }
    }

    /// Settings without a folder: these files, which cannot be changed.
    #[cfg_attr(not(unix), allow(dead_code, reason = "only Unix has sockets with an owner"))]
    pub(crate) fn in_memory(files: BTreeMap<String, Vec<u8>>) -> Self {
        Self::of(PathBuf::new(), Folder::in_memory(files))
    }

    /// The folder at `path`.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self::of(path.clone(), Folder::at(path))
    }

    fn of(path: PathBuf, folder: Folder) -> Self {
        let azt = folder.sub("azt");
        Self { path, folder, azt }
    }

    /// The path of the folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The folder itself, which holds az's files.
    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The path of the file `name` in the folder, for messages.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The sub-folder for azt's own files: the vault and the lock files.
    pub fn azt(&self) -> &Folder {
        &self.azt
    }

    /// Creates the folder if it is missing, accessible only to its owner (0700 on Unix).
    pub(crate) fn ensure(&self) -> Result<()> {
        self.folder.ensure()
    }

    /// Takes the lock for changes of settings files, `azt/locks/settings.lock`.
    ///
    /// Waits up to 5 s. Not re-entrant: a second call in the same process times out. `None` when
    /// nothing can be created in the folder: existing files in it may still be writable.
    pub(crate) fn lock(&self) -> Result<Option<LockGuard>> {
        let locks = self.azt.sub("locks");
        match locks.ensure().and_then(|()| locks.lock(LOCK, LOCK_LIMIT)) {
            Ok(Some(held)) => Ok(Some(held)),
            Ok(None) => Err(Error::failed(format!(
                "Another process has been changing the settings for {} s: {} is locked.",
                LOCK_LIMIT.as_secs(),
                locks.file(LOCK).display()
            ))
            .remedy("Try again. If this stays so, end the process that holds the lock.")),
            // An existing `azt` folder that is not accessible is a fault for the user to repair.
            Err(error) if error.is_read_only() || (error.is_io_error() && !self.azt.exists()) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::tests::system;

    #[test]
    fn the_variable_wins_and_empty_is_unset() {
        let find = |vars: &[(&str, &str)]| ConfigDir::find(&system(vars));
        let home = ("HOME", "/home/jo");
        assert_eq!(find(&[home]).path(), Path::new("/home/jo/.azure"));
        assert_eq!(find(&[home, ("AZURE_CONFIG_DIR", "")]).path(), Path::new("/home/jo/.azure"));
        assert_eq!(find(&[home, ("AZURE_CONFIG_DIR", "~/rel")]).path(), Path::new("~/rel"));
        let error = find(&[]).ensure().unwrap_err();
        assert!(error.remedy_lines().iter().any(|line| line.contains("AZURE_CONFIG_DIR")));
    }

    #[cfg(unix)]
    #[test]
    fn created_folders_are_private() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let dir = ConfigDir::at(root.path().join("nested/azure"));
        dir.ensure().unwrap();
        let held = dir.lock().unwrap();
        for folder in [dir.path().to_path_buf(), dir.azt().path(), dir.azt().file("locks")] {
            let mode = std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o700, "{}", folder.display());
        }
        drop(held);
        assert!(dir.lock().is_ok());
    }
}
