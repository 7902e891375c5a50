//! The folder that holds az's files and this program's own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::sys::{LockFile, LockGuard, System, file, folder};

/// How long a writer waits for another: a write takes milliseconds.
const LOCK_LIMIT: Duration = Duration::from_secs(5);

/// az's configuration folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigDir(PathBuf);

impl ConfigDir {
    /// `AZURE_CONFIG_DIR` as given (a relative path counts from the working directory, `~` is not
    /// expanded, the empty text is unset), else `.azure` in the home folder (az 2.91).
    ///
    /// Fails when there is neither. The folder need not exist.
    pub fn find(system: &System) -> Result<Self> {
        if let Some(path) = system.env.path("AZURE_CONFIG_DIR") {
            return Ok(Self(path));
        }
        match system.home() {
            Some(home) => Ok(Self(home.join(".azure"))),
            None => Err(Error::failed("There is no home folder to keep settings in.")
                .remedy("Set AZURE_CONFIG_DIR to a folder that you can write to.")),
        }
    }

    /// The folder at `path`.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The file `name` in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The sub-folder for what is this program's alone: the vault and the lock files.
    pub fn azt(&self) -> PathBuf {
        self.0.join("azt")
    }

    /// Makes the folder if it is missing, for its owner only (0700 on Unix).
    pub fn ensure(&self) -> Result<()> {
        folder::create_private_dir(&self.0)
    }

    /// Takes the lock that every change of a settings file is made under, `azt/locks/settings.lock`.
    ///
    /// Waits up to 5 s. Not re-entrant: a process that holds it and asks again waits in vain.
    pub fn lock(&self) -> Result<LockGuard> {
        let folder = self.azt().join("locks");
        folder::create_private_dir(&folder)?;
        let lock = LockFile::new(folder.join("settings.lock"));
        match lock.acquire(LOCK_LIMIT) {
            Ok(Some(guard)) => Ok(guard),
            Ok(None) => Err(Error::failed(format!(
                "Another process has been changing the settings for {} s: {} is locked.",
                LOCK_LIMIT.as_secs(),
                lock.path().display()
            ))
            .remedy("Try again. If this stays so, end the process that holds the lock.")),
            Err(error) => Err(file::cannot("lock", lock.path(), error)),
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
        assert_eq!(find(&[home]).unwrap().path(), Path::new("/home/jo/.azure"));
        assert_eq!(
            find(&[home, ("AZURE_CONFIG_DIR", "")]).unwrap().path(),
            Path::new("/home/jo/.azure")
        );
        assert_eq!(
            find(&[home, ("AZURE_CONFIG_DIR", "~/rel")]).unwrap().path(),
            Path::new("~/rel")
        );
        let error = find(&[]).unwrap_err();
        assert!(error.remedy_lines().iter().any(|line| line.contains("AZURE_CONFIG_DIR")));
    }

    #[cfg(unix)]
    #[test]
    fn folders_made_here_are_the_owners_only() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let dir = ConfigDir::at(root.path().join("nested/azure"));
        dir.ensure().unwrap();
        let held = dir.lock().unwrap();
        for folder in [dir.path().to_path_buf(), dir.azt(), dir.azt().join("locks")] {
            let mode = std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o700, "{}", folder.display());
        }
        drop(held);
        assert!(dir.lock().is_ok());
    }
}
