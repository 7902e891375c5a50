//! How long there is left.
#![allow(clippy::disallowed_methods, reason = "this is the seam that the ban points to")]

use std::time::{Duration, Instant};

/// What a pause has to leave of the time: the request after it needs some.
const ROOM: Duration = Duration::from_secs(1);

tokio::task_local! {
    /// What the work under way has to end by.
    static CURRENT: Deadline;
}

/// A point in time that work has to end by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// `time` from now.
    pub(crate) fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// `time` from now, or that of the work under way if it comes first.
    pub(crate) fn at_most(time: Duration) -> Self {
        let own = Self::after(time);
        CURRENT.try_with(|current| Self(own.0.min(current.0))).unwrap_or(own)
    }

    /// What is left until then; zero afterwards.
    pub(crate) fn left(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// What `work` comes to; `None` if it has not ended by then.
    ///
    /// Of two that end at the same time the inner one strikes: it knows better what took so long.
    pub(crate) async fn hold<T>(self, work: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout_at(self.0.into(), CURRENT.scope(self, work)).await.ok()
    }

    /// True when the work under way has to end by some time.
    pub(crate) fn is_set() -> bool {
        CURRENT.try_with(|_| ()).is_ok()
    }

    /// True when the work under way may pause for `time`. Where it would have to be given up before
    /// it could go on, what it has found out so far is all that it will.
    pub(crate) fn allows(time: Duration) -> bool {
        CURRENT.try_with(|current| time + ROOM <= current.left()).unwrap_or(true)
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;
    use crate::sys::block_on;

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn a_pause_leaves_time_for_what_comes_after_it() {
        let allows = |seconds| Deadline::allows(Duration::from_secs(seconds));
        assert!(allows(10_000));
        let pauses = async { [1, 3500, 3600].map(allows) };
        assert_eq!(
            block_on(Deadline::after(HOUR).hold(pauses)).unwrap(),
            Some([true, true, false])
        );
        let pauses = async { Deadline::at_most(HOUR).hold(async { [1, 60].map(allows) }).await };
        let pauses = Deadline::after(Duration::from_mins(1)).hold(pauses);
        assert_eq!(block_on(pauses).unwrap(), Some(Some([true, false])));
    }

    #[test]
    fn the_inner_of_two_limits_strikes() {
        let inner = async { Deadline::at_most(HOUR).hold(pending::<()>()).await };
        let both = async { Deadline::after(Duration::from_millis(5)).hold(inner).await };
        assert_eq!(block_on(both).unwrap(), Some(None));
        let left = async { Deadline::at_most(HOUR).left() };
        assert!(block_on(left).unwrap() > Duration::from_mins(59));
    }
}
