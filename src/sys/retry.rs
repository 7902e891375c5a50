//! Repeats requests after temporary failures.

use std::future::Future;
use std::time::Duration;

use super::{Deadline, Response, fill_random};
use crate::error::{Error, Result};

/// Most repetitions of a request: after 0.5 s and 1.5 s, or after the server's `Retry-After`.
const REPETITIONS: u32 = 2;

/// Longest `Retry-After` to wait for under a deadline: callers give up after ten seconds.
const LONGEST_WAIT: Duration = Duration::from_secs(3);

/// Longest `Retry-After` to wait for without a deadline: a user is waiting, who would have to start
/// again.
const LONGEST_WAIT_OF_USER: Duration = Duration::from_secs(30);

/// Calls `send`, and again after a broken connection, 429 or 5xx (RFC 9110 sections 9.2.2 and
/// 10.2.3).
pub(crate) async fn retried<T, F: Future<Output = Result<T>>>(send: impl Fn() -> F) -> Result<T> {
    let mut repetition = 0;
    loop {
        let error = match send().await {
            Err(error) if repetition < REPETITIONS => error,
            other => return other,
        };
        match pause(&error, repetition)? {
            Some(pause) if Deadline::allows(pause) => tokio::time::sleep(pause).await,
            _ => return Err(error),
        }
        repetition += 1;
    }
}

/// Marks `error`, made from `response`, as worth repeating if the status is 429 or 5xx (RFC 9110
/// sections 10.2.3 and 15.6), after the seconds in `Retry-After`.
pub(crate) fn mark_retryable(error: Error, response: &Response) -> Error {
    if response.status != 429 && !(500..=510).contains(&response.status) {
        return error;
    }
    error.worth_another_try(response.retry_after().unwrap_or_default())
}

/// Returns the time to wait before the next attempt; `None` if there should be none.
fn pause(error: &Error, repetition: u32) -> Result<Option<Duration>> {
    let Some(asked) = error.retry_after() else { return Ok(None) };
    let longest = if Deadline::is_set() { LONGEST_WAIT } else { LONGEST_WAIT_OF_USER };
    if asked > longest {
        return Ok(None);
    }
    // The jitter spreads the retries of callers that failed at the same time.
    let mut random = [0];
    fill_random(&mut random)?;
    let jitter = Duration::from_millis(u64::from(random[0]));
    Ok(Some(asked.max(Duration::from_millis(500 * (1 + 2 * u64::from(repetition)))) + jitter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    fn pauses(after: Option<u64>) -> Vec<u128> {
        let error = Error::new(Kind::Service, "");
        let error = match after {
            Some(seconds) => error.worth_another_try(Duration::from_secs(seconds)),
            None => error,
        };
        let pause = |repetition| pause(&error, repetition).unwrap().map(|it| it.as_millis());
        (0..REPETITIONS).map_while(pause).collect()
    }

    #[test]
    fn retry_after_is_honoured_up_to_a_limit() {
        let of_zero = pauses(Some(0));
        assert!((500..=755).contains(&of_zero[0]) && (1500..=1755).contains(&of_zero[1]));
        assert!((30_000..=30_255).contains(&pauses(Some(30))[0]));
        assert!(pauses(Some(31)).is_empty(), "longer than a user waits");
        assert!(pauses(None).is_empty());
        let of_caller = |seconds| {
            let hour = Deadline::after(Duration::from_hours(1));
            crate::sys::block_on(hour.run(async { pauses(Some(seconds)) })).unwrap().unwrap()
        };
        assert!((3000..=3255).contains(&of_caller(3)[0]));
        assert!(of_caller(4).is_empty(), "longer than a caller waits");
    }
}
