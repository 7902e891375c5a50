//! Removes expired access tokens and the temporary files of killed processes.

use std::time::Duration;

use super::record::{AccessToken, Record};
use super::store::Store;
use crate::error::Result;
use crate::sys::Folder;
use crate::sys::file::{Access, Durability};

/// The file with the time of the last sweep.
const MARK: &str = "swept";
/// Time between sweeps, in seconds.
const INTERVAL: i64 = 24 * 3600;
/// How long an expired token is kept, in seconds: a wrong clock may be set back.
const GRACE: i64 = 24 * 3600;
/// Age after which a temporary file counts as abandoned.
const ABANDONED: Duration = Duration::from_hours(1);
/// Most access tokens to keep; those that expire first are removed.
const MOST_TOKENS: usize = 5_000;

/// Sweeps the vault in `azt_dir` and its parent folder, unless a sweep ran within the last day.
/// `now`: seconds since 1970-01-01 UTC.
pub(super) fn if_due(azt_dir: &Folder, store: &Store<'_>, now: i64) -> Result<()> {
    let last =
        azt_dir.read_text(MARK).ok().flatten().and_then(|text| text.trim().parse::<i64>().ok());
    if last.is_some_and(|last| (last..last.saturating_add(INTERVAL)).contains(&now)) {
        return Ok(());
    }
    // Write the mark first, so that only one process sweeps.
    azt_dir.write(MARK, now.to_string().as_bytes(), Access::Owner, Durability::Volatile)?;
    store.remove_abandoned(ABANDONED)?;
    let (mut tokens, _) = store.all::<AccessToken>()?;
    tokens.sort_by_key(|token| std::cmp::Reverse(token.expires_on));
    for (place, token) in tokens.iter().enumerate() {
        if place >= MOST_TOKENS || token.expires_on.saturating_add(GRACE) < now {
            store.remove(&token.key())?;
        }
    }
    // These folders get the key file, az's files and exports.
    for folder in azt_dir.parent().iter().chain([azt_dir]) {
        folder.remove_temporaries(Some(ABANDONED))?;
    }
    Ok(())
}
