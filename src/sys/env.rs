//! Environment variables and the working directory.
#![allow(clippy::disallowed_methods, reason = "this is the seam that the ban points to")]

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Where environment variables come from: the process, or a fixed map in tests.
pub struct Env(Option<BTreeMap<String, String>>);

impl Env {
    /// The variables of this process, read when asked for.
    pub fn process() -> Self {
        Self(None)
    }

    /// Exactly these variables.
    pub fn fixed<K: Into<String>, V: Into<String>>(vars: impl IntoIterator<Item = (K, V)>) -> Self {
        Self(Some(vars.into_iter().map(|(name, value)| (name.into(), value.into())).collect()))
    }

    /// True for [`Env::process`].
    pub fn is_process(&self) -> bool {
        self.0.is_none()
    }

    /// The value of `name`; `None` when unset or not UTF-8.
    pub fn get(&self, name: &str) -> Option<String> {
        match &self.0 {
            None => std::env::var(name).ok(),
            Some(vars) => vars.get(name).cloned(),
        }
    }

    /// [`Env::get`] with the empty text taken for unset.
    pub fn non_empty(&self, name: &str) -> Option<String> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// All variables whose names begin with `prefix`, sorted by name.
    pub fn with_prefix(&self, prefix: &str) -> BTreeMap<String, String> {
        let wanted = |(name, _): &(String, String)| name.starts_with(prefix);
        match &self.0 {
            None => std::env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .filter(wanted)
                .collect(),
            Some(vars) => vars.clone().into_iter().filter(wanted).collect(),
        }
    }

    /// The working directory; `None` when it is gone.
    pub fn current_dir(&self) -> Option<PathBuf> {
        std::env::current_dir().ok()
    }
}
