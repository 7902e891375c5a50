//! The wall clock.
#![allow(clippy::disallowed_methods, reason = "this is the seam that the ban points to")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where the time comes from.
pub enum Clock {
    /// The system's clock.
    System,
    /// Seconds since 1970-01-01 UTC that a test sets and moves.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// Whole seconds since 1970-01-01 UTC, rounded down; 0 for a clock set before that.
    pub fn now(&self) -> i64 {
        match self {
            Self::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX)),
            Self::Fixed(seconds) => seconds.load(Ordering::Relaxed),
        }
    }
}
