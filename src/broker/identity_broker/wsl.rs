//! The broker in WSL: that of Linux if the session bus has one, else that of Windows.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use super::linux::LinuxBroker;
use super::windows_side::WindowsSide;
use super::{IdentityBroker, Method};
use crate::error::Result;
use crate::secret::Secret;
use crate::sys::{Deadline, System};

/// Time limit of the look at the session bus, which hangs on some machines. `azt.exe` needs the rest
/// of the time.
const LONGEST_LOOK: Duration = Duration::from_millis(500);

/// Both brokers, and which of them is asked. The first call decides it: only a call runs in a thread
/// that Ctrl-C need not wait for.
pub(super) struct WslBroker {
    linux: LinuxBroker,
    windows: WindowsSide,
    is_linux: OnceLock<bool>,
}

impl WslBroker {
    /// With `program`, the `azt.exe` of Windows.
    pub(super) fn new(system: &System, program: PathBuf) -> Self {
        let (linux, windows) = (LinuxBroker::new(system), WindowsSide::new(program));
        Self { linux, windows, is_linux: OnceLock::new() }
    }
}

impl IdentityBroker for WslBroker {
    fn call(&self, method: Method, request: String, limit: Duration) -> Result<Secret> {
        let deadline = Deadline::after(limit);
        let is_there = || self.linux.is_there(limit.min(LONGEST_LOOK));
        if *self.is_linux.get_or_init(is_there) {
            self.linux.call(method, request, deadline.left())
        } else {
            self.windows.call(method, request, deadline.left())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::net::UnixListener;

    use super::super::identity_broker;
    use crate::program::Program;
    use crate::sys::{Env, System};

    /// The choice would block the runtime, and with it Ctrl-C.
    #[test]
    fn the_choice_of_a_broker_asks_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let bus = UnixListener::bind(folder.path().join("bus")).unwrap();
        bus.set_nonblocking(true).unwrap();
        fs::write(folder.path().join("azt.exe"), "").unwrap();
        let path = folder.path().to_str().unwrap();
        let env = Env::fixed([
            ("WSL_DISTRO_NAME", "Debian"),
            ("PATH", path),
            ("DBUS_SESSION_BUS_ADDRESS", &format!("unix:path={path}/bus")),
        ]);
        let system = System { env, ..System::real(Program::Azt) };
        assert!(identity_broker(&system).is_ok());
        assert!(bus.accept().is_err());
    }
}
