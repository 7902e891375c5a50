//! How long there is left.
#![allow(clippy::disallowed_methods, reason = "this is the seam that the ban points to")]

use std::time::{Duration, Instant};

/// A point in time that work has to end by.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// `time` from now.
    pub fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// What is left until then; zero afterwards.
    pub fn left(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}
