//! The Linux identity broker on the session bus: Microsoft's or Himmelblau's.

use std::time::Duration;

use super::{IdentityBroker, Method, unanswered};
use crate::error::Result;
use crate::secret::Secret;
use crate::sys::{IdentityBus, System};

/// The broker on the session bus.
pub(super) struct LinuxBroker(IdentityBus);

impl LinuxBroker {
    /// Connects at the first call.
    pub(super) fn new(system: &System) -> Self {
        Self(IdentityBus::new(system))
    }

    /// True if a broker is running, or would be started by a call.
    pub(super) fn is_there(&self, limit: Duration) -> bool {
        self.0.has_broker(limit).unwrap_or(false)
    }
}

impl IdentityBroker for LinuxBroker {
    fn call(&self, method: Method, request: String, limit: Duration) -> Result<Secret> {
        self.0.call(method.name(), request, limit).map_err(unanswered)
    }
}
