//! The name of this machine.

/// Returns the machine's name, or an empty string. It distinguishes machines that share disks.
#[cfg(unix)]
pub(crate) fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Returns the machine's name, or an empty string. It distinguishes machines that share disks.
#[cfg(not(unix))]
#[allow(clippy::disallowed_methods, reason = "this module wraps the banned functions")]
pub(crate) fn host_name() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}
