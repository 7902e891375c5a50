//! The Windows side of WSL: finds `azt.exe` there and exchanges one line with it.
#![allow(clippy::disallowed_methods, reason = "this module wraps the banned functions")]

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use zeroize::Zeroizing;

use super::{CallFailure, System, run_with_timeout};
use crate::secret::Secret;

const PROGRAM: &str = "azt.exe";
/// The longest line to accept, in bytes.
const LONGEST_LINE: usize = 1 << 20;

/// The `azt.exe` of Windows, if this is WSL: the first one in `PATH`, to which WSL adds that of
/// Windows. Relative entries are not searched. Where the drives are mounted does not matter:
/// `/etc/wsl.conf` can move them.
pub(crate) fn azt_of_windows(system: &System) -> Option<PathBuf> {
    if !is_wsl(system) {
        return None;
    }
    let path = system.env.path("PATH")?;
    let folders = std::env::split_paths(&path).filter(|folder| folder.is_absolute());
    folders.map(|folder| folder.join(PROGRAM)).find(|file| file.is_file())
}

fn is_wsl(system: &System) -> bool {
    let kernel = || fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    system.env.non_empty("WSL_DISTRO_NAME").is_some()
        || kernel().to_ascii_lowercase().contains("microsoft")
}

/// Runs `program` with `args`, sends it `line` and returns the line that it answers. It is ended
/// afterwards. Its standard error is not shown.
pub(crate) fn exchange_line(
    program: &Path,
    args: &[&str],
    line: String,
    limit: Duration,
) -> Result<Secret, CallFailure> {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command
        .spawn()
        .map_err(|error| CallFailure::Absent(format!("it cannot be started: {error}")))?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let done = run_with_timeout(limit, move || {
        let (Some(mut stdin), Some(stdout)) = (stdin, stdout) else { return Err(ended()) };
        stdin.write_all(line.as_bytes())?;
        stdin.write_all(b"\n")?;
        drop(stdin);
        read_line(stdout)
    });
    let _ = child.kill();
    let _ = child.wait();
    match done {
        Ok(Ok(line)) => Ok(line),
        Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
            Err(CallFailure::Refused(error.to_string()))
        }
        Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(CallFailure::TimedOut),
        Ok(Err(_)) | Err(_) => Err(CallFailure::Died),
    }
}

fn ended() -> io::Error {
    io::ErrorKind::UnexpectedEof.into()
}

/// The first line of `output`. The buffer never reallocates, so that no copy of a token remains.
fn read_line(mut output: impl Read) -> io::Result<Secret> {
    let invalid = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut all = Zeroizing::new(vec![0; LONGEST_LINE]);
    let mut length = 0;
    loop {
        let room = all.get_mut(length..).filter(|room| !room.is_empty());
        let room = room.ok_or_else(|| invalid("its line is longer than 1 MiB"))?;
        let read = output.read(room)?;
        let end = room.get(..read).and_then(|new| new.iter().position(|byte| *byte == b'\n'));
        if let Some(end) = end {
            let line = all.get(..length + end).unwrap_or_default();
            let line = str::from_utf8(line).map_err(|_| invalid("its line is not UTF-8"))?;
            return Ok(Secret::new(line.trim()));
        }
        if read == 0 {
            return Err(ended());
        }
        length += read;
    }
}
