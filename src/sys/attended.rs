//! Waiting for a person.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::time::Instant;

use super::{Spinner, System};
use crate::error::{Error, Kind, Result};

/// More than anybody waits.
pub(super) const LONGEST: Duration = Duration::from_hours(24);

/// Does `work`, which waits for something that a person does elsewhere, for `limit` at the most.
/// On a terminal a spinner says `what` is waited for and how long there is left.
///
/// # Errors
/// [`Kind::InteractionRequired`] when the time is over; those of `work`.
pub(crate) async fn attended<T>(
    system: &System,
    what: &str,
    limit: Duration,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    // A clock ends somewhere.
    let end = Instant::now() + limit.min(LONGEST);
    let spinner = Spinner::start(system);
    let count_down = async {
        loop {
            let left = end.saturating_duration_since(Instant::now()).as_secs();
            spinner.say(&format!("{what}, {}:{:02} left (Ctrl-C to cancel)", left / 60, left % 60));
            tokio::time::sleep(Duration::from_secs(1)).await;
            if left == 0 {
                return over(limit.min(LONGEST));
            }
        }
    };
    match select(pin!(work), pin!(count_down)).await {
        Either::Left((result, _)) => result,
        Either::Right((error, _)) => Err(error),
    }
}

fn over(limit: Duration) -> Error {
    let (number, unit) = match limit.as_secs() {
        minutes if minutes >= 60 && minutes % 60 == 0 => (minutes / 60, "minute"),
        seconds => (seconds, "second"),
    };
    let s = if number == 1 { "" } else { "s" };
    let text = format!("The sign-in was not finished in time, which was {number} {unit}{s}.");
    Error::new(Kind::InteractionRequired, text).remedy(
        "Start again. How long a code works is the service's; how long is waited for a browser, core.login_timeout (in seconds).",
    )
}

/// Does `work` unless the person presses Ctrl-C.
///
/// # Errors
/// [`Kind::Cancelled`] after Ctrl-C; those of `work`.
pub(crate) async fn interruptible<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    #[cfg(unix)]
    let _as_before = Interrupt::now();
    match select(pin!(work), pin!(tokio::signal::ctrl_c())).await {
        Either::Right((Ok(()), _)) => Err(cancelled()),
        Either::Left((result, _)) => result,
        // No handler to be had: Ctrl-C ends the process as it always does.
        Either::Right((Err(_), work)) => work.await,
    }
}

/// What Ctrl-C does; put back when this is dropped. The runtime's handler stays for the life of the
/// process, and nobody would listen to it any more.
#[cfg(unix)]
struct Interrupt(libc::sigaction);

#[cfg(unix)]
impl Interrupt {
    fn now() -> Option<Self> {
        let mut now = std::mem::MaybeUninit::<libc::sigaction>::uninit();
        // SAFETY: sigaction(2) changes nothing here, and writes what is into `now`, which outlives
        // the call; 0 says that it has.
        unsafe {
            (libc::sigaction(libc::SIGINT, std::ptr::null(), now.as_mut_ptr()) == 0)
                .then(|| Self(now.assume_init()))
        }
    }
}

#[cfg(unix)]
impl Drop for Interrupt {
    fn drop(&mut self) {
        // SAFETY: puts back what the process had before; the struct is sigaction(2)'s own.
        unsafe { libc::sigaction(libc::SIGINT, &raw const self.0, std::ptr::null_mut()) };
    }
}

/// The person does not want to go on.
pub(super) fn cancelled() -> Error {
    Error::new(Kind::Cancelled, "Cancelled. Nothing was changed.")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A setting, or a server, may name any number of seconds.
    #[test]
    fn the_longest_time_there_is_can_be_waited_for() {
        let system = System::real(crate::program::Program::Azt);
        let done = attended(&system, "Waiting", Duration::MAX, async { Ok(7) });
        assert_eq!(crate::sys::block_on(done).unwrap().unwrap(), 7);
    }
}
