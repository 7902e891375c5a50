//! Why a folder or file is not used, and how to fix it.

use std::path::Path;

use crate::error::Error;
use crate::foreign::Sentence;

/// What is wrong with a folder or file, and the command that fixes it.
pub(in crate::sys) struct Flaw {
    /// The part of the sentence after the path.
    pub(super) what: String,
    /// The command, without the path at its end.
    pub(super) command: Option<String>,
    /// True if the command works without further input, such as a password for `sudo`.
    pub(super) is_cure: bool,
}

/// The error for a folder or file that other users own or can write.
pub(super) fn refused(path: &Path, flaw: &Flaw) -> Error {
    let path = path.display().to_string();
    let named = Sentence::new(&path);
    let error = Error::failed(format!("{named} {}, so azt does not use it.", flaw.what));
    let error = match (&flaw.command, crate::shell::shown(&path)) {
        (Some(command), Some(path)) => {
            let command = format!("{command} {path}");
            let error = error.remedy(format!("Run: {command}"));
            if flaw.is_cure { error.command(command) } else { error }
        }
        _ => error,
    };
    error
        .remedy("Or set AZURE_CONFIG_DIR to a folder that you own.")
        .remedy("If the file system stores no owners and modes, set AZT_TRUSTED_DIR to this folder to trust it.")
}

/// The error for a path that contains another user's link.
pub(super) fn refused_link(path: &Path, owner: u32) -> Error {
    Error::failed(format!(
        "{} is a link that another user made (uid {owner}), or a path through one, so azt does not follow it.",
        Sentence::new(&path.display().to_string())
    ))
    .remedy("Remove the link, and do not let other users write in its folder.")
}
