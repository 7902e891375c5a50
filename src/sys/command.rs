//! Commands of the person, run for what they print.
#![allow(clippy::disallowed_methods, reason = "this is the seam that the ban points to")]

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use zeroize::Zeroizing;

use super::{Deadline, one_line};
use crate::error::{Error, Kind, Result};

/// How long a command may take.
const LIMIT: Duration = Duration::from_secs(20);

/// What `command` prints, without the white space around it. The system's shell runs it (`sh -c`,
/// `cmd /C`), as it does for git's credential helpers; it gets no input.
///
/// # Errors
/// It cannot be started, fails, prints nothing or takes longer than 20 s, or than the work under way
/// may. The message has the last line of its standard error, and nothing of what it printed.
pub async fn output_of(command: &str) -> Result<Zeroizing<String>> {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut child = Command::new(shell);
    child.args([flag, command]).stdin(Stdio::null()).kill_on_drop(true);
    let failed = |why: String| Error::failed(format!("The command `{command}` {why}."));
    let limit = Deadline::at_most(LIMIT);
    let seconds = limit.left().as_secs_f64().ceil();
    let output = limit
        .hold(child.output())
        .await
        .ok_or_else(|| too_slow(seconds))?
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

/// Without the command line, which this is no fault of, and which may hold what others must not see.
fn too_slow(seconds: f64) -> Error {
    Error::failed(format!(
        "The command that prints the federated token did not end within {seconds} s."
    ))
    .remedy("SDKs wait for a token for no more than ten seconds: make the command quicker, or have something else run it and sign in with the file that it writes (--federated-token-file).")
}
