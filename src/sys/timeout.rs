//! Runs blocking work in a thread that is abandoned when the time is up, or when nobody waits for it.

use std::io;
use std::sync::mpsc;
use std::time::Duration;

/// Runs `work` in its own thread and waits for the result, for `limit` at most.
///
/// # Errors
/// [`io::ErrorKind::TimedOut`] if `work` did not end in time; the thread then keeps running until
/// the process ends. Another kind if the thread cannot be started or `work` panics.
pub fn run_with_timeout<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let (sender, receiver) = mpsc::sync_channel(1);
    std::thread::Builder::new().name("timeout".to_owned()).spawn(move || {
        // Fails after a timeout, when the receiver is gone.
        let _ = sender.send(work());
    })?;
    receiver.recv_timeout(limit).map_err(|error| match error {
        mpsc::RecvTimeoutError::Timeout => io::ErrorKind::TimedOut.into(),
        mpsc::RecvTimeoutError::Disconnected => io::Error::other("the thread ended early"),
    })
}

/// Runs blocking `work` in its own thread, so that Ctrl-C ends the task that waits for it. Not
/// `spawn_blocking`: the runtime would wait for the thread when it ends.
///
/// # Errors
/// The thread cannot be started or `work` panics.
pub(crate) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::Builder::new().name("aside".to_owned()).spawn(move || {
        // Fails when nobody waits any more.
        let _ = sender.send(work());
    })?;
    receiver.await.map_err(|_| io::Error::other("the thread ended early"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_ends_returns_its_result() {
        assert_eq!(run_with_timeout(Duration::from_mins(1), || 7).unwrap(), 7);
    }

    #[test]
    fn work_that_hangs_times_out() {
        let (_never, hang) = mpsc::channel::<()>();
        let error = run_with_timeout(Duration::ZERO, move || hang.recv()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
