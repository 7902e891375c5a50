//! The subscriptions that were the default lately: `azt/recent.json`, a list of ids for each cloud.

use std::collections::BTreeMap;

use super::config_dir::ConfigDir;
use crate::error::Result;
use crate::sys::file::{Access, Durability};

const NAME: &str = "recent.json";
/// Most ids of a cloud.
const KEPT: usize = 20;

/// Ids of subscriptions by cloud, the latest default first.
pub(crate) struct Recent(BTreeMap<String, Vec<String>>);

impl Recent {
    /// Reads the list. A missing or damaged one is empty: it is a convenience.
    pub(crate) fn load(dir: &ConfigDir) -> Self {
        let bytes = dir.azt().read(NAME).ok().flatten().unwrap_or_default();
        Self(serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// The ids of `cloud`, the latest default first.
    pub(crate) fn of(&self, cloud: &str) -> &[String] {
        self.0.get(cloud).map(Vec::as_slice).unwrap_or_default()
    }

    /// Notes that the default of `cloud` changed from `former` to `now`.
    ///
    /// # Errors
    /// The list cannot be written; the default has changed all the same.
    pub(crate) fn note(
        dir: &ConfigDir,
        cloud: &str,
        former: Option<&str>,
        now: &str,
    ) -> Result<()> {
        if former == Some(now) {
            return Ok(());
        }
        let _held = dir.lock()?;
        let mut recent = Self::load(dir);
        let ids = recent.0.entry(cloud.to_owned()).or_default();
        for id in former.into_iter().chain([now]) {
            ids.retain(|it| it != id);
            ids.insert(0, id.to_owned());
        }
        ids.truncate(KEPT);
        let bytes = serde_json::to_vec(&recent.0).unwrap_or_default();
        dir.azt().write(NAME, &bytes, Access::Owner, Durability::Volatile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_default_is_first_and_the_former_one_second() {
        let root = tempfile::tempdir().unwrap();
        let dir = ConfigDir::at(root.path());
        let note = |cloud: &str, former: Option<&str>, now: &str| {
            Recent::note(&dir, cloud, former, now).unwrap();
        };
        let ids = |cloud: &str| Recent::load(&dir).of(cloud).to_vec();
        note("A", None, "1");
        note("A", Some("1"), "2");
        note("B", Some("9"), "8");
        note("A", Some("2"), "2");
        assert_eq!(
            (ids("A"), ids("B")),
            (vec!["2".into(), "1".into()], vec!["8".into(), "9".into()])
        );
        // Another program has changed the default meanwhile.
        note("A", Some("3"), "1");
        assert_eq!(ids("A"), ["1", "3", "2"]);
        std::fs::write(dir.azt().file(NAME), "{\"A\": [").unwrap();
        assert_eq!(ids("A"), Vec::<String>::new());
        for at in 0..2 * KEPT {
            note("A", None, &at.to_string());
        }
        assert_eq!(ids("A").len(), KEPT);
    }
}
