//! Waiting for a person.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::time::Instant;

use super::{Spinner, System};
use crate::error::{Error, Kind, Result};

/// Does `work`, which waits for something that a person does elsewhere, for `limit` at the most.
/// On a terminal a spinner says `what` is waited for and how long there is left.
///
/// # Errors
/// [`Kind::InteractionRequired`] when the time is over; those of `work`.
pub async fn attended<T>(
    system: &System,
    what: &str,
    limit: Duration,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let end = Instant::now() + limit;
    let spinner = Spinner::start(system);
    let count_down = async {
        loop {
            let left = end.saturating_duration_since(Instant::now()).as_secs();
            spinner.say(&format!("{what}, {}:{:02} left (Ctrl-C to cancel)", left / 60, left % 60));
            tokio::time::sleep(Duration::from_secs(1)).await;
            if left == 0 {
                return Error::new(
                    Kind::InteractionRequired,
                    "The sign-in was not finished in time.",
                );
            }
        }
    };
    match select(pin!(work), pin!(count_down)).await {
        Either::Left((result, _)) => result,
        Either::Right((error, _)) => Err(error),
    }
}

/// Does `work` unless the person presses Ctrl-C.
///
/// # Errors
/// [`Kind::Cancelled`] after Ctrl-C; those of `work`.
pub async fn interruptible<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    match select(pin!(work), pin!(tokio::signal::ctrl_c())).await {
        Either::Right((Ok(()), _)) => Err(cancelled()),
        Either::Left((result, _)) => result,
        // No handler to be had: Ctrl-C ends the process as it always does.
        Either::Right((Err(_), work)) => work.await,
    }
}

/// The person does not want to go on.
pub(super) fn cancelled() -> Error {
    Error::new(Kind::Cancelled, "Cancelled. Nothing was changed.")
}
