//! The async runtime, started only where the network is needed.

use std::future::Future;

use crate::error::{Error, Result};

/// Runs `future` to its end on a runtime of this thread.
///
/// Built at each call: a command goes to the network at most once, and the warm path never.
pub fn block_on<F: Future>(future: F) -> Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::failed("Cannot start the network runtime.").source(error))?;
    Ok(runtime.block_on(future))
}
