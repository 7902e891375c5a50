//! Waiting for the user.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::time::Instant;

use super::{Level, Spinner, System};
use crate::error::{Error, Kind, Result};

/// The longest time to wait.
pub(super) const LONGEST: Duration = Duration::from_hours(24);

/// Runs `work`, which waits for an action of the user elsewhere, for at most `limit`. On a
/// terminal, a spinner shows `what` and the time left; a terminal that cannot rewrite a line gets
/// one such line.
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
    let text = |left: u64| {
        let short = format!("{what} {}:{:02}", left / 60, left % 60);
        let long = format!("{short} (Ctrl-C to cancel)");
        if Spinner::has_room_for(&long) { long } else { short }
    };
    if system.is_watched() && !spinner.is_shown() && system.terminal.shows(Level::Warning) {
        system.terminal.plain(&text(limit.min(LONGEST).as_secs()));
    }
    let count_down = async {
        loop {
            let left = end.saturating_duration_since(Instant::now()).as_secs();
            spinner.say(&text(left));
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
    let _before = super::signal_action::SignalAction::now(libc::SIGINT);
    match select(pin!(work), pin!(tokio::signal::ctrl_c())).await {
        Either::Right((Ok(()), _)) => Err(Error::cancelled()),
        Either::Left((result, _)) => result,
        // The handler cannot be installed: Ctrl-C ends the process as usual.
        Either::Right((Err(_), work)) => work.await,
    }
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
