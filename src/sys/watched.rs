//! Work that may never end, done in a thread that is left behind when its time is up.

use std::io;
use std::sync::mpsc;
use std::time::Duration;

/// Runs `work` in a thread of its own and waits for it, `limit` at the most.
///
/// [`io::ErrorKind::TimedOut`] when it did not end in time: the thread then stays where it hangs
/// and goes with the process. Any other error when no thread could be started or `work` panicked.
pub fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let (sender, receiver) = mpsc::sync_channel(1);
    std::thread::Builder::new().name("watched".to_owned()).spawn(move || {
        // The receiver is gone when the time was up: nobody wants the answer any more.
        let _ = sender.send(work());
    })?;
    receiver.recv_timeout(limit).map_err(|error| match error {
        mpsc::RecvTimeoutError::Timeout => io::ErrorKind::TimedOut.into(),
        mpsc::RecvTimeoutError::Disconnected => io::Error::other("the thread ended early"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_ends_is_answered() {
        assert_eq!(within(Duration::from_mins(1), || 7).unwrap(), 7);
    }

    #[test]
    fn work_that_hangs_is_given_up() {
        let (_never, hang) = mpsc::channel::<()>();
        let error = within(Duration::ZERO, move || hang.recv()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
