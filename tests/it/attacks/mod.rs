//! Attacks, one test per finding and its variants.
//!
//! The attacker is another user of the machine, a hostile server, or the author of a file that azt
//! reads: see the rules of SECURITY.md.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

mod bounds;
mod clouds;
mod destinations;
mod endpoints;
mod files_are_data;
mod folders;
mod foreign_text;
mod key;
mod path;
mod planted;
mod remedies;
mod sign_in;
mod unexpected_account;

/// The attacker's uid: `nobody` on every system.
pub const MALLORY: u32 = 65_534;

#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
/// True if this runs as root, which chown needs. Otherwise prints that the test
/// is skipped.
pub fn is_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        eprintln!("skipped: needs root");
    }
    is_root
}

#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
/// True if this machine has IPv6. Otherwise prints that the test is skipped.
pub fn has_ipv6() -> bool {
    let has = std::net::TcpListener::bind("[::1]:0").is_ok();
    if !has {
        eprintln!("skipped: needs IPv6");
    }
    has
}

/// A process group, killed on drop.
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
