//! The async runtime, started only where the network is needed.

use std::future::Future;
use std::io;

use super::os_error::limit_remedy;
use crate::error::{Error, Result};

/// Runs `future` to its end on a runtime of this thread.
///
/// Built at each call: a command goes to the network at most once, and the warm path never.
pub(crate) fn block_on<F: Future>(future: F) -> Result<F::Output> {
    let runtime = has_room()
        .and_then(|()| tokio::runtime::Builder::new_current_thread().enable_all().build())
        .map_err(cannot_start)?;
    Ok(runtime.block_on(future))
}

/// Whether a thread can be started and descriptors can be had: without them tokio panics (the one
/// looks names up, the others carry signals).
fn has_room() -> io::Result<()> {
    let thread = std::thread::Builder::new().spawn(|| ())?;
    thread.join().map_err(|_| io::Error::other("a thread failed"))?;
    #[cfg(unix)]
    let _descriptors = [pair()?, pair()?, pair()?, pair()?];
    Ok(())
}

#[cfg(unix)]
fn pair() -> io::Result<(std::os::unix::net::UnixStream, std::os::unix::net::UnixStream)> {
    std::os::unix::net::UnixStream::pair()
}

fn cannot_start(error: io::Error) -> Error {
    let failed = Error::failed(format!("Cannot go to the network: {error}."));
    match limit_remedy(&error) {
        Some(remedy) => failed.remedy(remedy),
        None => failed,
    }
    .source(error)
}
