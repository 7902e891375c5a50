//! The name that this program runs under.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;

/// The name in argv\[0\]. It decides texts, exit codes and which messages are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// Texts name `azt`, and all exit codes are used.
    Azt,
    /// Replaces `az`: texts, exit codes and the choice of messages are az's.
    Az,
}

impl Program {
    /// Returns `Az` if the file name of `argv0` without extension is `az` in any letter case;
    /// otherwise `Azt`.
    pub fn from_argv0(argv0: &OsStr) -> Self {
        match Path::new(argv0).file_stem() {
            Some(stem) if stem.eq_ignore_ascii_case("az") => Self::Az,
            _ => Self::Azt,
        }
    }

    /// Returns the name that the user types: `azt` or `az`.
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
