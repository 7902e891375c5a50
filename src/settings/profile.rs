//! The signed-in accounts: `azureProfile.json`.

mod names;
mod remembered;
mod root;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::START_AFRESH;
use super::config_dir::ConfigDir;
use super::python_json;
use super::subscription::Subscription;
use crate::error::{Error, Kind, Result};
use crate::foreign::Typed;
use crate::program::Program;
use crate::sys::file::{Access, Durability};

pub(crate) use names::ProfileNames;

pub(super) const FILE: &str = "azureProfile.json";
const SUBSCRIPTIONS: &str = "subscriptions";
/// Size in bytes below which reading is fast enough for every call.
const LARGE: u64 = 64 * 1024;
/// Seconds after a change in which another change could leave the same stamp.
const SETTLED: i64 = 2;
const BOM: char = '\u{feff}';

/// The profile: subscriptions of all clouds and users, and the unknown members of the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Profile {
    /// The file's object, with `subscriptions` set to null: the list is in the other field.
    root: Map<String, Value>,
    subscriptions: Vec<Subscription>,
}

/// The output of `account list`, and the state for its warnings.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Listing {
    /// The array of entries.
    pub(crate) value: Value,
    /// True when there are no entries in any state: no user is signed in.
    pub(crate) is_empty: bool,
    /// True when entries were left out because their state is not `Enabled`.
    pub(crate) some_hidden: bool,
}

impl Profile {
    /// Reads `<dir>/azureProfile.json`, with or without a byte order mark. A missing or empty file
    /// is an empty profile. A file that is not a profile is an error that names it; az would
    /// overwrite it.
    pub(crate) fn load(dir: &ConfigDir) -> Result<Self> {
        Self::parse(dir.folder().read_text(FILE)?.unwrap_or_default(), &dir.file(FILE))
    }

    /// [`Profile::load`], but a damaged file reads as empty. For callers that move that file aside.
    ///
    /// # Errors
    /// The file cannot be read at all.
    pub(crate) fn load_or_new(dir: &ConfigDir) -> Result<Self> {
        dir.folder().read(FILE)?;
        Ok(Self::load(dir).unwrap_or_default())
    }

    /// Parses `text`, the content of the file at `path`.
    pub(super) fn parse(text: String, path: &Path) -> Result<Self> {
        let text = Arc::new(text);
        let json = text.strip_prefix(BOM).unwrap_or(&text).trim();
        if json.is_empty() {
            return Ok(Self::default());
        }
        // Slower, and says why a file is refused. It also reads the oddest files: with members
        // twice, nested deeply.
        Self::read(&text, json).or_else(|_| Self::parse_whole(json, path))
    }

    /// Parses `json` into one [`Value`].
    pub(super) fn parse_whole(json: &str, path: &Path) -> Result<Self> {
        let root = serde_json::from_str(json).map_err(|error| broken(path, &error.to_string()))?;
        let Value::Object(mut root) = root else {
            return Err(broken(path, "it is not a JSON object"));
        };
        let mut subscriptions = Vec::new();
        match root.get_mut(SUBSCRIPTIONS).map(Value::take) {
            None | Some(Value::Null) => {}
            Some(Value::Array(entries)) => {
                // A null entry describes no account.
                for entry in entries.into_iter().filter(|entry| !entry.is_null()) {
                    let entry = Subscription::from_value(entry);
                    subscriptions.push(
                        entry.ok_or_else(|| broken(path, "a subscription is not an object"))?,
                    );
                }
            }
            Some(_) => return Err(broken(path, "'subscriptions' is not a list")),
        }
        Ok(Self { root, subscriptions })
    }

    /// Reads the profile, applies `change`, and writes the file if the profile changed, all under
    /// the lock of `dir`. If `change` fails, nothing is written.
    pub(crate) fn update<T>(
        dir: &ConfigDir,
        change: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let _held = dir.lock()?;
        let mut profile = Self::load(dir)?;
        let before = profile.clone();
        let answer = change(&mut profile)?;
        if profile != before {
            let bytes = profile.into_bytes(&dir.file(FILE))?;
            dir.folder().write(FILE, &bytes, Access::Shared, Durability::Durable)?;
        }
        Ok(answer)
    }

    /// Fails if the profile could not be written. Called before a sign-in, whose last step writes
    /// it.
    pub(crate) fn check_writable(dir: &ConfigDir) -> Result<()> {
        dir.folder().check_file_writable(FILE)
    }

    /// Fails if `change` changes the profile and it could not be written. Called before a sign-out.
    pub(crate) fn try_out_change(dir: &ConfigDir, change: impl FnOnce(&mut Self)) -> Result<()> {
        let before = Self::load(dir)?;
        let mut changed = before.clone();
        change(&mut changed);
        if changed == before { Ok(()) } else { Self::check_writable(dir) }
    }

    /// Keeps the entries of `user`, or `stand_in` if there are none; the entry `default`, else the first
    /// one, becomes the default.
    #[cfg_attr(not(unix), allow(dead_code, reason = "only Unix has sockets with an owner"))]
    pub(super) fn keep_user(&mut self, user: &str, default: Option<&str>, stand_in: Subscription) {
        self.subscriptions.retain(|entry| entry.user_name() == user);
        if self.subscriptions.is_empty() {
            self.subscriptions.push(stand_in);
        }
        let is_default = |entry: &Subscription| Some(entry.id()) == default;
        let at = self.subscriptions.iter().position(is_default).unwrap_or(0);
        for (index, entry) in self.subscriptions.iter_mut().enumerate() {
            entry.set_default(index == at);
        }
    }

    /// All entries, of all clouds.
    pub(crate) fn all(&self) -> &[Subscription] {
        &self.subscriptions
    }

    /// The entries of a cloud. Lookups in a cloud see only these.
    pub(crate) fn visible(&self, cloud: &str) -> impl Iterator<Item = &Subscription> + Clone {
        self.subscriptions.iter().filter(move |entry| entry.environment_name() == cloud)
    }

    /// The entry of a cloud with the id or name `wanted` (in any case), or the default entry.
    ///
    /// [`Kind::NotSignedIn`] when the cloud has no entries. Messages are az's, with the name
    /// `program`.
    pub(crate) fn find(
        &self,
        program: Program,
        cloud: &str,
        wanted: Option<&str>,
    ) -> Result<&Subscription> {
        let wanted = wanted.filter(|wanted| !wanted.is_empty());
        let mut visible = self.visible(cloud).peekable();
        if visible.peek().is_none() {
            let login = format!("{program} login");
            let text = format!("Please run '{login}' to setup account.");
            return Err(Error::new(Kind::NotSignedIn, text).command(login));
        }
        let lower = wanted.map(str::to_lowercase);
        let mut found = visible.filter(|entry| match &lower {
            Some(lower) => entry.is_called(lower),
            None => entry.is_default(),
        });
        let first = found.next().ok_or_else(|| {
            Error::failed(match wanted {
                Some(wanted) => format!(
                    "Subscription '{wanted}' not found. Check the spelling and casing and try again.",
                    wanted = Typed(wanted)
                ),
                None => format!(
                    "No subscription found. Run '{program} account set' to select a subscription."
                ),
            })
        })?;
        if found.next().is_some() {
            return Err(Error::failed(format!(
                "Multiple subscriptions with the name '{}' found. Specify the subscription ID.",
                Typed(wanted.unwrap_or("None"))
            )));
        }
        Ok(first)
    }

    /// Makes the entry of a cloud with the id or name `wanted` the only default of all clouds.
    /// Returns its id, which the caller stores with [`super::Clouds::set_subscription`].
    ///
    /// Fails unless exactly one entry matches. Messages are az's, with the argument in lower case.
    pub(crate) fn set_default(&mut self, cloud: &str, wanted: &str) -> Result<String> {
        let wanted = wanted.to_lowercase();
        let matches =
            |entry: &Subscription| entry.environment_name() == cloud && entry.is_called(&wanted);
        let found = self.subscriptions.iter().enumerate().filter(|(_, entry)| matches(entry));
        let found: Vec<usize> = found.map(|(at, _)| at).collect();
        let [at] = found.as_slice() else {
            let problem =
                if found.is_empty() { "doesn't exist" } else { "has more than one match" };
            return Err(Error::failed(format!(
                "The subscription of '{wanted}' {problem} in cloud '{cloud}'.",
                wanted = Typed(&wanted)
            )));
        };
        Ok(self.make_default(*at))
    }

    /// Merges the entries found by a sign-in: an entry replaces the old one with the same id in
    /// place, in any cloud and of any user; others are appended.
    ///
    /// The new default is the first that exists of: the new entry with the id or name `preferred`
    /// (in any case), the old default if it is among the new ones, the first new `Enabled` entry,
    /// the first new entry. Returns its id, which the caller stores with
    /// [`super::Clouds::set_subscription`]; `None` without a change when `new` is empty.
    pub(crate) fn merge_login(
        &mut self,
        new: Vec<Subscription>,
        preferred: Option<&str>,
    ) -> Option<String> {
        let preferred = preferred.map(str::to_lowercase);
        let old = self.subscriptions.iter().find(|entry| entry.is_default());
        let chosen = preferred
            .and_then(|wanted| new.iter().find(|entry| entry.is_called(&wanted)))
            .or_else(|| old.and_then(|old| new.iter().find(|entry| entry.id() == old.id())))
            .or_else(|| new.iter().find(|entry| entry.state() == "Enabled"))
            .or_else(|| new.first())?
            .id()
            .to_owned();
        let places = self.put_in_place(new);
        places.get(&chosen).map(|at| self.make_default(*at))
    }

    /// Replaces the entries of a user or application in a cloud; `name` matches in any case. The
    /// default entry stays the default if it still exists; otherwise it is the first `Enabled`
    /// entry of the cloud.
    pub(crate) fn replace_user(&mut self, cloud: &str, name: &str, entries: Vec<Subscription>) {
        let name = name.to_lowercase();
        let former = self.subscriptions.iter().find(|entry| entry.is_default());
        let former = former.map(|entry| entry.id().to_owned());
        self.subscriptions.retain(|entry| {
            entry.environment_name() != cloud || entry.user_name().to_lowercase() != name
        });
        self.put_in_place(entries);
        let at = |is: &dyn Fn(&Subscription) -> bool| self.subscriptions.iter().position(is);
        let default = at(&|entry| Some(entry.id()) == former.as_deref()).or_else(|| {
            at(&|entry| entry.environment_name() == cloud && entry.state() == "Enabled")
        });
        if let (Some(default), Some(_)) = (default, former) {
            self.make_default(default);
        }
    }

    /// Puts each of `entries` in the place of the entry with its id, or at the end. Returns the
    /// index of every id.
    fn put_in_place(&mut self, entries: Vec<Subscription>) -> HashMap<String, usize> {
        let mut places: HashMap<String, usize> = HashMap::new();
        for (at, entry) in self.subscriptions.iter().enumerate() {
            places.entry(entry.id().to_owned()).or_insert(at);
        }
        for entry in entries {
            let at = *places.entry(entry.id().to_owned()).or_insert(self.subscriptions.len());
            match self.subscriptions.get_mut(at) {
                Some(old) => *old = entry.with_tenant_names_of(old),
                None => self.subscriptions.push(entry),
            }
        }
        places
    }

    /// Removes the entries of a user or application from all clouds; `name` matches in any case.
    /// True when there were any. No other entry becomes the default (az 2.91).
    pub(crate) fn remove_user(&mut self, name: &str) -> bool {
        let name = name.to_lowercase();
        let before = self.subscriptions.len();
        self.subscriptions.retain(|entry| entry.user_name().to_lowercase() != name);
        self.subscriptions.len() != before
    }

    /// Removes all entries of all clouds. Other members of the file stay.
    pub(crate) fn clear(&mut self) {
        self.subscriptions.clear();
    }

    /// The output of `account list`: the `Enabled` entries of a cloud, or with `all` every entry.
    pub(crate) fn list_value(&self, cloud: &str, all: bool) -> Listing {
        let seen = |entry: &&Subscription| all || entry.environment_name() == cloud;
        let entries: Vec<&Subscription> = self.subscriptions.iter().filter(seen).collect();
        let shown = entries.iter().filter(|entry| all || entry.state() == "Enabled");
        let shown: Vec<Value> = shown.map(|entry| entry.list_value()).collect();
        Listing {
            is_empty: entries.is_empty(),
            some_hidden: shown.len() != entries.len(),
            value: Value::Array(shown),
        }
    }

    /// Makes the entry at index `default` the only default, and returns its id.
    fn make_default(&mut self, default: usize) -> String {
        let mut id = String::new();
        for (at, entry) in self.subscriptions.iter_mut().enumerate() {
            entry.set_default(at == default);
            if at == default {
                entry.id().clone_into(&mut id);
            }
        }
        id
    }

    /// The file's bytes as az writes them: a byte order mark and one line of ASCII JSON.
    pub(super) fn into_bytes(self, path: &Path) -> Result<Vec<u8>> {
        let mut root = self.root;
        let entries = self.subscriptions.iter().map(Subscription::value).collect();
        root.insert(SUBSCRIPTIONS.to_owned(), Value::Array(entries));
        let json = python_json::to_text(&Value::Object(root)).map_err(|error| {
            Error::failed(format!("{} cannot be written.", path.display())).source(error)
        })?;
        let mut bytes = BOM.to_string().into_bytes();
        bytes.extend(json);
        Ok(bytes)
    }
}

/// The number of entries in the profile of `dir`. For `benches/profile.rs`.
pub fn profile_length(dir: &ConfigDir) -> Result<usize> {
    Profile::load(dir).map(|profile| profile.all().len())
}

fn broken(path: &Path, why: &str) -> Error {
    Error::failed(format!("{} cannot be read: {why}.", path.display())).remedy(START_AFRESH)
}
