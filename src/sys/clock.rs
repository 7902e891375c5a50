//! The wall clock.
#![allow(clippy::disallowed_methods, reason = "this module wraps the banned functions")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Local, LocalResult, NaiveDateTime, TimeDelta};

/// The source of the current time.
#[derive(Clone)]
pub enum Clock {
    /// The system's clock.
    System,
    /// Seconds since 1970-01-01 UTC, which a test sets.
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

/// `seconds` since 1970-01-01 UTC as local time, in the zone of `TZ` or of the system. Returns
/// 1970-01-01 for a time out of range.
///
/// A time in the hour that a clock change repeats becomes the minute before that hour. The result
/// has no zone, so it would be ambiguous, and some callers reject that (Rust's `object_store`). For
/// an expiry the earlier time is safe.
pub(crate) fn local_time(seconds: i64) -> NaiveDateTime {
    let time = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    let mut local = time.with_timezone(&Local).naive_local();
    // No zone ever repeated more than a few hours, so a day is enough.
    for _ in 0..MINUTES_OF_A_DAY {
        match local.and_local_timezone(Local) {
            LocalResult::Ambiguous(..) => local -= TimeDelta::minutes(1),
            _ => break,
        }
    }
    local
}

const MINUTES_OF_A_DAY: usize = 24 * 60;
