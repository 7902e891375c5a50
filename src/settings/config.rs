//! az's settings: the file `config`, overridden by environment variables.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::config_dir::ConfigDir;
use super::ini::Ini;
use super::setting::{Setting, Values, on_or_off, one_of, seconds, variable};
use crate::error::{Error, Result};
use crate::foreign::Typed;
use crate::sys::file::Access;
use crate::sys::{Folder, System};

const FILE: &str = "config";

/// az's settings as loaded.
///
/// A non-empty variable `AZURE_<SECTION>_<OPTION>` overrides the file (az 2.91).
pub(crate) struct Config<'s> {
    /// Of its variables, only those with the prefix `AZURE_` are read.
    system: &'s System,
    /// The files with their folders, in order of precedence.
    files: Vec<(Folder, Ini)>,
}

/// A setting with its source, as `config get` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// The option, lower-case.
    pub(crate) name: String,
    /// The name of the environment variable, or the path of the file.
    pub(crate) source: String,
    /// The text, interpolated.
    pub(crate) value: String,
}

impl Item {
    /// `{"name", "source", "value"}`.
    pub(crate) fn to_value(&self) -> Value {
        json!({"name": self.name, "source": self.source, "value": self.value})
    }
}

impl<'s> Config<'s> {
    /// Reads the environment and `<dir>/config`. A missing file is an empty one.
    pub(crate) fn load(system: &'s System, dir: &ConfigDir) -> Result<Self> {
        Self::read(system, vec![dir.folder().clone()])
    }

    /// [`Config::load`] with the local files before the global one: each `config` in a folder with
    /// the name of `dir`, from the working directory up through its parents until `dir` itself.
    ///
    /// az reads the local files only for `defaults.*` and for `config --local`.
    pub(crate) fn load_with_local(system: &'s System, dir: &ConfigDir) -> Result<Self> {
        let cwd = system.env.current_dir();
        let local = cwd.map_or_else(Vec::new, |cwd| local_folders(&cwd, dir.path()));
        let mut folders: Vec<Folder> = local.into_iter().map(Folder::at).collect();
        folders.push(dir.folder().clone());
        Self::read(system, folders)
    }

    /// Only the environment: for when `config` cannot be read.
    pub(crate) fn of_environment(system: &'s System) -> Self {
        Self { system, files: Vec::new() }
    }

    fn read(system: &'s System, folders: Vec<Folder>) -> Result<Self> {
        let files = folders.into_iter().map(|folder| {
            let ini = Ini::read(&folder, FILE)?;
            Ok((folder, ini))
        });
        Ok(Self { system, files: files.collect::<Result<_>>()? })
    }

    /// `<dir>/config`.
    pub(crate) fn path(dir: &ConfigDir) -> PathBuf {
        dir.file(FILE)
    }

    /// The folder of the file that `config set --local` writes: `<cwd>/<name of dir>/config`.
    pub(crate) fn local_folder(system: &System, dir: &ConfigDir) -> Result<Folder> {
        match (system.env.current_dir(), dir.path().file_name()) {
            (Some(cwd), Some(name)) => Ok(Folder::at(cwd.join(name))),
            _ => Err(Error::failed("There is no working directory to keep local settings in.")),
        }
    }

    /// The folders of the files, in order of precedence; they need not exist.
    pub(crate) fn folders(&self) -> impl Iterator<Item = &Folder> {
        self.files.iter().map(|(folder, _)| folder)
    }

    /// The names of the sections in the files.
    pub(crate) fn sections(&self) -> impl Iterator<Item = &str> {
        self.files.iter().flat_map(|(_, ini)| ini.sections())
    }

    /// The text of a setting; `None` when it is not set. Fails for a file's value with a stray `%`.
    pub(crate) fn text(&self, setting: &Setting) -> Result<Option<String>> {
        Ok(self.read_checked(setting)?.map(Cow::into_owned))
    }

    /// The value of a [`Values::Switch`], or its default.
    pub(crate) fn is_on(&self, setting: &Setting) -> Result<bool> {
        Ok(self
            .read_checked(setting)?
            .and_then(|value| on_or_off(&value))
            .unwrap_or_else(|| is_on_by_default(setting)))
    }

    /// [`Config::is_on`] without the environment: for settings that a variable must not turn on.
    pub(crate) fn is_on_in_files(&self, setting: &Setting) -> Result<bool> {
        let found = self.look_up_in_files(setting.section, setting.name)?;
        let value = self.checked(setting, found)?;
        Ok(value.and_then(|value| on_or_off(&value)).unwrap_or_else(|| is_on_by_default(setting)))
    }

    /// The value of a [`Values::Seconds`], or its default.
    pub(crate) fn seconds(&self, setting: &Setting) -> Result<u32> {
        let default = if let Values::Seconds(default) = setting.values { default } else { 0 };
        Ok(self.read_checked(setting)?.and_then(|value| seconds(&value)).unwrap_or(default))
    }

    /// The value of a [`Values::OneOf`] as the table spells it, or its default.
    pub(crate) fn word(&self, setting: &Setting) -> Result<&'static str> {
        let words = if let Values::OneOf(words) = setting.values { words } else { &[] };
        let found = self.read_checked(setting)?.and_then(|value| one_of(words, &value));
        Ok(found.or(words.first().copied()).unwrap_or_default())
    }

    /// Fails if the value of `setting` is none of its values.
    pub(crate) fn check(&self, setting: &Setting) -> Result<()> {
        self.read_checked(setting).map(drop)
    }

    fn read_checked(&self, setting: &Setting) -> Result<Option<Cow<'_, str>>> {
        self.checked(setting, self.look_up(setting.section, setting.name)?)
    }

    /// The value that was found. An invalid one is an error that names its place and says how to
    /// remove it.
    fn checked<'v>(
        &self,
        setting: &Setting,
        found: Option<(Option<&Folder>, Cow<'v, str>)>,
    ) -> Result<Option<Cow<'v, str>>> {
        let Some((folder, value)) = found else { return Ok(None) };
        let key = || setting.key();
        let place = || match folder {
            None => setting.variable(),
            Some(folder) => format!("{} in {}", key(), folder.file(FILE).display()),
        };
        setting.check(&value, place).map_err(|error| match folder {
            None => error.remedy(format!("Correct or unset {}.", setting.variable())),
            Some(_) => error.remedy("To remove the setting, run:").cured_by(format!(
                "{} config unset {}",
                self.system.program,
                key()
            )),
        })?;
        Ok(Some(value))
    }

    /// A setting with its source; `None` when it is not set.
    pub(crate) fn find(&self, setting: &Setting) -> Result<Option<Item>> {
        Ok(self.look_up(setting.section, setting.name)?.map(|(folder, value)| Item {
            name: setting.name.to_owned(),
            source: folder
                .map_or_else(|| setting.variable(), |it| it.file(FILE).display().to_string()),
            value: value.into_owned(),
        }))
    }

    /// The value of a setting, with its folder if it comes from a file.
    fn look_up(
        &self,
        section: &str,
        option: &str,
    ) -> Result<Option<(Option<&Folder>, Cow<'_, str>)>> {
        // CI jobs often set empty variables, so an empty one counts as unset; az fails on it.
        if let Some(value) = self.system.env.non_empty(&variable(section, option)) {
            return Ok(Some((None, Cow::Owned(value))));
        }
        self.look_up_in_files(section, option)
    }

    fn look_up_in_files(
        &self,
        section: &str,
        option: &str,
    ) -> Result<Option<(Option<&Folder>, Cow<'_, str>)>> {
        for (folder, ini) in &self.files {
            let found = ini.get(section, option);
            let found = found.map_err(|error| error.in_file(&folder.file(FILE)))?;
            if let Some(value) = found {
                return Ok(Some((Some(folder), value)));
            }
        }
        Ok(None)
    }

    /// All settings of a section, each name once: the overriding variables, sorted, then the
    /// settings of the files in their order.
    pub(crate) fn items(&self, section: &str) -> Result<Vec<Item>> {
        let all = self.readable_items(section).into_iter();
        all.map(|(item, flaw)| flaw.map_or(Ok(item), Err)).collect()
    }

    /// [`Config::items`]; a value that cannot be interpolated is the text as written, with what is
    /// wrong with it.
    pub(crate) fn readable_items(&self, section: &str) -> Vec<(Item, Option<Error>)> {
        let prefix = variable(section, "");
        let mut items: Vec<(Item, Option<Error>)> =
            self.system
                .env
                .with_prefix(&prefix)
                .into_iter()
                .filter_map(|(source, value)| {
                    let name = source.strip_prefix(&prefix)?;
                    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
                    (!name.is_empty() && !value.is_empty() && name.chars().all(plain))
                        .then(|| Item { name: name.to_lowercase(), source: source.clone(), value })
                })
                .map(|item| (item, None))
                .collect();
        for (folder, ini) in &self.files {
            let path = folder.file(FILE);
            for (name, raw) in ini.written(section).unwrap_or_default() {
                if items.iter().any(|(item, _)| item.name == name) {
                    continue;
                }
                let (value, flaw) = match ini.interpolated(section, name, raw) {
                    Ok(value) => (value.into_owned(), None),
                    Err(error) => (raw.to_owned(), Some(error.in_file(&path))),
                };
                let source = path.display().to_string();
                items.push((Item { name: name.to_owned(), source, value }, flaw));
            }
        }
        items
    }

    /// The settings of a section in the files alone, each name once.
    pub(crate) fn items_of_files(&self, section: &str) -> Result<Vec<(String, String)>> {
        let mut items: Vec<(String, String)> = Vec::new();
        for (folder, ini) in &self.files {
            let found = ini.items(section).map_err(|error| error.in_file(&folder.file(FILE)))?;
            for (name, value) in found.unwrap_or_default() {
                if !items.iter().any(|(own, _)| own == name) {
                    items.push((name.to_owned(), value.into_owned()));
                }
            }
        }
        Ok(items)
    }

    /// The JSON that `config get [key]` prints: without a key an object of all sections in the
    /// files, for a section the list of its items, for `section.name` one item.
    ///
    /// `name` is compared as typed, so an upper-case letter finds nothing (az 2.91).
    pub(crate) fn listing(&self, key: Option<&str>) -> Result<Value> {
        let list = |section: &str| -> Result<Value> {
            Ok(Value::Array(self.items(section)?.iter().map(Item::to_value).collect()))
        };
        let Some(key) = key.filter(|key| !key.is_empty()) else {
            let listed = self.sections().map(|section| Ok((section.to_owned(), list(section)?)));
            return Ok(Value::Object(listed.collect::<Result<Map<_, _>>>()?));
        };
        let (section, name) = key.split_once('.').unwrap_or((key, ""));
        if name.is_empty() {
            return list(section);
        }
        match self.items(section)?.iter().find(|item| item.name == name) {
            Some(item) => Ok(item.to_value()),
            None => {
                Err(Error::failed(format!("Configuration '{key}' is not set.", key = Typed(key))))
            }
        }
    }

    /// Stores `setting` in the file of `dir`.
    pub(crate) fn set(dir: &ConfigDir, setting: &Setting, value: &str) -> Result<()> {
        Self::store(dir, dir.folder(), &[(setting.section, setting.name, value)])
    }

    /// Stores settings (section, option, value) in the file in `folder` (that of `dir`, or
    /// [`Config::local_folder`]) with permissions 0600: all of them or, if one cannot be stored,
    /// none.
    ///
    /// A `%` that az would crash on is stored as `%%`, so that both az and azt read it back. Fails
    /// for a name that INI cannot represent, and for a broken file, which is not changed.
    pub(crate) fn store(
        dir: &ConfigDir,
        folder: &Folder,
        settings: &[(&str, &str, &str)],
    ) -> Result<()> {
        Ini::update(dir, (folder, FILE), Access::Owner, |ini| {
            let mut set = |(section, option, value): &(&str, &str, &str)| {
                let set = ini.set(section, option, value);
                set.map_err(|error| error.in_file(&folder.file(FILE)))
            };
            settings.iter().try_for_each(&mut set)
        })
    }

    /// Removes a setting from the file in `folder`; true when it existed.
    pub(crate) fn unset(
        dir: &ConfigDir,
        folder: &Folder,
        section: &str,
        option: &str,
    ) -> Result<bool> {
        Ini::update(dir, (folder, FILE), Access::Owner, |ini| {
            ini.unset(section, option).map_err(|error| error.in_file(&folder.file(FILE)))
        })
    }
}

/// The folders of the local files for a working directory, nearest first, without the global one.
fn local_folders(cwd: &Path, dir: &Path) -> Vec<PathBuf> {
    let Some(name) = dir.file_name() else {
        return Vec::new();
    };
    let global = cwd.join(dir);
    let folders = cwd.ancestors().map(|parent| parent.join(name));
    let local = folders.take_while(|folder| *folder != global);
    local.filter(|folder| folder.is_dir()).collect()
}

fn is_on_by_default(setting: &Setting) -> bool {
    matches!(setting.values, Values::Switch(true))
}
