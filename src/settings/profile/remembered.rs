//! Caches lookups in a large profile, so that the next call does not parse the profile.
//!
//! A profile of five thousand subscriptions is 2 MB of JSON; reading it takes several times as long
//! as the rest of a warm call. `azt/found.json` holds the last few lookups with their results. It
//! is valid only while the profile has the stamp that it had when the lookups were cached.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::config_dir::ConfigDir;
use super::super::subscription::Subscription;
use super::{FILE, LARGE, Profile, SETTLED};
use crate::error::Result;
use crate::sys::Stamp;
use crate::sys::file::{Access, Durability};

/// Maximum number of cached lookups.
const KEPT: usize = 8;
const NAME: &str = "found.json";

#[derive(Serialize, Deserialize)]
struct Remembered {
    profile: Stamp,
    /// Questions with the entries found, newest first.
    found: Vec<(String, Value)>,
}

impl Profile {
    /// The entry that `choose` finds in the profile of `dir`, or the cached result for `question`.
    /// The question must contain everything that the choice depends on; it is not computed for a
    /// small profile.
    ///
    /// `now` is in seconds since 1970-01-01 UTC. Errors are not cached. A cache that cannot be
    /// written is not an error.
    pub(crate) fn answer(
        dir: &ConfigDir,
        question: impl FnOnce() -> String,
        now: i64,
        choose: impl FnOnce(&Self) -> Result<Subscription>,
    ) -> Result<Subscription> {
        let stamp = dir.folder().stamp(FILE).filter(|stamp| stamp.size >= LARGE);
        let Some(stamp) = stamp else { return choose(&Self::load(dir)?) };
        let mut found = remembered(dir, &stamp);
        let question = question();
        let known = found.iter().find(|(asked, _)| *asked == question);
        if let Some(entry) = known.and_then(|(_, entry)| Subscription::from_value(entry.clone())) {
            return Ok(entry);
        }
        let entry = choose(&Self::load(dir)?)?;
        if now - stamp.changed_at() >= SETTLED {
            found.retain(|(asked, _)| *asked != question);
            found.truncate(KEPT - 1);
            found.insert(0, (question, entry.value()));
            remember(dir, &Remembered { profile: stamp, found });
        }
        Ok(entry)
    }
}

fn remembered(dir: &ConfigDir, stamp: &Stamp) -> Vec<(String, Value)> {
    let bytes = dir.azt().read(NAME).ok().flatten().unwrap_or_default();
    let kept = serde_json::from_slice::<Remembered>(&bytes);
    kept.ok().filter(|kept| kept.profile == *stamp).map_or_else(Vec::new, |kept| kept.found)
}

fn remember(dir: &ConfigDir, kept: &Remembered) {
    if let Ok(bytes) = serde_json::to_vec(kept) {
        // If this fails, the next call parses the profile again: slower, but correct.
        let _ = dir.azt().write(NAME, &bytes, Access::Owner, Durability::Volatile);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tempfile::TempDir;

    use super::*;

    const NOW: i64 = i64::MAX;

    /// A folder with a profile of `entries` entries; the one at index `default` is the default.
    fn folder(entries: usize, default: usize) -> (TempDir, ConfigDir) {
        let root = tempfile::tempdir().unwrap();
        let dir = ConfigDir::at(root.path());
        std::fs::create_dir(dir.azt().path()).unwrap();
        write(&dir, entries, default);
        (root, dir)
    }

    fn write(dir: &ConfigDir, entries: usize, default: usize) {
        let entry = |at: usize| {
            let is_default = if at == default { "true " } else { "false" };
            format!(
                r#"{{"id": "60000000-0000-4000-8000-{at:012}", "name": "{at}", "isDefault": {is_default}, "environmentName": "AzureCloud"}}"#
            )
        };
        let all: Vec<String> = (0..entries).map(entry).collect();
        let text = format!("\u{feff}{{\"subscriptions\": [{}]}}", all.join(", "));
        std::fs::write(dir.file(FILE), text).unwrap();
    }

    /// The name of the default entry, and whether the profile was read.
    fn default(dir: &ConfigDir, question: &str, now: i64) -> (String, bool) {
        let read = Cell::new(false);
        let entry = Profile::answer(
            dir,
            || question.to_owned(),
            now,
            |profile| {
                read.set(true);
                let entry = profile.all().iter().find(|entry| entry.is_default());
                Ok(entry.cloned().unwrap())
            },
        );
        (entry.unwrap().name().to_owned(), read.get())
    }

    #[test]
    fn a_large_profile_is_read_once_for_each_question() {
        let (_root, dir) = folder(1000, 7);
        assert_eq!(default(&dir, "a", NOW), ("7".into(), true));
        assert_eq!(default(&dir, "a", NOW), ("7".into(), false));
        assert_eq!(default(&dir, "b", NOW), ("7".into(), true));
        assert_eq!(default(&dir, "a", NOW), ("7".into(), false));
        for other in 0..KEPT {
            default(&dir, &other.to_string(), NOW);
        }
        assert_eq!(default(&dir, "a", NOW), ("7".into(), true), "only the last few are kept");
    }

    #[test]
    fn a_change_of_the_profile_with_the_same_size_is_detected() {
        let (_root, dir) = folder(1000, 7);
        default(&dir, "a", NOW);
        write(&dir, 1000, 8);
        // Simulates a tick of the file system's clock.
        let file = std::fs::File::open(dir.file(FILE)).unwrap();
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
        assert_eq!(default(&dir, "a", NOW), ("8".into(), true));
    }

    #[test]
    fn a_profile_changed_moments_ago_is_not_cached() {
        let (_root, dir) = folder(1000, 7);
        let changed = dir.folder().stamp(FILE).unwrap().changed_at();
        for now in [changed, changed + 1, changed + 1, changed - 100] {
            assert_eq!(default(&dir, "a", now), ("7".into(), true));
        }
        assert_eq!(default(&dir, "a", changed + 2), ("7".into(), true));
        assert_eq!(default(&dir, "a", changed), ("7".into(), false));
    }

    #[test]
    fn a_damaged_or_unwritable_cache_is_no_error() {
        let (_root, dir) = folder(1000, 7);
        std::fs::write(dir.azt().file(NAME), "{\"profile\": 1").unwrap();
        assert_eq!(default(&dir, "a", NOW), ("7".into(), true));
        assert_eq!(default(&dir, "a", NOW), ("7".into(), false));
        std::fs::remove_dir_all(dir.azt().path()).unwrap();
        assert_eq!(default(&dir, "a", NOW), ("7".into(), true));
        assert_eq!(default(&dir, "a", NOW), ("7".into(), true));
    }

    #[test]
    fn a_small_profile_is_not_cached() {
        let (_root, dir) = folder(10, 7);
        assert_eq!(default(&dir, "a", NOW), ("7".into(), true));
        assert!(!dir.azt().file(NAME).exists());
    }
}
