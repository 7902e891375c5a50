//! Why a folder or file is not used, and what mends it.

use std::path::Path;

use crate::error::Error;
use crate::foreign::Sentence;

/// What is wrong with a folder or file, and the command that mends it.
pub(in crate::sys) struct Flaw {
    /// What follows the path in the sentence.
    pub(super) what: String,
    /// The command's words before the path.
    pub(super) command: Option<String>,
    /// True when the command needs nothing more: no password of `sudo`.
    pub(super) is_cure: bool,
}

/// The error for what other users own or can write.
pub(super) fn refused(path: &Path, flaw: &Flaw) -> Error {
    let path = path.display().to_string();
    let named = Sentence::new(&path);
    let error = Error::failed(format!("{named} {}, so nothing in it is used.", flaw.what));
    let error = match (&flaw.command, crate::shell::shown(&path)) {
        (Some(command), Some(path)) => {
            let command = format!("{command} {path}");
            let error = error.remedy(format!("Run: {command}"));
            if flaw.is_cure { error.command(command) } else { error }
        }
        _ => error,
    };
    error
        .remedy("Or use a folder of your own: AZURE_CONFIG_DIR names it.")
        .remedy("A file system that cannot hold owners and modes: AZT_TRUSTED_DIR names the folder to trust all the same.")
}

/// The error for a link that another user laid in the way.
pub(super) fn laid(path: &Path, owner: u32) -> Error {
    Error::failed(format!(
        "{} is a link that another user made (uid {owner}), or leads over one: it is not followed.",
        Sentence::new(&path.display().to_string())
    ))
    .remedy("Remove the link, and let nobody else write in its folder.")
}
