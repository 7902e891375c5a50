//! Environment variables and the working directory.
#![allow(clippy::disallowed_methods, reason = "this is the seam that the ban points to")]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::Command;

use crate::secret::Secret;

/// The variable that may hold the vault key.
pub(crate) const VAULT_KEY: &str = "AZT_VAULT_KEY";

/// The variable that names a configuration folder which is trusted whoever owns it.
pub(crate) const TRUSTED_DIR: &str = "AZT_TRUSTED_DIR";
const PATH: &str = "PATH";

/// Where environment variables come from: the process, or a fixed map in tests.
#[derive(Default)]
pub struct Env {
    fixed: Option<BTreeMap<String, String>>,
    vault_key: Option<Secret>,
    /// PATH as it was given, where [`Env::drop_relative_path`] has changed it.
    given_path: Option<OsString>,
}

impl Env {
    /// The variables of this process, read when asked for.
    pub(crate) fn process() -> Self {
        Self::default()
    }

    /// Exactly these variables.
    pub fn fixed<K: Into<String>, V: Into<String>>(vars: impl IntoIterator<Item = (K, V)>) -> Self {
        let vars = vars.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self { fixed: Some(vars.collect()), ..Self::default() }
    }

    /// Takes [`VAULT_KEY`] out of the process's environment and keeps it here, so that browsers and
    /// whatever else is started do not inherit it; see [`Env::hand_on`].
    ///
    /// # Safety
    /// There must be no second thread: others may read the environment while this writes it.
    pub unsafe fn take_vault_key(&mut self) {
        // What is not UTF-8 is no key, which is said when it is used.
        let value = std::env::var_os(VAULT_KEY);
        self.vault_key = value.map(|value| Secret::new(value.to_string_lossy().into_owned()));
        if self.vault_key.is_some() {
            // SAFETY: the caller says that there is no second thread.
            unsafe { std::env::remove_var(VAULT_KEY) };
        }
    }

    /// Takes the entries of PATH that are empty or relative out of the process's environment: they
    /// mean the working directory, and neither this program nor what it starts, but the real az, runs
    /// programs that happen to lie there. See [`Env::hand_on`].
    ///
    /// # Safety
    /// As of [`Env::take_vault_key`].
    pub unsafe fn drop_relative_path(&mut self) {
        let Some(given) = std::env::var_os(PATH) else { return };
        if is_absolute(&given) {
            return;
        }
        let absolute = std::env::split_paths(&given).filter(|folder| folder.is_absolute());
        let kept = std::env::join_paths(absolute).unwrap_or_default();
        // An empty PATH is the working directory too; without one there are the system's folders.
        // SAFETY: the caller says that there is no second thread.
        unsafe {
            if kept.is_empty() {
                std::env::remove_var(PATH);
            } else {
                std::env::set_var(PATH, kept);
            }
        }
        self.given_path = Some(given);
    }

    /// Whether PATH came with the working directory in it, as an empty or relative entry.
    pub(crate) fn has_relative_path(&self) -> bool {
        self.given_path.is_some()
    }

    /// Gives `command` what was taken: for this program again, and for az, which may start it.
    pub(crate) fn hand_on(&self, command: &mut Command) {
        if let Some(path) = &self.given_path {
            command.env(PATH, path);
        }
        if let Some(key) = &self.vault_key {
            command.env(VAULT_KEY, key.expose());
        }
    }

    /// True for [`Env::process`].
    pub(crate) fn is_process(&self) -> bool {
        self.fixed.is_none()
    }

    /// The value of `name` without line ends behind it, which no variable means: a secret that was made
    /// with `echo` has one, a file of Windows that a shell read has half of one. `None` when unset. What
    /// is not UTF-8 in it is U+FFFD, which no name that
    /// is looked for has: a variable that was set is not passed over in silence.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        match (&self.fixed, &self.vault_key) {
            (Some(vars), _) => vars.get(name).map(|value| text(value.into())),
            (None, Some(key)) if name == VAULT_KEY => Some(text(key.expose().into())),
            (None, _) => std::env::var_os(name).map(text),
        }
    }

    /// The path, or the paths, in `name`, whatever bytes they are made of, without line ends behind
    /// them; `None` when unset or empty.
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        let value = match &self.fixed {
            Some(vars) => vars.get(name).map(OsString::from),
            None => std::env::var_os(name),
        };
        value.map(without_line_ends).filter(|value| !value.is_empty()).map(PathBuf::from)
    }

    /// [`Env::get`] with the empty text taken for unset.
    pub(crate) fn non_empty(&self, name: &str) -> Option<String> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// All variables whose names begin with `prefix`, sorted by name.
    pub(crate) fn with_prefix(&self, prefix: &str) -> BTreeMap<String, String> {
        let wanted = |(name, _): &(String, String)| name.starts_with(prefix);
        match &self.fixed {
            None => std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, text(value))))
                .filter(wanted)
                .collect(),
            Some(vars) => {
                let value = |(name, value): (&String, &String)| (name.clone(), text(value.into()));
                vars.iter().map(value).filter(wanted).collect()
            }
        }
    }

    /// Every spelling of `name` that is set, and its value: the lower-case one first, then the one
    /// in capitals, as curl and Python rank the variables of proxies.
    pub(super) fn spellings(&self, name: &str) -> Vec<(String, String)> {
        let is_one = |(spelling, _): &(String, String)| spelling.eq_ignore_ascii_case(name);
        let mut found: Vec<_> = self.with_prefix("").into_iter().filter(is_one).collect();
        found.sort_by_key(|(spelling, _)| spelling != name);
        found
    }

    /// The working directory; `None` when it is gone.
    pub(crate) fn current_dir(&self) -> Option<PathBuf> {
        std::env::current_dir().ok()
    }
}

/// Whether all entries of `path` are absolute; at each start, and so without a copy of each.
#[cfg(unix)]
fn is_absolute(path: &OsStr) -> bool {
    path.as_encoded_bytes().split(|byte| *byte == b':').all(|entry| entry.first() == Some(&b'/'))
}

#[cfg(not(unix))]
fn is_absolute(path: &OsStr) -> bool {
    std::env::split_paths(path).all(|folder| folder.is_absolute())
}

fn text(value: OsString) -> String {
    let value = without_line_ends(value);
    value.into_string().unwrap_or_else(|value| value.to_string_lossy().into_owned())
}

fn without_line_ends(value: OsString) -> OsString {
    let bytes = value.as_encoded_bytes();
    if !bytes.ends_with(b"\n") && !bytes.ends_with(b"\r") {
        return value;
    }
    match value.into_string() {
        Ok(text) => text.trim_end_matches(['\r', '\n']).into(),
        Err(value) => value,
    }
}
