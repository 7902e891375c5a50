//! The Linux identity broker on the session bus: Microsoft's or Himmelblau's.

use std::time::Duration;

use super::{IdentityBroker, LIMIT, Method, full_stop, misbehaved};
use crate::error::{Error, Kind, Result};
use crate::foreign::Sentence;
use crate::secret::Secret;
use crate::sys::{CallFailure, IdentityBus, System};

/// The broker on the session bus.
pub(super) struct LinuxBroker(IdentityBus);

impl LinuxBroker {
    /// Connects at the first call.
    pub(super) fn new(system: &System) -> Self {
        Self(IdentityBus::new(system))
    }
}

impl IdentityBroker for LinuxBroker {
    fn call(&self, method: Method, request: String, limit: Duration) -> Result<Secret> {
        self.0.call(method.name(), request, limit).map_err(error)
    }
}

fn error(failure: CallFailure) -> Error {
    match failure {
        CallFailure::Absent(why) => Error::failed(format!("There is no identity broker: {}.", Sentence::new(&why)))
                .remedy("Install Microsoft's identity broker (with Intune) or Himmelblau, and use it in a desktop session."),
        CallFailure::TimedOut => {
            misbehaved(&format!("did not answer within {} s", LIMIT.as_secs()))
        }
        CallFailure::Died => misbehaved("ended without an answer"),
        CallFailure::Refused(why) => Error::new(
            Kind::Refused,
            format!("The identity broker refused: {}", full_stop(&why)),
        ),
    }
}
