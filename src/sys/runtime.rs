//! The async runtime, started only for network access.

use std::future::Future;
use std::io;

use super::os_error::limit_remedy;
use crate::error::{Error, Result};

/// Runs `future` to completion on a runtime in this thread.
///
/// Each call builds a runtime: a command uses the network at most once, and never on the warm path.
pub(crate) fn block_on<F: Future>(future: F) -> Result<F::Output> {
    let runtime = check_resources()
        .and_then(|()| tokio::runtime::Builder::new_current_thread().enable_all().build())
        .map_err(cannot_start)?;
    Ok(runtime.block_on(future))
}

/// Fails if no thread or no file descriptors are available. tokio would panic later: it looks up
/// names in a thread and receives signals through descriptors.
fn check_resources() -> io::Result<()> {
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
