//! Runs a command that the user configured, and returns its output.
#![allow(clippy::disallowed_methods, reason = "this module wraps the banned functions")]

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use futures_util::future::try_join3;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use zeroize::Zeroizing;

use super::{Deadline, decoded};
use crate::error::{Error, Result};

/// The timeout of a command.
const LIMIT: Duration = Duration::from_secs(20);

/// The longest output, in bytes, of standard output and of standard error. No token is longer.
const SIZE_LIMIT: usize = 64 * 1024;

/// Runs `command` and returns its standard output without surrounding white space. The system's
/// shell runs it (`sh -c`, `cmd /C`), as git does with credential helpers. Its standard input is
/// empty.
///
/// # Errors
/// The command cannot be started, fails, prints nothing or more than 64 KiB, or takes longer than
/// 20 s or the current [`Deadline`]. The message contains neither the command nor its output: both
/// may hold secrets, and a failing shell quotes the command on standard error.
pub(crate) async fn output_of(command: &str) -> Result<Zeroizing<String>> {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut child = Command::new(shell);
    child.args([flag, command]).kill_on_drop(true);
    child.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = child.spawn().map_err(|error| failed(&format!("could not be started: {error}")))?;
    let limit = Deadline::at_most(LIMIT);
    let seconds = limit.left().as_secs_f64().ceil();
    // After a timeout the command is killed, and processes that it left behind write to closed
    // pipes.
    let (status, printed) = limit.run(read(child)).await.ok_or_else(|| too_slow(seconds))??;
    if !status.success() {
        return Err(
            failed(&format!("failed ({status})")).remedy("Run it yourself to see its output.")
        );
    }
    // PowerShell programs print UTF-16.
    let text = decoded(&printed).map(|text| Zeroizing::new(text.trim().to_owned()));
    text.filter(|text| !text.is_empty()).ok_or_else(|| failed("printed no text"))
}

/// Waits for `child` and returns its exit status and standard output.
async fn read(mut child: Child) -> Result<(ExitStatus, Zeroizing<Vec<u8>>)> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let ended = async { child.wait().await.map_err(broken) };
    let (status, printed, _) = try_join3(ended, bounded(stdout), bounded(stderr)).await?;
    Ok((status, printed))
}

/// Reads `pipe` to its end. The buffer never reallocates, so that no copy of a secret remains when
/// it is wiped.
async fn bounded(pipe: Option<impl AsyncRead + Unpin>) -> Result<Zeroizing<Vec<u8>>> {
    let mut all = Zeroizing::new(vec![0; SIZE_LIMIT + 1]);
    let mut length = 0;
    let Some(mut pipe) = pipe else { return Ok(Zeroizing::default()) };
    while let Some(room) = all.get_mut(length..).filter(|room| !room.is_empty()) {
        match pipe.read(room).await.map_err(broken)? {
            0 => {
                all.truncate(length);
                return Ok(all);
            }
            read => length += read,
        }
    }
    Err(failed("printed more than 64 KiB, and was stopped"))
}

#[allow(clippy::needless_pass_by_value, reason = "the signature that map_err needs")]
fn broken(error: std::io::Error) -> Error {
    failed(&format!("could not be read from: {error}"))
}

fn failed(why: &str) -> Error {
    Error::failed(format!("The command that prints the federated token {why}."))
}

fn too_slow(seconds: f64) -> Error {
    failed(&format!("did not end within {seconds} s"))
    .remedy("SDKs wait at most ten seconds for a token. Make the command faster, or let another process write the token to a file and sign in with --federated-token-file.")
}
