//! The name of this machine.

/// The machine's name as its system has it: what tells it from others that share its disks. Empty
/// where there is none.
#[cfg(unix)]
pub(crate) fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The machine's name as its system has it: what tells it from others that share its disks. Empty
/// where there is none.
#[cfg(not(unix))]
#[allow(clippy::disallowed_methods, reason = "this is the seam that the ban points to")]
pub(crate) fn host_name() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}
