//! Requests that are worth repeating.

use std::future::Future;
use std::time::Duration;

use super::{Deadline, Response, fill_random};
use crate::error::{Error, Result};

/// How often a request is repeated: 0.5 s and 1.5 s later, or when the server says.
const REPETITIONS: u32 = 2;

/// Longest `Retry-After` that a caller waits for, who gives up after ten seconds.
const LONGEST_WAIT: Duration = Duration::from_secs(3);

/// The same where a person waits, who would have to begin anew.
const LONGEST_WAIT_OF_PERSON: Duration = Duration::from_secs(30);

/// Sends by `send` until there is an answer that another attempt would not change: after a
/// connection that broke, and after 429 and 5xx, it tries again (RFC 9110 sections 9.2.2 and
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

/// Marks `error`, which `response` is, if the server's trouble may be over the next time: 429 and
/// 5xx (RFC 9110 sections 10.2.3 and 15.6), after the seconds that it names.
pub(crate) fn passing(error: Error, response: &Response) -> Error {
    if response.status != 429 && !(500..=510).contains(&response.status) {
        return error;
    }
    error.worth_another_try(response.retry_after().unwrap_or_default())
}

/// How long to wait before the next attempt; `None` when none is worth it.
fn pause(error: &Error, repetition: u32) -> Result<Option<Duration>> {
    let Some(asked) = error.retry_after() else { return Ok(None) };
    let longest = if Deadline::is_set() { LONGEST_WAIT } else { LONGEST_WAIT_OF_PERSON };
    if asked > longest {
        return Ok(None);
    }
    // Callers that failed together must not come back together.
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
    fn the_server_is_obeyed_within_the_patience_of_who_waits() {
        let of_zero = pauses(Some(0));
        assert!((500..=755).contains(&of_zero[0]) && (1500..=1755).contains(&of_zero[1]));
        assert!((30_000..=30_255).contains(&pauses(Some(30))[0]));
        assert!(pauses(Some(31)).is_empty(), "no person waits that long");
        assert!(pauses(None).is_empty());
        let of_caller = |seconds| {
            let hour = Deadline::after(Duration::from_hours(1));
            crate::sys::block_on(hour.hold(async { pauses(Some(seconds)) })).unwrap().unwrap()
        };
        assert!((3000..=3255).contains(&of_caller(3)[0]));
        assert!(of_caller(4).is_empty(), "no caller waits that long");
    }
}
