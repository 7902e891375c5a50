//! The D-Bus session bus, and whether it hangs. One that does costs its time limit once per process:
//! the keyring and the identity broker are both behind it.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use zbus::blocking::Connection;
use zbus::blocking::connection::Builder;

use super::{System, run_with_timeout};

/// Time for a bus to greet a client, after something behind it has taken its whole limit. A working
/// one needs milliseconds.
pub(super) const GREETING: Duration = Duration::from_millis(300);

/// The buses that hang.
static HUNG: Mutex<Vec<SessionBus>> = Mutex::new(Vec::new());

/// The address of a session bus.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct SessionBus(String);

impl SessionBus {
    /// The session bus of this user: `DBUS_SESSION_BUS_ADDRESS`, else the socket in
    /// `XDG_RUNTIME_DIR`.
    pub(super) fn of(system: &System) -> Option<Self> {
        let given = system.env.non_empty("DBUS_SESSION_BUS_ADDRESS");
        let usual = || {
            let socket = system.env.path("XDG_RUNTIME_DIR")?.join("bus");
            let path = socket.to_str().filter(|path| !path.contains([',', ';', '%']))?;
            socket.exists().then(|| format!("unix:path={path}"))
        };
        // An address may list alternatives, which zbus does not take. Tokens come over it, so no
        // network; `unixexec:` would start a program.
        let local = |address: String| {
            let mut all = address.split(';');
            all.find(|it| it.starts_with("unix:")).map(str::to_owned)
        };
        given.or_else(usual).and_then(local).map(Self)
    }

    pub(super) fn connect(&self) -> zbus::Result<Connection> {
        Builder::address(self.0.as_str()).and_then(Builder::build)
    }

    /// True if this process has found that the bus hangs.
    pub(super) fn hangs(&self) -> bool {
        HUNG.lock().unwrap_or_else(PoisonError::into_inner).contains(self)
    }

    pub(super) fn remember_that_it_hangs(&self) {
        HUNG.lock().unwrap_or_else(PoisonError::into_inner).push(self.clone());
    }

    /// Remembers that the bus hangs if it does not greet a client.
    pub(super) fn check(&self) {
        let bus = self.clone();
        let greeted = run_with_timeout(GREETING, move || bus.connect().map(drop));
        if greeted.is_err_and(|error| error.kind() == io::ErrorKind::TimedOut) {
            self.remember_that_it_hangs();
        }
    }
}
