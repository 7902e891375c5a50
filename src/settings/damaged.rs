//! Moves damaged settings files aside, so that a sign-in starts with new ones.

use std::time::Duration;

use super::config_dir::ConfigDir;
use super::ini::Ini;
use super::profile::Profile;
use super::{clouds, profile};
use crate::error::{Error, Result};
use crate::sys::{file, sleep};

/// Suffix of a file that was moved aside.
const ASIDE: &str = "damaged";
/// az writes in place, so a reader may see a partial file: a damaged file is read again.
const ATTEMPTS: u32 = 3;
const BETWEEN: Duration = Duration::from_millis(100);
/// With more damaged files than this of one name, the user should clean up.
const MOST_ASIDE: u32 = 100;

/// Renames `azureProfile.json` and `clouds.config` in `dir` if they cannot be parsed, and tells the
/// reason and the new name through `tell`. `config` is never renamed: it says where secrets may go
/// and where the key is.
///
/// # Errors
/// A file cannot be read at all, or not renamed: it is not changed.
pub(crate) fn put_aside_damaged(dir: &ConfigDir, tell: impl Fn(&str)) -> Result<()> {
    for name in [profile::FILE, clouds::FILE] {
        if is_damaged_for_good(dir, name)? {
            let _held = dir.lock()?;
            // Another process may have replaced it before this one got the lock.
            if let Some(flaw) = flaw(dir, name)? {
                let aside = put_aside(dir, name)?;
                let aside = dir.file(&aside);
                tell(&format!("{} It was put aside as {}.", flaw.message(), aside.display()));
            }
        }
    }
    Ok(())
}

fn is_damaged_for_good(dir: &ConfigDir, name: &str) -> Result<bool> {
    for attempt in 1..=ATTEMPTS {
        if flaw(dir, name)?.is_none() {
            return Ok(false);
        }
        if attempt < ATTEMPTS {
            sleep(BETWEEN);
        }
    }
    Ok(true)
}

/// Why the file `name` cannot be parsed; `None` if it can.
fn flaw(dir: &ConfigDir, name: &str) -> Result<Option<Error>> {
    // An I/O error does not mean that the content is damaged.
    dir.folder().read(name)?;
    let read = match name {
        profile::FILE => Profile::load(dir).map(drop),
        _ => Ini::read(dir.folder(), name).map(drop),
    };
    Ok(read.err())
}

/// Renames the file to the first free name and returns that name.
fn put_aside(dir: &ConfigDir, name: &str) -> Result<String> {
    let numbered = (2..=MOST_ASIDE).map(|number| format!("{name}.{ASIDE}-{number}"));
    for aside in std::iter::once(format!("{name}.{ASIDE}")).chain(numbered) {
        let renamed = dir.folder().rename_unless_there(name, &aside);
        if renamed.map_err(|error| file::cannot("rename", &dir.file(name), error))? {
            return Ok(aside);
        }
    }
    Err(Error::failed(format!("There are {MOST_ASIDE} damaged files beside {name}."))
        .remedy(format!("Remove those that you do not need from {}.", dir.path().display())))
}
