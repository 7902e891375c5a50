//! The names in the profile, for completion.
//!
//! Reading a profile of five thousand subscriptions takes several times as long as the rest of a
//! completion. For a large profile `azt/names` keeps the names: a stamp of the profile, then one line
//! each. It is valid only while the profile has that stamp.

use std::collections::BTreeSet;

use super::super::config_dir::ConfigDir;
use super::{FILE, LARGE, Profile, SETTLED};
use crate::sys::Stamp;
use crate::sys::file::{Access, Durability};

const NAME: &str = "names";

/// The names in the profile. A line is a letter for its kind, and fields that are separated by tabs,
/// which no sanitized name has.
pub(crate) struct ProfileNames(String);

/// A subscription by its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SubscriptionName<'n> {
    pub(crate) name: &'n str,
    pub(crate) id: &'n str,
    pub(crate) cloud: &'n str,
}

impl ProfileNames {
    /// The names in the profile of `dir`; none if it cannot be read. `now` is in seconds since
    /// 1970-01-01 UTC.
    pub(crate) fn load(dir: &ConfigDir, now: i64) -> Self {
        let stamp = dir.folder().stamp(FILE).filter(|stamp| stamp.size >= LARGE);
        let Some(stamp) = stamp else { return Self::of(dir) };
        let head = head(&stamp);
        let kept = dir.azt().read_text(NAME).ok().flatten();
        if let Some(kept) = kept.filter(|kept| kept.starts_with(&head)) {
            return Self(kept);
        }
        let names = Self::of(dir);
        if now - stamp.changed_at() >= SETTLED {
            let text = head + &names.0;
            // If this fails, the next call reads the profile again: slower, but correct.
            let _ = dir.azt().write(NAME, text.as_bytes(), Access::Owner, Durability::Volatile);
        }
        names
    }

    fn of(dir: &ConfigDir) -> Self {
        let profile = Profile::load(dir).unwrap_or_default();
        let (mut accounts, mut tenants) = (BTreeSet::new(), BTreeSet::new());
        let mut text = String::new();
        for entry in profile.all() {
            let domain = entry.tenant_default_domain().unwrap_or_default();
            accounts.insert(entry.user_name());
            tenants.insert((entry.tenant_id(), domain));
            if !entry.is_tenant_level() {
                line(&mut text, 's', &[entry.name(), entry.id(), entry.environment_name()]);
            }
        }
        for name in accounts {
            line(&mut text, 'a', &[name]);
        }
        for (id, domain) in tenants {
            line(&mut text, 't', &[id, domain]);
        }
        Self(text)
    }

    /// The subscriptions of all clouds, in the profile's order.
    pub(crate) fn subscriptions(&self) -> impl Iterator<Item = SubscriptionName<'_>> + Clone {
        self.lines('s').filter_map(|line| {
            let (name, rest) = line.split_once('\t')?;
            let (id, cloud) = rest.split_once('\t')?;
            Some(SubscriptionName { name, id, cloud })
        })
    }

    /// The names of users and applications, each with an empty text.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.lines('a').map(|name| (name, ""))
    }

    /// The ids of tenants with their domains, which may be empty.
    pub(crate) fn tenants(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.lines('t').filter_map(|line| line.split_once('\t'))
    }

    fn lines(&self, kind: char) -> impl Iterator<Item = &str> + Clone {
        self.0.split('\n').filter_map(move |line| line.strip_prefix(kind))
    }
}

/// The first line of the file. It starts with no letter of a kind.
fn head(stamp: &Stamp) -> String {
    format!("{}\n", serde_json::to_string(stamp).unwrap_or_default())
}

/// Adds a line, unless its first field is empty.
fn line(text: &mut String, kind: char, fields: &[&str]) {
    if fields.first().is_none_or(|first| first.is_empty()) {
        return;
    }
    text.push(kind);
    for (at, field) in fields.iter().enumerate() {
        text.push_str(if at > 0 { "\t" } else { "" });
        text.push_str(field);
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    const NOW: i64 = i64::MAX;

    fn folder(entries: usize) -> (TempDir, ConfigDir) {
        let root = tempfile::tempdir().unwrap();
        let dir = ConfigDir::at(root.path());
        std::fs::create_dir(dir.azt().path()).unwrap();
        write(&dir, entries, "Sub");
        (root, dir)
    }

    fn write(dir: &ConfigDir, entries: usize, name: &str) {
        let entry = |at: usize| {
            format!(
                r#"{{"id": "60000000-0000-4000-8000-{at:012}", "name": "{name}\n\t{at}", "tenantId": "t{}", "environmentName": "AzureCloud", "user": {{"name": "jo{}"}}}}"#,
                at % 3,
                at % 2
            )
        };
        let all: Vec<String> = (0..entries).map(entry).collect();
        std::fs::write(dir.file(FILE), format!(r#"{{"subscriptions": [{}]}}"#, all.join(", ")))
            .unwrap();
    }

    fn first(dir: &ConfigDir, now: i64) -> String {
        let names = ProfileNames::load(dir, now);
        let first = names.subscriptions().next().unwrap();
        assert_eq!((first.id, first.cloud), ("60000000-0000-4000-8000-000000000000", "AzureCloud"));
        first.name.to_owned()
    }

    #[test]
    fn names_are_one_line_each_without_doubles() {
        for entries in [4, 1000] {
            let (_root, dir) = folder(entries);
            for _ in 0..2 {
                let names = ProfileNames::load(&dir, NOW);
                assert_eq!(names.subscriptions().count(), entries);
                assert_eq!(names.subscriptions().next().unwrap().name, "Sub 0");
                assert_eq!(names.accounts().collect::<Vec<_>>(), [("jo0", ""), ("jo1", "")]);
                let tenants: Vec<_> = names.tenants().map(|(id, _)| id).collect();
                assert_eq!(tenants, ["t0", "t1", "t2"]);
            }
            assert_eq!(dir.azt().file(NAME).exists(), entries == 1000);
        }
    }

    #[test]
    fn kept_names_follow_the_profile() {
        let (_root, dir) = folder(1000);
        assert_eq!(first(&dir, 0), "Sub 0");
        assert!(!dir.azt().file(NAME).exists(), "the profile changed moments ago");
        assert_eq!(first(&dir, NOW), "Sub 0");
        let kept = std::fs::read_to_string(dir.azt().file(NAME)).unwrap();
        std::fs::write(dir.azt().file(NAME), kept.replace("Sub 0", "Kept")).unwrap();
        assert_eq!(first(&dir, NOW), "Kept", "the profile is not read");
        write(&dir, 1000, "New");
        let file = std::fs::File::open(dir.file(FILE)).unwrap();
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
        assert_eq!(first(&dir, NOW), "New 0");
        std::fs::write(dir.azt().file(NAME), "{").unwrap();
        assert_eq!(first(&dir, NOW), "New 0");
        std::fs::remove_dir_all(dir.azt().path()).unwrap();
        assert_eq!(first(&dir, NOW), "New 0");
    }

    #[test]
    fn a_profile_that_cannot_be_read_has_no_names() {
        let (_root, dir) = folder(0);
        for text in ["{", "[]", "\0"] {
            std::fs::write(dir.file(FILE), text).unwrap();
            assert_eq!(ProfileNames::load(&dir, NOW).subscriptions().count(), 0);
        }
    }
}
