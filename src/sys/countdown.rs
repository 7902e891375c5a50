//! Waiting for the user.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::time::Instant;

use super::{Spinner, System};
use crate::error::{Error, Kind, Result};

/// The longest time to wait.
pub(super) const LONGEST: Duration = Duration::from_hours(24);

/// Runs `work`, which waits for an action of the user elsewhere, for at most `limit`. On a
/// terminal, a spinner shows `what` and the time left.
///
/// # Errors
/// [`Kind::InteractionRequired`] after the timeout; those of `work`.
pub(crate) async fn with_countdown<T>(
    system: &System,
    what: &str,
    limit: Duration,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    // A very long `limit` would overflow the clock.
    let end = Instant::now() + limit.min(LONGEST);
    let spinner = Spinner::start(system);
    let count_down = async {
        loop {
            let left = end.saturating_duration_since(Instant::now()).as_secs();
            spinner.say(&format!("{what}, {}:{:02} left (Ctrl-C to cancel)", left / 60, left % 60));
            tokio::time::sleep(Duration::from_secs(1)).await;
            if left == 0 {
                return timed_out(limit.min(LONGEST));
            }
        }
    };
    match select(pin!(work), pin!(count_down)).await {
        Either::Left((result, _)) => result,
        Either::Right((error, _)) => Err(error),
    }
}

fn timed_out(limit: Duration) -> Error {
    let (number, unit) = match limit.as_secs() {
        minutes if minutes >= 60 && minutes % 60 == 0 => (minutes / 60, "minute"),
        seconds => (seconds, "second"),
    };
    let s = if number == 1 { "" } else { "s" };
    let text = format!("The sign-in was not finished within {number} {unit}{s}.");
    Error::new(Kind::InteractionRequired, text).remedy(
        "Start again. The service sets how long a code is valid; core.login_timeout sets how long azt waits for a browser (in seconds).",
    )
}

/// Runs `work` until it ends or the user presses Ctrl-C.
///
/// # Errors
/// [`Kind::Cancelled`] after Ctrl-C; those of `work`.
pub(crate) async fn interruptible<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    #[cfg(unix)]
    let _as_before = Interrupt::now();
    match select(pin!(work), pin!(tokio::signal::ctrl_c())).await {
        Either::Right((Ok(()), _)) => Err(cancelled()),
        Either::Left((result, _)) => result,
        // The handler cannot be installed: Ctrl-C ends the process as usual.
        Either::Right((Err(_), work)) => work.await,
    }
}

/// The previous action for SIGINT, restored on drop. The runtime's handler would otherwise stay
/// installed, and Ctrl-C would have no effect.
#[cfg(unix)]
struct Interrupt(libc::sigaction);

#[cfg(unix)]
impl Interrupt {
    fn now() -> Option<Self> {
        let mut now = std::mem::MaybeUninit::<libc::sigaction>::uninit();
        // SAFETY: with a null action, sigaction(2) only writes the current one to `now`, which
        // outlives the call. A result of 0 means that `now` is initialised.
        unsafe {
            (libc::sigaction(libc::SIGINT, std::ptr::null(), now.as_mut_ptr()) == 0)
                .then(|| Self(now.assume_init()))
        }
    }
}

#[cfg(unix)]
impl Drop for Interrupt {
    fn drop(&mut self) {
        // SAFETY: the action is the one that sigaction(2) returned.
        unsafe { libc::sigaction(libc::SIGINT, &raw const self.0, std::ptr::null_mut()) };
    }
}

/// The error after Ctrl-C or Escape.
pub(super) fn cancelled() -> Error {
    Error::new(Kind::Cancelled, "Cancelled. Nothing was changed.")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A setting or a server can name any number of seconds.
    #[test]
    fn the_longest_duration_does_not_overflow() {
        let system = System::real(crate::program::Program::Azt);
        let done = with_countdown(&system, "Waiting", Duration::MAX, async { Ok(7) });
        assert_eq!(crate::sys::block_on(done).unwrap().unwrap(), 7);
    }
}
