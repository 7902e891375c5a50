//! Commands of the person, run for what they print.
#![allow(clippy::disallowed_methods, reason = "this is the seam that the ban points to")]

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use zeroize::Zeroizing;

use super::one_line;
use crate::error::{Error, Kind, Result};

/// How long a command may take.
const LIMIT: Duration = Duration::from_secs(20);

/// What `command` prints, without the white space around it. The system's shell runs it (`sh -c`,
/// `cmd /C`), as it does for git's credential helpers; it gets no input.
///
/// # Errors
/// It cannot be started, fails, prints nothing or takes longer than 20 s. The message has the last
/// line of its standard error, and nothing of what it printed.
pub async fn output_of(command: &str) -> Result<Zeroizing<String>> {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut child = Command::new(shell);
    child.args([flag, command]).stdin(Stdio::null()).kill_on_drop(true);
    let failed = |why: String| Error::failed(format!("The command `{command}` {why}."));
    let output = tokio::time::timeout(LIMIT, child.output())
        .await
        .map_err(|_| failed(format!("did not end within {} s", LIMIT.as_secs())))?
        .map_err(|error| failed(format!("could not be started: {error}")))?;
    let printed = Zeroizing::new(output.stdout);
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let error = failed(format!("failed ({})", output.status));
        return Err(match said.lines().rfind(|line| !line.trim().is_empty()) {
            Some(last) => error.remedy(format!("It said: {}", one_line(last))),
            None => error,
        });
    }
    let text = std::str::from_utf8(&printed).ok().map(str::trim).filter(|text| !text.is_empty());
    text.map(|text| Zeroizing::new(text.to_owned())).ok_or_else(|| {
        Error::new(Kind::Failed, format!("The command `{command}` printed no text."))
    })
}
