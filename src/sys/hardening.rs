//! Keeps other programs of the same user from reading this process's memory.

/// Disables core dumps and, on Linux, memory access and tracing by other programs of the same user
/// (`PR_SET_DUMPABLE` of prctl(2)). Other Unix systems only lose the core dump.
///
/// On Linux the setting ends when another program replaces this one. Child programs would inherit
/// `RLIMIT_CORE`, so azt uses that only on other systems.
///
/// A failure is ignored, because the program can run without the protection. Memory is not locked
/// against swapping: above the limit of most users, `mlockall(2)` makes every later allocation
/// fail.
pub fn harden() {
    #[cfg(target_os = "linux")]
    // SAFETY: PR_SET_DUMPABLE takes one integer and accesses no memory.
    unsafe {
        libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0);
    }
    #[cfg(all(unix, not(target_os = "linux")))]
    {
        let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: setrlimit(2) reads the struct, which outlives the call.
        unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const none) };
    }
}
