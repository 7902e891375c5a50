//! Panics, which are somebody's fault (a library's, ours), told as errors.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result};

/// Where the last panic was: `file:line:column`.
static PLACE: Mutex<Option<String>> = Mutex::new(None);

/// Whether somebody tells of a panic.
static IS_TOLD: AtomicBool = AtomicBool::new(false);

/// From now on a panic in what [`caught`] does prints nothing of itself. Its sentence may quote what it
/// fell over, a token included: only its place is kept.
pub fn quiet_panics() {
    let loud = take_hook();
    set_hook(Box::new(move |panic| {
        if !IS_TOLD.load(Ordering::Relaxed) {
            return loud(panic);
        }
        if let (Ok(mut place), Some(location)) = (PLACE.lock(), panic.location()) {
            *place = Some(location.to_string());
        }
    }));
}

/// Does `work`.
///
/// # Errors
/// Those of `work`; [`crate::error::Kind::Failed`] with the place when it panics.
pub(crate) fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    IS_TOLD.store(true, Ordering::Relaxed);
    // What a panic leaves half done is dropped: the process ends next.
    let done = catch_unwind(AssertUnwindSafe(work));
    IS_TOLD.store(false, Ordering::Relaxed);
    done.unwrap_or_else(|_| {
        let place = PLACE.lock().ok().and_then(|mut place| place.take());
        let place = place.as_deref().unwrap_or("a place that is not known");
        Err(Error::failed(format!("A fault in this program, at {place}."))
            .remedy("Please report it, with the command and what `azt version` says."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_that_says_where_and_quotes_nothing() {
        let before = std::panic::take_hook();
        quiet_panics();
        let error = caught(|| -> Result<()> { panic!("fell over the-secret") }).unwrap_err();
        std::panic::set_hook(before);
        assert!(error.message().contains("panics.rs:"), "{error}");
        assert!(!format!("{error:?}").contains("the-secret"));
        assert_eq!(caught(|| Ok(7)).unwrap(), 7);
    }
}
