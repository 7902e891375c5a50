//! The limit on file sizes (`ulimit -f`).

/// While this exists, a write past the limit fails with EFBIG. Otherwise the kernel kills the
/// process during the write without a message (SIGXFSZ of setrlimit(2)).
pub(super) struct SizeLimit(libc::sighandler_t);

impl SizeLimit {
    pub(super) fn as_error() -> Self {
        // SAFETY: an ignored signal runs no handler.
        Self(unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) })
    }
}

impl Drop for SizeLimit {
    fn drop(&mut self) {
        // Child processes inherit ignored signals, so the old handler is restored after the write.
        // SAFETY: restores the handler that `as_error` replaced.
        unsafe { libc::signal(libc::SIGXFSZ, self.0) };
    }
}
