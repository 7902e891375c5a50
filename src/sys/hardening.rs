//! What keeps other programs of the same user out of this process's memory.
#![allow(clippy::disallowed_methods, reason = "this is the seam that the ban points to")]

/// From now on the process leaves no core dump, and no other program of its user can read its
/// memory or trace it (Linux: `PR_SET_DUMPABLE` of prctl(2); elsewhere on Unix: no core dump).
///
/// Ends with the next exec, so that a program in this one's place is as it ever was; a limit on core
/// dumps (`RLIMIT_CORE`) would be inherited, and is set only where there is nothing else. Fails
/// silently: there is no harm in going on without. Memory is not locked against swapping: over
/// the limit that most users have, `mlockall(2)` makes every later allocation fail.
pub fn harden() {
    #[cfg(target_os = "linux")]
    // SAFETY: PR_SET_DUMPABLE takes one integer and touches no memory.
    unsafe {
        libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0);
    }
    #[cfg(all(unix, not(target_os = "linux")))]
    {
        let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: setrlimit(2) reads the struct, which outlives the call.
        unsafe { libc::setrlimit(libc::RLIMIT_CORE, &none) };
    }
}
