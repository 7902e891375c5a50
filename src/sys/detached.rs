//! This very call once more, in a process that nobody waits for.
#![allow(clippy::disallowed_methods, reason = "this is the seam that the ban points to")]

use std::io;
use std::process::{Command, Stdio};

use super::System;

/// Set in such a process.
const MARK: &str = "AZT_RENEW_AHEAD";

/// True in a process that [`repeat_detached`] has started.
pub(crate) fn is_detached(system: &System) -> bool {
    system.env.get(MARK).is_some()
}

/// Starts this program with the same command line and environment in a session of its own, with
/// none of this process's descriptors: callers wait until the pipes they gave us are closed, and
/// kill what is in their group.
///
/// Does nothing where the environment is not the process's (a test's).
pub(crate) fn repeat_detached(system: &System) -> io::Result<()> {
    if !system.env.is_process() {
        return Ok(());
    }
    let mut args = std::env::args_os();
    let name = args.next().unwrap_or_default();
    let mut command = Command::new(std::env::current_exe()?);
    command.args(args).env(MARK, "1");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    system.env.hand_on(&mut command);
    detach(&mut command, name);
    // Never waited for: this process ends next, and the other one with nobody's help.
    command.spawn().map(drop)
}

#[cfg(unix)]
fn detach(command: &mut Command, name: std::ffi::OsString) {
    use std::os::unix::process::CommandExt;
    command.arg0(name);
    // SAFETY: between fork and exec only these two system calls are made, which are
    // async-signal-safe and touch no memory.
    unsafe {
        command.pre_exec(|| {
            libc::setsid();
            // Descriptors that this process was born with have no close-on-exec flag. Older
            // kernels do not know the call; standard input, output and error are replaced anyway.
            #[cfg(target_os = "linux")]
            libc::syscall(libc::SYS_close_range, 3, u32::MAX, libc::CLOSE_RANGE_CLOEXEC);
            Ok(())
        });
    }
}

#[cfg(not(unix))]
fn detach(command: &mut Command, _name: std::ffi::OsString) {
    use std::os::windows::process::CommandExt;
    const DETACHED_PROCESS: u32 = 8;
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
    command.creation_flags(DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP);
}
