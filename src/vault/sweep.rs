//! What nobody needs any more: access tokens that ended, and what killed processes left behind.

use std::time::Duration;

use super::record::{AccessToken, Record};
use super::store::Store;
use crate::error::Result;
use crate::sys::Folder;
use crate::sys::file::{Access, Durability};

/// Notes when the last sweep was.
const MARK: &str = "swept";
/// How often one is worth the reading, in seconds.
const INTERVAL: i64 = 24 * 3600;
/// How long after its end a token is kept, in seconds: a clock that was wrong may be set back.
const GRACE: i64 = 24 * 3600;
/// How old a temporary file is that no process is writing any more.
const ABANDONED: Duration = Duration::from_hours(1);
/// Most access tokens that are kept; the ones that end first go.
const MOST_TOKENS: usize = 5_000;

/// Sweeps the vault in `azt_dir`, and the folder that it lies in, if that was not done within the last
/// day. `now`: seconds since 1970-01-01 UTC.
pub(super) fn if_due(azt_dir: &Folder, store: &Store<'_>, now: i64) -> Result<()> {
    let last =
        azt_dir.read_text(MARK).ok().flatten().and_then(|text| text.trim().parse::<i64>().ok());
    if last.is_some_and(|last| (last..last.saturating_add(INTERVAL)).contains(&now)) {
        return Ok(());
    }
    // First the mark: of many processes one sweeps.
    azt_dir.write(MARK, now.to_string().as_bytes(), Access::Owner, Durability::Volatile)?;
    store.remove_abandoned(ABANDONED)?;
    let (mut tokens, _) = store.all::<AccessToken>()?;
    tokens.sort_by_key(|token| std::cmp::Reverse(token.expires_on));
    for (place, token) in tokens.iter().enumerate() {
        if place >= MOST_TOKENS || token.expires_on.saturating_add(GRACE) < now {
            store.remove(&token.key())?;
        }
    }
    // There the key is written; az's plain text and an export may be.
    for folder in azt_dir.parent().iter().chain([azt_dir]) {
        folder.remove_temporaries(Some(ABANDONED))?;
    }
    Ok(())
}
