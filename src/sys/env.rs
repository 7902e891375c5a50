//! Environment variables and the working directory.
#![allow(clippy::disallowed_methods, reason = "this module wraps the banned functions")]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::Command;

use crate::secret::Secret;

/// The variable that can hold the vault key.
pub(crate) const VAULT_KEY: &str = "AZT_VAULT_KEY";

/// The variable that names a configuration folder to trust without a check of its owner and mode.
pub(crate) const TRUSTED_DIR: &str = "AZT_TRUSTED_DIR";

/// The variable that names the azt to get tokens from.
pub(crate) const BROKER: &str = "AZT_BROKER";
const PATH: &str = "PATH";

/// Where environment variables come from: the process, or a fixed map in tests.
#[derive(Clone, Default)]
pub struct Env {
    fixed: Option<BTreeMap<String, String>>,
    vault_key: Option<Secret>,
    /// The original PATH, if [`Env::drop_relative_path`] changed it.
    given_path: Option<OsString>,
}

impl Env {
    /// The variables of this process, read at each access.
    pub(crate) fn process() -> Self {
        Self::default()
    }

    /// Exactly these variables.
    pub fn fixed<K: Into<String>, V: Into<String>>(vars: impl IntoIterator<Item = (K, V)>) -> Self {
        let vars = vars.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self { fixed: Some(vars.collect()), ..Self::default() }
    }

    /// Moves [`VAULT_KEY`] from the process's environment to this value, so that browsers and other
    /// child processes do not inherit it. [`Env::restore_vault_key`] passes it on.
    ///
    /// # Safety
    /// No other thread may exist: it could read the environment during the write.
    pub unsafe fn take_vault_key(&mut self) {
        // Lossy decoding; the use of the key reports a non-UTF-8 value as invalid.
        let value = std::env::var_os(VAULT_KEY);
        self.vault_key = value.map(|value| Secret::new(value.to_string_lossy().into_owned()));
        if self.vault_key.is_some() {
            // SAFETY: the caller guarantees that no other thread exists.
            unsafe { std::env::remove_var(VAULT_KEY) };
        }
    }

    /// Removes empty and relative entries from the process's PATH. They mean the working directory,
    /// where a planted program could be run by this program or its child processes. Only the real
    /// az and azt's own background process get the original PATH, by [`Env::restore_path`].
    ///
    /// # Safety
    /// The same as for [`Env::take_vault_key`].
    pub unsafe fn drop_relative_path(&mut self) {
        let Some(given) = std::env::var_os(PATH) else { return };
        if is_absolute(&given) {
            return;
        }
        let absolute = std::env::split_paths(&given).filter(|folder| folder.is_absolute());
        let kept = std::env::join_paths(absolute).unwrap_or_default();
        // An empty PATH also means the working directory; an unset one means the system's default.
        // SAFETY: the caller guarantees that no other thread exists.
        unsafe {
            if kept.is_empty() {
                std::env::remove_var(PATH);
            } else {
                std::env::set_var(PATH, kept);
            }
        }
        self.given_path = Some(given);
    }

    /// True if the original PATH had an empty or relative entry.
    pub(crate) fn has_relative_path(&self) -> bool {
        self.given_path.is_some()
    }

    /// Gives `command` the PATH that this process was started with.
    pub(crate) fn restore_path(&self, command: &mut Command) {
        if let Some(path) = &self.given_path {
            command.env(PATH, path);
        }
    }

    /// Gives `command` the vault key, which no child process has otherwise. Only for this program
    /// and for programs that start it.
    pub(crate) fn restore_vault_key(&self, command: &mut Command) {
        if let Some(key) = &self.vault_key {
            command.env(VAULT_KEY, key.expose());
        }
    }

    /// True for [`Env::process`].
    pub(crate) fn is_process(&self) -> bool {
        self.fixed.is_none()
    }

    /// The value of `name` without trailing line ends; `None` if unset.
    ///
    /// Trailing line ends are accidents: `echo` adds one to a secret, and a shell that reads a
    /// Windows file keeps the `\r`. Decoding is lossy, so that a non-UTF-8 value still counts as
    /// set.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        match (&self.fixed, &self.vault_key) {
            (Some(vars), _) => vars.get(name).map(|value| text(value.into())),
            (None, Some(key)) if name == VAULT_KEY => Some(text(key.expose().into())),
            (None, _) => std::env::var_os(name).map(text),
        }
    }

    /// The path or path list in `name`, without trailing line ends; `None` if unset or empty. A
    /// non-UTF-8 value is returned unchanged.
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        let value = match &self.fixed {
            Some(vars) => vars.get(name).map(OsString::from),
            None => std::env::var_os(name),
        };
        value.map(without_line_ends).filter(|value| !value.is_empty()).map(PathBuf::from)
    }

    /// [`Env::get`], but an empty value counts as unset.
    pub(crate) fn non_empty(&self, name: &str) -> Option<String> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// All variables whose names start with `prefix`, sorted by name.
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

    /// Every spelling of `name` that is set, with its value. Lower case comes first, then upper
    /// case: the order in which curl and Python read proxy variables.
    pub(super) fn spellings(&self, name: &str) -> Vec<(String, String)> {
        let is_one = |(spelling, _): &(String, String)| spelling.eq_ignore_ascii_case(name);
        let mut found: Vec<_> = self.with_prefix("").into_iter().filter(is_one).collect();
        found.sort_by_key(|(spelling, _)| spelling != name);
        found
    }

    /// A `NO_PROXY` that has `hosts` too; `None` if no proxy is set for unencrypted requests.
    pub(crate) fn past_proxy(&self, hosts: &str) -> Option<String> {
        let is_set = |name: &str| self.spellings(name).iter().any(|(_, value)| !value.is_empty());
        if !["http_proxy", "all_proxy"].into_iter().any(is_set) {
            return None;
        }
        let now = self.spellings("no_proxy").into_iter().find(|(_, value)| !value.is_empty());
        Some(now.map_or_else(|| hosts.to_owned(), |(_, now)| format!("{now},{hosts}")))
    }

    /// The working directory; `None` if it was removed.
    pub(crate) fn current_dir(&self) -> Option<PathBuf> {
        std::env::current_dir().ok()
    }
}

/// True if all entries of `path` are absolute. Runs at each start, so it avoids copies.
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
