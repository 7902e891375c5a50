//! The question before a command changes what the user did not name.

use crate::error::{Error, Result};
use crate::sys::{Level, System};

/// Shows `plan`, one line per change, and asks for confirmation. With `yes` it does not ask; without
/// a terminal it fails.
pub(super) fn agree(yes: bool, system: &System, plan: &[String]) -> Result<()> {
    let terminal = &system.terminal;
    terminal.message(Level::Notice, &format!("This will:\n{}", plan.join("\n")));
    if yes {
        return Ok(());
    }
    if !system.can_ask() {
        return Err(Error::failed(
            "Nothing was changed, because there is no terminal to ask for confirmation.",
        )
        .remedy("Run it again with --yes."));
    }
    if terminal.confirm("Continue?")? { Ok(()) } else { Err(Error::cancelled()) }
}
