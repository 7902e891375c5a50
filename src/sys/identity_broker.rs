//! Calls the Linux identity broker on the D-Bus session bus.
//!
//! The calls are blind: the broker of Microsoft has had no introspection since 2.0.2. At most one
//! connection is made per [`IdentityBus`].

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use zbus::blocking::Connection;

use super::session_bus::{GREETING, SessionBus};
use super::{CallFailure, System, random_uuid, run_with_timeout};
use crate::secret::Secret;

const NAME: &str = "com.microsoft.identity.broker1";
const PATH: &str = "/com/microsoft/identity/broker1";
const INTERFACE: &str = "com.microsoft.identity.Broker1";
/// The version that every client of this interface sends.
const PROTOCOL: &str = "0.0";
const BUS: &str = "org.freedesktop.DBus";
const BUS_PATH: &str = "/org/freedesktop/DBus";

/// The session bus, connected to at the first call. After a timeout the broker is not asked again:
/// each of several tenants would cost the limit.
pub(crate) struct IdentityBus {
    bus: Option<SessionBus>,
    connection: Arc<OnceLock<Connection>>,
    has_timed_out: AtomicBool,
}

impl IdentityBus {
    /// The session bus of this user.
    pub(crate) fn new(system: &System) -> Self {
        let bus = SessionBus::of(system);
        Self { bus, connection: Arc::default(), has_timed_out: AtomicBool::new(false) }
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
            // The string is wiped. The copies of zbus, which shares the message's bytes, and of the
            // bus itself are not in reach.
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
        let Some(bus) = self.bus.clone() else {
            return Err(CallFailure::Absent("there is no D-Bus session bus".to_owned()));
        };
        if bus.hangs() {
            return Err(hung());
        }
        if self.has_timed_out.load(Ordering::Relaxed) {
            return Err(CallFailure::TimedOut);
        }
        let (address, shared) = (bus.clone(), Arc::clone(&self.connection));
        let done = run_with_timeout(limit, move || {
            let connection = if let Some(connection) = shared.get() {
                connection
            } else {
                let new = address.connect().map_err(unreachable)?;
                shared.get_or_init(|| new)
            };
            work(connection).map_err(|error| failure(&error))
        });
        match done {
            Ok(done) => done,
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                self.has_timed_out.store(true, Ordering::Relaxed);
                if self.connection.get().is_none() && limit >= GREETING {
                    bus.remember_that_it_hangs();
                    return Err(hung());
                }
                Err(CallFailure::TimedOut)
            }
            Err(_) => Err(CallFailure::Died),
        }
    }
}

fn hung() -> CallFailure {
    CallFailure::Absent("the D-Bus session bus does not answer".to_owned())
}

#[allow(clippy::needless_pass_by_value, reason = "the signature that map_err needs")]
fn unreachable(error: zbus::Error) -> CallFailure {
    CallFailure::Absent(format!("the D-Bus session bus cannot be reached: {error}"))
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
