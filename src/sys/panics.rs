//! Reports panics, which are bugs of this program or of a library, as errors.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result};

/// The location of the last panic: `file:line:column`.
static PLACE: Mutex<Option<String>> = Mutex::new(None);

/// True while [`caught`] runs, which reports a panic itself.
static IS_CAUGHT: AtomicBool = AtomicBool::new(false);

/// Installs a panic hook that prints nothing for a panic inside [`caught`]. The panic message may
/// quote a token, so only the location is kept.
pub fn quiet_panics() {
    let loud = take_hook();
    set_hook(Box::new(move |panic| {
        if !IS_CAUGHT.load(Ordering::Relaxed) {
            return loud(panic);
        }
        if let (Ok(mut place), Some(location)) = (PLACE.lock(), panic.location()) {
            *place = Some(location.to_string());
        }
    }));
}

/// Runs `work` and turns a panic into an error.
///
/// # Errors
/// Those of `work`; [`crate::error::Kind::Failed`] with the location if it panics.
pub(crate) fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    IS_CAUGHT.store(true, Ordering::Relaxed);
    // Unwind safe: the process ends next and does not use state that a panic left half changed.
    let done = catch_unwind(AssertUnwindSafe(work));
    IS_CAUGHT.store(false, Ordering::Relaxed);
    done.unwrap_or_else(|_| {
        let place = PLACE.lock().ok().and_then(|mut place| place.take());
        let place = place.as_deref().unwrap_or("an unknown place");
        Err(Error::failed(format!("A fault in this program, at {place}."))
            .remedy("Please report it, with the command and the output of `azt version`."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_location_but_not_its_message() {
        let before = std::panic::take_hook();
        quiet_panics();
        let error = caught(|| -> Result<()> { panic!("fell over the-secret") }).unwrap_err();
        std::panic::set_hook(before);
        assert!(error.message().contains("panics.rs:"), "{error}");
        assert!(!format!("{error:?}").contains("the-secret"));
        assert_eq!(caught(|| Ok(7)).unwrap(), 7);
    }
}
