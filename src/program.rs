//! Under which name this program runs.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;

/// The name that argv\[0\] gives: decides texts, exit codes and silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// Its own name: texts name `azt`, exit codes are the full table.
    Azt,
    /// Standing in for `az`: texts, exit codes and silence as az has them.
    Az,
}

impl Program {
    /// `Az` when the file name of `argv0`, without `.exe`, is `az` in any case; else `Azt`.
    pub fn from_argv0(argv0: &OsStr) -> Self {
        match Path::new(argv0).file_stem() {
            Some(stem) if stem.eq_ignore_ascii_case("az") => Self::Az,
            _ => Self::Azt,
        }
    }

    /// The name a person types: `azt` or `az`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Azt => "azt",
            Self::Az => "az",
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
