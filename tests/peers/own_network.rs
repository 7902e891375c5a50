//! Port 443 for a test: Python's libraries drop any other port.

use std::process::{Command, Stdio};

use entra_emulator::EntraEmulator;

/// Set in the process that [`again_in_own_network`] starts.
const HAS_OWN_NETWORK: &str = "AZT_TEST_HAS_OWN_NETWORK";

/// Runs the test `name` in a process with a network namespace of its own, where port 443 is free
/// and needs no privilege. Returns false in that process, and where namespaces are forbidden.
#[allow(clippy::print_stderr, reason = "a test that cannot be isolated says so")]
pub fn again_in_own_network(name: &str) -> bool {
    if std::env::var_os(HAS_OWN_NETWORK).is_some() {
        return false;
    }
    // SIOCSIFFLAGS, IFF_UP: loopback is down in a new namespace.
    let loopback_up = "import fcntl, socket, struct\n\
        fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sh14x', b'lo', 1))";
    let in_namespace = |script: &str| {
        let mut command = Command::new("unshare");
        if !rustix::process::geteuid().is_root() {
            command.arg("--map-root-user");
        }
        command.args(["--net", "sh", "-e", "-c"]).arg(script);
        command.arg(loopback_up).arg(std::env::current_exe().unwrap()).arg(name);
        command.env(HAS_OWN_NETWORK, "1").stdin(Stdio::null());
        command
    };
    let probe = in_namespace(r#"python3 -c "$0""#).output();
    if !probe.as_ref().is_ok_and(|probe| probe.status.success()) {
        eprintln!("no network namespace, so this test takes the machine's port 443: {probe:?}");
        return false;
    }
    let script = r#"python3 -c "$0"; exec "$1" --exact "$2" --nocapture"#;
    let output = in_namespace(script).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    true
}

/// An emulator at port 443.
pub fn emulator_at_443() -> EntraEmulator {
    EntraEmulator::builder().port(443).start().unwrap_or_else(|error| {
        panic!("this test needs network namespaces (kernel.apparmor_restrict_unprivileged_userns=0), or port 443 free for this user: {error}")
    })
}
