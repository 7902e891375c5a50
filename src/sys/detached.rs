//! Repeats the current command in a detached background process.
#![allow(clippy::disallowed_methods, reason = "this module wraps the banned functions")]

use std::io;
use std::process::{Command, Stdio};

use super::System;

/// The environment variable that marks a detached process.
const MARK: &str = "AZT_RENEW_AHEAD";

/// True in a process that [`repeat_detached`] started.
pub(crate) fn is_detached(system: &System) -> bool {
    system.env.get(MARK).is_some()
}

/// Starts this program again with the same command line and environment.
///
/// The new process has its own session, because callers kill the processes in their group. It
/// inherits no file descriptors, because callers wait until the pipes that they gave this process
/// are closed.
///
/// Does nothing in a test with a fixed environment.
pub(crate) fn repeat_detached(system: &System) -> io::Result<()> {
    if !system.env.is_process() {
        return Ok(());
    }
    let mut args = std::env::args_os();
    let name = args.next().unwrap_or_default();
    let mut command = Command::new(std::env::current_exe()?);
    command.args(args).env(MARK, "1");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    system.env.restore_path(&mut command);
    system.env.restore_vault_key(&mut command);
    detach(&mut command, name);
    // Not waited for: this process ends next.
    command.spawn().map(drop)
}

#[cfg(unix)]
fn detach(command: &mut Command, name: std::ffi::OsString) {
    use std::os::unix::process::CommandExt;
    command.arg0(name);
    // SAFETY: the closure makes only these two system calls, which are async-signal-safe and access
    // no memory.
    unsafe {
        command.pre_exec(|| {
            libc::setsid();
            // Descriptors that this process inherited have no close-on-exec flag. Older kernels
            // lack the call, but standard input, output and error are replaced in any case.
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
