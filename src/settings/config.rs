//! az's settings: the file `config`, overridden by environment variables.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::config_dir::ConfigDir;
use super::ini::Ini;
use crate::error::{Error, Result};
use crate::foreign::Typed;
use crate::sys::file::Access;
use crate::sys::{Env, Folder, System};

pub(super) const FILE: &str = "config";
/// Values that mean true, in lower case (az 2.91).
pub(crate) const TRUE: [&str; 4] = ["1", "yes", "true", "on"];
/// Values that mean false, in lower case.
pub(crate) const FALSE: [&str; 4] = ["0", "no", "false", "off"];

/// az's settings as loaded.
///
/// A non-empty variable `AZURE_<SECTION>_<OPTION>` overrides the file (az 2.91).
pub(crate) struct Config<'s> {
    /// Only variables with the prefix `AZURE_` are read.
    env: &'s Env,
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
        Self { env: &system.env, files: Vec::new() }
    }

    fn read(system: &'s System, folders: Vec<Folder>) -> Result<Self> {
        let files = folders.into_iter().map(|folder| {
            let ini = Ini::read(&folder, FILE)?;
            Ok((folder, ini))
        });
        Ok(Self { env: &system.env, files: files.collect::<Result<_>>()? })
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

    /// The text of a setting; `None` when it is not set. Sections are case-sensitive, options are
    /// not. Fails for a file's value with a stray `%`.
    pub(crate) fn get(&self, section: &str, option: &str) -> Result<Option<String>> {
        Ok(self.look_up(section, option)?.map(|(_, value)| value.into_owned()))
    }

    /// A boolean setting: `1 yes true on` or `0 no false off` in any case, `default` when not set.
    /// Any other text is an error that names the variable or the file.
    pub(crate) fn get_bool(&self, section: &str, option: &str, default: bool) -> Result<bool> {
        Self::on_or_off(section, option, self.look_up(section, option)?, default)
    }

    /// [`Config::get_bool`] without the environment: for settings that a variable must not turn on.
    pub(crate) fn get_bool_of_files(
        &self,
        section: &str,
        option: &str,
        default: bool,
    ) -> Result<bool> {
        Self::on_or_off(section, option, self.look_up_in_files(section, option)?, default)
    }

    fn on_or_off(
        section: &str,
        option: &str,
        found: Option<(Option<&Folder>, Cow<'_, str>)>,
        default: bool,
    ) -> Result<bool> {
        let Some((folder, value)) = found else { return Ok(default) };
        let lower = value.to_lowercase();
        if TRUE.contains(&lower.as_str()) {
            return Ok(true);
        }
        if FALSE.contains(&lower.as_str()) {
            return Ok(false);
        }
        let place = match folder {
            None => variable(section, option),
            Some(folder) => {
                format!("{section}.{} in {}", option.to_lowercase(), folder.file(FILE).display())
            }
        };
        Err(Error::failed(format!(
            "{place} is '{value}', which is neither on nor off.",
            value = Typed(&value)
        ))
        .remedy(format!("Use one of {} or {}.", TRUE.join(", "), FALSE.join(", "))))
    }

    /// A setting with its source; `None` when it is not set.
    pub(crate) fn find(&self, section: &str, option: &str) -> Result<Option<Item>> {
        Ok(self.look_up(section, option)?.map(|(folder, value)| Item {
            name: option.to_lowercase(),
            source: folder.map_or_else(
                || variable(section, option),
                |it| it.file(FILE).display().to_string(),
            ),
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
        if let Some(value) = self.env.non_empty(&variable(section, option)) {
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
        let prefix = variable(section, "");
        let mut items: Vec<Item> =
            self.env
                .with_prefix(&prefix)
                .into_iter()
                .filter_map(|(source, value)| {
                    let name = source.strip_prefix(&prefix)?;
                    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
                    (!name.is_empty() && !value.is_empty() && name.chars().all(plain))
                        .then(|| Item { name: name.to_lowercase(), source: source.clone(), value })
                })
                .collect();
        for (folder, ini) in &self.files {
            let path = folder.file(FILE);
            let found = ini.items(section).map_err(|error| error.in_file(&path))?;
            for (name, value) in found.unwrap_or_default() {
                if !items.iter().any(|item| item.name == name) {
                    let (name, value) = (name.to_owned(), value.into_owned());
                    items.push(Item { name, source: path.display().to_string(), value });
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
            let sections = self.files.iter().flat_map(|(_, ini)| ini.sections());
            let listed = sections.map(|section| Ok((section.to_owned(), list(section)?)));
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

    /// Stores a setting in the file in `folder` (that of `dir`, or [`Config::local_folder`]) with
    /// permissions 0600.
    ///
    /// A `%` that az would crash on is stored as `%%`, so that both az and azt read it back. Fails
    /// for a name that INI cannot represent, and for a broken file, which is not changed.
    pub(crate) fn set(
        dir: &ConfigDir,
        folder: &Folder,
        section: &str,
        option: &str,
        value: &str,
    ) -> Result<()> {
        Ini::update(dir, (folder, FILE), Access::Owner, |ini| {
            ini.set(section, option, value).map_err(|error| error.in_file(&folder.file(FILE)))
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

/// The environment variable that overrides a setting.
fn variable(section: &str, option: &str) -> String {
    ["AZURE_", section, "_", option].concat().to_uppercase()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::settings::tests::{dir_with, system};

    fn load(vars: &[(&str, &str)], text: &str) -> (TempDir, Config<'static>) {
        let (root, dir) = dir_with("config", text);
        let config = Config::load(Box::leak(Box::new(system(vars))), &dir).unwrap();
        (root, config)
    }

    fn names(items: &[Item]) -> Vec<&str> {
        items.iter().map(|item| item.name.as_str()).collect()
    }

    #[test]
    fn a_variable_comes_before_the_file_unless_it_is_empty() {
        let text = "[core]\noutput = table\ncolour = blue\n[cloud]\nname = Stack\n";
        let variables = [("AZURE_CORE_OUTPUT", ""), ("AZURE_CORE_COLOUR", "red")];
        let (_root, config) = load(&variables, text);
        assert_eq!(config.get("core", "OUTPUT").unwrap().as_deref(), Some("table"));
        assert_eq!(config.get("core", "colour").unwrap().as_deref(), Some("red"));
        assert_eq!(config.get("cloud", "name").unwrap().as_deref(), Some("Stack"));
        assert_eq!(config.get("Cloud", "name").unwrap(), None, "sections are case-sensitive");
        assert_eq!(config.get("cloud", "nope").unwrap(), None);
    }

    #[test]
    fn booleans_are_those_of_az() {
        let text = "[a]\non = YES\noff = Off\none = 1\nzero = 0\nbad = maybe\nempty =\n";
        let (_root, config) = load(&[("AZURE_A_ENV", "enabled")], text);
        let bool = |option| config.get_bool("a", option, true);
        assert!(bool("on").unwrap() && bool("one").unwrap() && bool("missing").unwrap());
        assert!(!bool("off").unwrap() && !bool("zero").unwrap());
        assert!(!config.get_bool("a", "missing", false).unwrap());
        for (option, place) in [("bad", "config is 'maybe'"), ("env", "AZURE_A_ENV is 'enabled'")] {
            let error = bool(option).unwrap_err();
            assert!(error.message().contains(place), "{error}");
            assert!(error.remedy_lines()[0].contains("1, yes, true, on or 0, no, false, off"));
        }
        assert!(bool("empty").is_err());
    }

    #[test]
    fn a_listing_has_variables_first_and_each_name_once() {
        let text = "[core]\nzz = 1\noutput = table\n\n[defaults]\n\n[Up]\nx = 1\n";
        let vars = [
            ("AZURE_CORE_OUTPUT", "yaml"),
            ("AZURE_CORE_A", "b"),
            ("AZURE_CORE_lower", "not a setting"),
            ("AZURE_ONLY_ENV", "1"),
        ];
        let (root, config) = load(&vars, text);
        let file = root.path().join("config").display().to_string();
        let core = json!([
            {"name": "a", "source": "AZURE_CORE_A", "value": "b"},
            {"name": "output", "source": "AZURE_CORE_OUTPUT", "value": "yaml"},
            {"name": "zz", "source": file, "value": "1"},
        ]);
        assert_eq!(config.listing(Some("core")).unwrap(), core);
        assert_eq!(
            config.listing(None).unwrap(),
            json!({"core": core, "defaults": [], "Up": [{"name": "x", "source": file, "value": "1"}]})
        );
        assert_eq!(config.listing(Some("core.zz")).unwrap(), core[2]);
        assert_eq!(config.listing(Some("core.")).unwrap(), core);
        assert_eq!(config.listing(Some("nope")).unwrap(), json!([]));
        assert_eq!(names(&config.items("only").unwrap()), ["env"]);
        for key in ["core.nope", "core.ZZ", "up.x"] {
            let error = config.listing(Some(key)).unwrap_err();
            assert_eq!(error.message(), format!("Configuration '{key}' is not set."));
        }
    }

    #[test]
    fn set_and_unset_leave_what_az_leaves() {
        let (_root, dir) = dir_with("unrelated", "");
        let (path, folder) = (Config::path(&dir), dir.folder());
        assert!(!Config::unset(&dir, folder, "cloud", "name").unwrap());
        assert!(!path.exists(), "unsetting a missing option writes nothing");
        Config::set(&dir, folder, "cloud", "name", "AzureCloud").unwrap();
        Config::set(&dir, folder, "core", "Output", "table").unwrap();
        Config::set(&dir, folder, "core", "note", "100%").unwrap();
        let text = "[cloud]\nname = AzureCloud\n\n[core]\noutput = table\nnote = 100%%\n\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        let system = system(&[]);
        let config = Config::load(&system, &dir).unwrap();
        assert_eq!(config.get("core", "note").unwrap().as_deref(), Some("100%"));
        assert!(Config::unset(&dir, folder, "core", "output").unwrap());
        assert!(!Config::unset(&dir, folder, "core", "output").unwrap());
        let text = "[cloud]\nname = AzureCloud\n\n[core]\nnote = 100%%\n\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_private_and_a_symlink_is_kept() {
        use std::os::unix::fs::PermissionsExt;
        let (root, dir) = dir_with("real", "# mine\n[a]\nx = 1\n");
        let path = Config::path(&dir);
        std::os::unix::fs::symlink(root.path().join("real"), &path).unwrap();
        Config::set(&dir, dir.folder(), "a", "x", "2").unwrap();
        assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(root.path().join("real")).unwrap(), "# mine\n[a]\nx = 2\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_broken_file_is_named_with_its_line_and_left_alone() {
        let text = "[core]\noutput = json\njust words\n";
        let (_root, dir) = dir_with("config", text);
        let path = Config::path(&dir);
        let loading = Config::load(&system(&[]), &dir).err().unwrap();
        let setting = Config::set(&dir, dir.folder(), "core", "output", "table").unwrap_err();
        for error in [loading, setting] {
            assert!(error.message().contains(&format!("{}", path.display())), "{error}");
            assert!(error.message().contains("line 3"), "{error}");
            assert!(error.remedy_lines()[0].contains("Correct the file"));
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn a_stray_percent_fails_only_for_its_own_option() {
        let (_root, config) = load(&[], "[a]\nbad = 5%\ngood = 1\n");
        assert_eq!(config.get("a", "good").unwrap().as_deref(), Some("1"));
        let error = config.get("a", "bad").unwrap_err();
        assert!(error.message().contains("a.bad: a '%' must be written '%%'"), "{error}");
    }

    #[test]
    fn local_folders_are_nearest_first_and_end_at_the_global_one() {
        let root = tempfile::tempdir().unwrap();
        let cwd = root.path().join("one/two");
        for folder in ["one/two/.azure", "one/.azure", ".azure"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        let at = |folder: &str| root.path().join(folder);
        let near = vec![at("one/two/.azure"), at("one/.azure")];
        assert_eq!(local_folders(&cwd, &root.path().join(".azure")), near);
        let all = vec![at("one/two/.azure"), at("one/.azure"), at(".azure")];
        assert_eq!(local_folders(&cwd, Path::new("/elsewhere/.azure")), all);
        assert_eq!(local_folders(&cwd, Path::new(".azure")), Vec::<PathBuf>::new());
        assert_eq!(local_folders(&cwd, Path::new("/elsewhere/other")), Vec::<PathBuf>::new());
    }
}
