//! One entry of a large profile, found without reading the others.
//!
//! A profile of five thousand subscriptions is 2 MB of JSON; putting it together takes twenty times
//! as long as all the rest of a warm call. An entry is found by its text instead, and counts only
//! if it is the only one and is, by itself, what was looked for: in every other case the answer is
//! left to [`Profile::find`].

use memchr::memmem;
use serde_json::Value;

use super::super::config_dir::ConfigDir;
use super::super::subscription::Subscription;
use super::{FILE, Profile};
use crate::error::Result;
use crate::sys::file;

/// Smaller files are read whole, and checked whole, in no time.
const LARGE: u64 = 64 * 1024;

/// How the entries of az and of this program begin. Within a text of JSON a quote has a backslash
/// before it, so none of these can stand there.
const ENTRY: [&str; 2] = ["{\"id\": ", "{\"id\":"];
const DEFAULT: [&str; 2] = ["\"isDefault\": true", "\"isDefault\":true"];

impl Profile {
    /// The entry of `cloud` with the id `wanted`, or the default one, if the file is so large that
    /// it is worth it and there is no doubt; `None` otherwise.
    pub fn peek(
        dir: &ConfigDir,
        cloud: &str,
        wanted: Option<&str>,
    ) -> Result<Option<Subscription>> {
        let path = dir.file(FILE);
        // No stat for its own sake: what fails here fails better in `load`.
        if std::fs::metadata(&path).map_or(0, |file| file.len()) < LARGE {
            return Ok(None);
        }
        let Some(bytes) = file::read(&path).map_err(|error| file::cannot("read", &path, error))?
        else {
            return Ok(None);
        };
        let entry = match wanted {
            Some(id) if uuid::Uuid::try_parse(id).is_ok() => by_id(&bytes, id),
            Some(_) => None,
            None => default(&bytes),
        };
        Ok(entry.filter(|entry| {
            entry.environment_name() == cloud
                && wanted.map_or(entry.is_default(), |id| entry.id() == id)
        }))
    }
}

fn by_id(bytes: &[u8], id: &str) -> Option<Subscription> {
    let needles = ENTRY.map(|entry| format!("{entry}\"{id}\""));
    entry_at(bytes, only(bytes, &needles.each_ref().map(String::as_str))?)
}

fn default(bytes: &[u8]) -> Option<Subscription> {
    let at = only(bytes, &DEFAULT)?;
    let before = bytes.get(..at)?;
    let start = ENTRY.iter().filter_map(|entry| memmem::rfind(before, entry.as_bytes())).max()?;
    entry_at(bytes, start)
}

/// The one place where one of `needles` stands; `None` where there are more or none.
fn only(bytes: &[u8], needles: &[&str]) -> Option<usize> {
    let mut places = needles.iter().flat_map(|needle| memmem::find_iter(bytes, needle).take(2));
    let first = places.next()?;
    places.next().is_none().then_some(first)
}

fn entry_at(bytes: &[u8], start: usize) -> Option<Subscription> {
    let mut values = serde_json::Deserializer::from_slice(bytes.get(start..)?).into_iter::<Value>();
    Subscription::from_value(values.next()?.ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOUD: &str = "AzureCloud";
    const ID: &str = "50000000-0000-4000-8000-000000000001";

    /// A large profile with `entries` in the middle.
    fn found(entries: &str, wanted: Option<&str>) -> Option<String> {
        let filler = |number: usize| {
            format!(
                r#"{{"id": "60000000-0000-4000-8000-{number:012}", "name": "a", "isDefault": false, "environmentName": "AzureCloud"}}, "#
            )
        };
        let some = |from: usize| (from..from + 600).map(filler).collect::<String>();
        let last = filler(9999);
        let text = format!(
            "\u{feff}{{\"subscriptions\": [{}{entries}, {}{}]}}",
            some(0),
            some(1000),
            last.trim_end_matches(", ")
        );
        let root = tempfile::tempdir().unwrap();
        let dir = ConfigDir::at(root.path());
        std::fs::write(dir.file(FILE), text).unwrap();
        let peeked = Profile::peek(&dir, CLOUD, wanted).unwrap();
        // Whatever is found here is what the whole file says.
        if let Some(entry) = &peeked {
            let profile = Profile::load(&dir).unwrap();
            let slow = profile.find(crate::program::Program::Azt, CLOUD, wanted).unwrap();
            assert_eq!(slow, entry);
        }
        peeked.map(|entry| entry.name().to_owned())
    }

    #[test]
    fn the_default_and_an_id_are_found() {
        let entry = format!(
            r#"{{"id": "{ID}", "name": "x", "user": {{"name": "a}}"}}, "isDefault": true, "environmentName": "AzureCloud"}}"#
        );
        assert_eq!(found(&entry, None).as_deref(), Some("x"));
        assert_eq!(found(&entry, Some(ID)).as_deref(), Some("x"));
        let compact = entry.replace(": ", ":");
        assert_eq!(found(&compact, None).as_deref(), Some("x"));
        assert_eq!(found(&compact, Some(ID)).as_deref(), Some("x"));
    }

    #[test]
    fn what_is_in_doubt_is_left_alone() {
        let of = |name: &str, rest: &str| format!(r#"{{"id": "{ID}", "name": {name}, {rest}}}"#);
        let default = r#""isDefault": true, "environmentName": "AzureCloud""#;
        for (entries, wanted) in [
            // Two of them, another cloud, another order, a name that looks like one, a nested one.
            (format!("{}, {}", of("\"x\"", default), of("\"y\"", default)), None),
            (of("\"x\"", r#""isDefault": true, "environmentName": "Other""#), None),
            (format!(r#"{{"name": "x", {default}, "id": "{ID}"}}"#), None),
            (of("\"x\"", r#""more": {"isDefault": true}, "environmentName": "AzureCloud""#), None),
            (of(r#""\"isDefault\": true""#, r#""environmentName": "AzureCloud""#), None),
            (of("\"x\"", default), Some("x")),
            (of("\"x\"", default), Some("50000000-0000-4000-8000-000000000002")),
        ] {
            assert_eq!(found(&entries, wanted), None, "{entries} {wanted:?}");
        }
    }
}
