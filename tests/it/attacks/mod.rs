//! What an attacker would try, one test a finding and its variants, written as they would do it.
//!
//! The attacker is another user of the machine, a hostile server, or whoever wrote the files that are
//! read: each file here is one of the rules that turn them away (SECURITY.md).

use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

mod bounds;
mod clouds;
mod endpoints;
mod files_are_data;
mod folders;
mod foreign_text;
mod key;
mod path;
mod sign_in;

/// The other user: nobody's number on every system.
pub const MALLORY: u32 = 65_534;

#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
/// True when this runs as root, who alone can make files another user's. Else the test says that it
/// is skipped.
pub fn is_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        eprintln!("skipped: needs root");
    }
    is_root
}

#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
/// True when this machine has IPv6. Else the test says that it is skipped.
pub fn has_ipv6() -> bool {
    let has = std::net::TcpListener::bind("[::1]:0").is_ok();
    if !has {
        eprintln!("skipped: needs IPv6");
    }
    has
}

/// A process that runs until this is dropped, as do those that it starts.
pub struct Killed(pub Child);

impl Killed {
    pub fn spawn(command: &mut Command) -> Self {
        Self(command.process_group(0).spawn().unwrap())
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        use rustix::process::{Pid, Signal, kill_process_group};
        let _ = kill_process_group(Pid::from_child(&self.0), Signal::KILL);
        let _ = self.0.wait();
    }
}
