//! The limit on the size of files (`ulimit -f`).

/// While one lives, a write past the limit fails as one to a full disk does (EFBIG). Else the kernel
/// ends the process in the middle of it (SIGXFSZ of setrlimit(2)), and nobody learns why.
pub(super) struct SizeLimit(libc::sighandler_t);

impl SizeLimit {
    pub(super) fn as_error() -> Self {
        // SAFETY: ignoring a signal runs no code of ours.
        Self(unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) })
    }
}

impl Drop for SizeLimit {
    fn drop(&mut self) {
        // What this process starts inherits what is ignored, so it ends with the write.
        // SAFETY: puts back what was there before, which is the process's own.
        unsafe { libc::signal(libc::SIGXFSZ, self.0) };
    }
}
