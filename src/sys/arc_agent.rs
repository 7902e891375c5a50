//! The Azure Arc agent on this machine: its presence and its key files.

use std::path::{Path, PathBuf};

use super::env::Env;
use super::file;
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;

/// Longest accepted key file, in bytes (MSAL's limit).
const LONGEST_KEY: u64 = 4096;

/// True if the agent is installed in its usual place.
pub(crate) fn arc_agent_is_installed(env: &Env) -> bool {
    let program = if cfg!(windows) {
        let Some(folder) = env.path("ProgramFiles") else { return false };
        folder.join("AzureConnectedMachineAgent").join("himds.exe")
    } else {
        PathBuf::from("/opt/azcmagent/bin/himds")
    };
    program.exists()
}

/// Reads the key file at `path`, which came in an answer over plain HTTP. It must be a `.key` file
/// of at most 4096 bytes in the agent's folder, so that a forged answer cannot make azt send
/// another file.
///
/// # Errors
/// [`Kind::Refused`] if `path` is not such a file; the file cannot be read.
pub(crate) fn read_arc_key(env: &Env, path: &Path) -> Result<Secret> {
    let folder = if cfg!(windows) {
        let data = env.path("ProgramData").ok_or_else(|| {
            Error::failed(
                "ProgramData is not set, so the folder of the Azure Arc agent's keys is unknown.",
            )
        })?;
        data.join("AzureConnectedMachineAgent").join("Tokens")
    } else {
        PathBuf::from("/var/opt/azcmagent/tokens")
    };
    read_key_in(&folder, path)
}

fn read_key_in(folder: &Path, path: &Path) -> Result<Secret> {
    let refused = |what: &str| {
        Error::new(
            Kind::Refused,
            format!(
                "The Azure Arc agent named the key file {}, {what}. It was not read.",
                path.display()
            ),
        )
        .remedy("A program other than the agent may be listening at its address.")
    };
    if path.parent() != Some(folder) || path.extension().is_none_or(|found| found != "key") {
        return Err(refused(&format!("which is not a .key file in {}", folder.display())));
    }
    let missing = |error| {
        file::cannot("read", path, error).remedy(
            "Only members of the group himds (Windows: administrators) may read the agent's keys.",
        )
    };
    let metadata = std::fs::symlink_metadata(path).map_err(missing)?;
    if !metadata.is_file() || metadata.len() > LONGEST_KEY {
        return Err(refused("which is not a regular file of at most 4096 bytes"));
    }
    let key = std::fs::read_to_string(path).map_err(missing)?;
    let key = Secret::new(key);
    Ok(Secret::new(key.expose().trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_small_key_files_of_the_agents_folder_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("tokens");
        std::fs::create_dir_all(folder.join("deep")).unwrap();
        let path = |name: &str| folder.join(name);
        for (name, content) in [
            ("good.key", "key".to_owned()),
            ("good.txt", "key".to_owned()),
            ("deep/good.key", "key".to_owned()),
            ("../outside.key", "key".to_owned()),
            ("full.key", "x".repeat(4096)),
            ("long.key", "x".repeat(4097)),
        ] {
            std::fs::write(path(name), content).unwrap();
        }
        assert_eq!(read_key_in(&folder, &path("good.key")).unwrap().expose(), "key");
        assert_eq!(read_key_in(&folder, &path("full.key")).unwrap().expose().len(), 4096);
        for name in ["good.txt", "deep/good.key", "../outside.key", "long.key", "deep"] {
            let error = read_key_in(&folder, &path(name)).unwrap_err();
            assert_eq!(error.kind(), Kind::Refused, "{name}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(dir.path().join("outside.key"), path("link.key")).unwrap();
            assert!(read_key_in(&folder, &path("link.key")).is_err());
        }
        let error = read_key_in(&folder, &path("none.key")).unwrap_err();
        assert!(error.remedy_lines()[0].contains("himds"), "{error}");
    }
}
