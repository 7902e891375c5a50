//! Calls the Linux identity broker on the D-Bus session bus.
//!
//! The calls are blind: the broker of Microsoft has had no introspection since 2.0.2. At most one
//! connection is made.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use zbus::blocking::Connection;
use zbus::blocking::connection::Builder;

use super::{CallFailure, System, random_uuid, run_with_timeout};
use crate::secret::Secret;

const NAME: &str = "com.microsoft.identity.broker1";
const PATH: &str = "/com/microsoft/identity/broker1";
const INTERFACE: &str = "com.microsoft.identity.Broker1";
/// The version that every client of this interface sends.
const PROTOCOL: &str = "0.0";
const BUS: &str = "org.freedesktop.DBus";
const BUS_PATH: &str = "/org/freedesktop/DBus";

/// The session bus, connected to at the first call. Clones share the connection. After a timeout it
/// is not asked again, because the abandoned call still has the connection.
#[derive(Clone)]
pub(crate) struct IdentityBus {
    address: Option<String>,
    connection: Arc<Mutex<Option<Connection>>>,
    has_timed_out: Arc<AtomicBool>,
}

impl IdentityBus {
    /// The session bus of this user: `DBUS_SESSION_BUS_ADDRESS`, else the socket in
    /// `XDG_RUNTIME_DIR`.
    pub(crate) fn new(system: &System) -> Self {
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
        Self {
            address: given.or_else(usual).and_then(local),
            connection: Arc::default(),
            has_timed_out: Arc::default(),
        }
    }

    /// Calls `method` of the broker with the JSON text `request`; returns its JSON text. A broker
    /// that the bus can start is started.
    pub(crate) fn call(
        &self,
        method: &'static str,
        request: String,
        limit: Duration,
    ) -> Result<Secret, CallFailure> {
        self.within(limit, move |connection| {
            let id = random_uuid().map_err(|error| zbus::Error::Failure(error.to_string()))?;
            let body = (PROTOCOL, id.as_str(), request.as_str());
            let answer =
                connection.call_method(Some(NAME), PATH, Some(INTERFACE), method, &body)?;
            answer.body().deserialize::<String>().map(Secret::new)
        })
    }

    /// True if a broker is running, or would be started by a call.
    pub(crate) fn has_broker(&self, limit: Duration) -> Result<bool, CallFailure> {
        self.within(limit, |connection| {
            let ask = |method: &str| {
                connection.call_method(Some(BUS), BUS_PATH, Some(BUS), method, &()).and_then(
                    |answer| {
                        let names = answer.body().deserialize::<Vec<String>>()?;
                        Ok(names.iter().any(|name| name == NAME))
                    },
                )
            };
            Ok(ask("ListNames")? || ask("ListActivatableNames")?)
        })
    }

    fn within<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl FnOnce(&Connection) -> zbus::Result<T> + Send + 'static,
    ) -> Result<T, CallFailure> {
        let Some(address) = self.address.clone() else {
            return Err(CallFailure::Absent("there is no D-Bus session bus".to_owned()));
        };
        if self.has_timed_out.load(Ordering::Relaxed) {
            return Err(CallFailure::TimedOut);
        }
        let connection = Arc::clone(&self.connection);
        let done = run_with_timeout(limit, move || {
            // Held during the call: one connection, one call at a time.
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            let connection = match &mut *connection {
                Some(connection) => connection,
                none => none.insert(connect(&address)?),
            };
            work(connection).map_err(|error| failure(&error))
        });
        match done {
            Ok(done) => done,
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                self.has_timed_out.store(true, Ordering::Relaxed);
                Err(CallFailure::TimedOut)
            }
            Err(_) => Err(CallFailure::Died),
        }
    }
}

fn connect(address: &str) -> Result<Connection, CallFailure> {
    Builder::address(address).and_then(Builder::build).map_err(|error| {
        CallFailure::Absent(format!("the D-Bus session bus cannot be reached: {error}"))
    })
}

fn failure(error: &zbus::Error) -> CallFailure {
    let zbus::Error::MethodError(name, text, _) = error else {
        return match error {
            zbus::Error::InputOutput(_) => CallFailure::Died,
            other => CallFailure::Refused(other.to_string()),
        };
    };
    match name.as_str().strip_prefix("org.freedesktop.DBus.Error.") {
        Some("ServiceUnknown" | "NameHasNoOwner") => {
            CallFailure::Absent("no program of this session provides one".to_owned())
        }
        Some("NoReply" | "Disconnected") => CallFailure::Died,
        _ => CallFailure::Refused(text.clone().unwrap_or_else(|| name.to_string())),
    }
}
