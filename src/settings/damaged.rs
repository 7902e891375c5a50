//! Settings files that are no longer what they should be: put aside, so that a sign-in starts afresh.

use std::time::Duration;

use super::config_dir::ConfigDir;
use super::ini::Ini;
use super::profile::Profile;
use super::{clouds, profile};
use crate::error::{Error, Result};
use crate::sys::{file, pause};

/// Put behind the name of a file that is put aside.
const ASIDE: &str = "damaged";
/// az writes in place, so that a reader may see a part: what is damaged is looked at again.
const ATTEMPTS: u32 = 3;
const BETWEEN: Duration = Duration::from_millis(100);
/// More files than this of one name are somebody's to look through.
const MOST_ASIDE: u32 = 100;

/// Gives the profile and the clouds of `dir` another name where they cannot be understood, and lets
/// `tell` say why and where each is now. Nothing in them is changed. `config` stays: it says where
/// secrets may go and where the key is.
///
/// # Errors
/// A file cannot be read at all, or renamed: it stays as it is.
pub(crate) fn put_aside_damaged(dir: &ConfigDir, tell: impl Fn(&str)) -> Result<()> {
    for name in [profile::FILE, clouds::FILE] {
        if is_damaged_for_good(dir, name)? {
            let _held = dir.lock()?;
            // Somebody else may have been here.
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
            pause(BETWEEN);
        }
    }
    Ok(true)
}

/// Why the file `name` cannot be understood, if that is so.
fn flaw(dir: &ConfigDir, name: &str) -> Result<Option<Error>> {
    // What the system refuses is not the content's fault.
    dir.folder().read(name)?;
    let read = match name {
        profile::FILE => Profile::load(dir).map(drop),
        _ => Ini::read(dir.folder(), name).map(drop),
    };
    Ok(read.err())
}

/// Renames the file to the first name that nothing has, and answers that.
fn put_aside(dir: &ConfigDir, name: &str) -> Result<String> {
    let numbered = (2..=MOST_ASIDE).map(|number| format!("{name}.{ASIDE}-{number}"));
    for aside in std::iter::once(format!("{name}.{ASIDE}")).chain(numbered) {
        let renamed = dir.folder().rename_unless_there(name, &aside);
        if renamed.map_err(|error| file::cannot("rename", &dir.file(name), error))? {
            return Ok(aside);
        }
    }
    Err(Error::failed(format!("There are {MOST_ASIDE} damaged files beside {name}."))
        .remedy(format!("Remove what you do not need of them, in {}.", dir.path().display())))
}
