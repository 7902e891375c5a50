//! Deadlines for async work.
#![allow(clippy::disallowed_methods, reason = "this module wraps the banned functions")]

use std::time::{Duration, Instant};

/// The time that must remain after a pause, because a request follows it.
const RESERVE: Duration = Duration::from_secs(1);

tokio::task_local! {
    /// The deadline of the current task.
    static CURRENT: Deadline;
}

/// A point in time by which work has to end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// `time` from now.
    pub(crate) fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// `time` from now, or the deadline of the current task if that is earlier.
    pub(crate) fn at_most(time: Duration) -> Self {
        let own = Self::after(time);
        CURRENT.try_with(|current| Self(own.0.min(current.0))).unwrap_or(own)
    }

    /// The time left; zero after the deadline.
    pub(crate) fn left(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Runs `work` with this deadline as the current one. Returns its result; `None` on timeout.
    ///
    /// If nested deadlines end at the same time, the inner one times out, because its caller knows
    /// best what took too long.
    pub(crate) async fn run<T>(self, work: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout_at(self.0.into(), CURRENT.scope(self, work)).await.ok()
    }

    /// True if the current task has a deadline.
    pub(crate) fn is_set() -> bool {
        CURRENT.try_with(|_| ()).is_ok()
    }

    /// True if the current task can pause for `time` and still has time for a request after it.
    /// Otherwise the caller should return the result that it has, because a pause would end in a
    /// timeout.
    pub(crate) fn allows(time: Duration) -> bool {
        CURRENT.try_with(|current| time + RESERVE <= current.left()).unwrap_or(true)
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;
    use crate::sys::block_on;

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn a_pause_must_leave_time_for_a_request() {
        let allows = |seconds| Deadline::allows(Duration::from_secs(seconds));
        assert!(allows(10_000));
        let pauses = async { [1, 3500, 3600].map(allows) };
        assert_eq!(block_on(Deadline::after(HOUR).run(pauses)).unwrap(), Some([true, true, false]));
        let pauses = async { Deadline::at_most(HOUR).run(async { [1, 60].map(allows) }).await };
        let pauses = Deadline::after(Duration::from_mins(1)).run(pauses);
        assert_eq!(block_on(pauses).unwrap(), Some(Some([true, false])));
    }

    #[test]
    fn the_inner_of_two_deadlines_times_out() {
        let inner = async { Deadline::at_most(HOUR).run(pending::<()>()).await };
        let both = async { Deadline::after(Duration::from_millis(5)).run(inner).await };
        assert_eq!(block_on(both).unwrap(), Some(None));
        let left = async { Deadline::at_most(HOUR).left() };
        assert!(block_on(left).unwrap() > Duration::from_mins(59));
    }
}
