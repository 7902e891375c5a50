//! What a signal does.
//!
//! The runtime's handlers stay installed after their streams are gone, and the signal then has no
//! effect. Code that listens for a signal therefore keeps the former action and puts it back.

use std::mem::MaybeUninit;

/// The former action for a signal, put back on drop.
pub(super) struct SignalAction {
    signal: libc::c_int,
    before: libc::sigaction,
}

impl SignalAction {
    /// The action of now. `None` if it cannot be read.
    pub(super) fn now(signal: libc::c_int) -> Option<Self> {
        let mut now = MaybeUninit::<libc::sigaction>::uninit();
        // SAFETY: with a null action, sigaction(2) only writes the current one to `now`, which
        // outlives the call. A result of 0 means that `now` is initialised.
        unsafe {
            (libc::sigaction(signal, std::ptr::null(), now.as_mut_ptr()) == 0)
                .then(|| Self { signal, before: now.assume_init() })
        }
    }

    /// Lets `handler` handle the signal, once. `None` if the signal is ignored, as SIGHUP is under
    /// nohup.
    pub(super) fn replace(
        signal: libc::c_int,
        handler: extern "C" fn(libc::c_int),
    ) -> Option<Self> {
        let before = Self::now(signal).filter(|before| !before.is_to_ignore())?;
        // SAFETY: all zero is a valid sigaction: no flags, an empty mask.
        let mut action = unsafe { MaybeUninit::<libc::sigaction>::zeroed().assume_init() };
        action.sa_sigaction = handler as libc::sighandler_t;
        action.sa_flags = libc::SA_RESETHAND;
        // SAFETY: `action` outlives the call. The handler calls only what a handler may.
        unsafe { libc::sigaction(signal, &raw const action, std::ptr::null_mut()) };
        Some(before)
    }

    /// True if the action is to ignore the signal.
    pub(super) fn is_to_ignore(&self) -> bool {
        self.before.sa_sigaction == libc::SIG_IGN
    }
}

impl Drop for SignalAction {
    fn drop(&mut self) {
        // SAFETY: the action is the one that sigaction(2) returned.
        unsafe { libc::sigaction(self.signal, &raw const self.before, std::ptr::null_mut()) };
    }
}
