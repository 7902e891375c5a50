//! Puts the terminal back before a signal ends the process.

use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::signal_action::SignalAction;

/// The signals that end a process and may come from outside. The terminal sends none: in raw
/// mode Ctrl-C is a key.
const SIGNALS: [libc::c_int; 4] = [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM];

/// What to put back.
struct Before {
    mode: libc::termios,
    leave: &'static str,
}

/// Read by the handler. Never freed: the handler may run in any thread at any time.
static BEFORE: AtomicPtr<Before> = AtomicPtr::new(ptr::null_mut());

/// Puts the terminal's mode of now back before a signal ends the process. The runtime's handlers
/// cannot do it: a prompt waits outside of the runtime.
pub(super) fn restore(leave: &'static str) -> io::Result<Vec<SignalAction>> {
    let mut mode = MaybeUninit::<libc::termios>::uninit();
    // SAFETY: tcgetattr(3) only writes to `mode`, which outlives the call. A result of 0 means
    // that it is initialised.
    let mode = unsafe {
        if libc::tcgetattr(libc::STDIN_FILENO, mode.as_mut_ptr()) != 0 {
            return Err(io::Error::last_os_error());
        }
        mode.assume_init()
    };
    BEFORE.store(Box::leak(Box::new(Before { mode, leave })), Ordering::Release);
    Ok(SIGNALS.into_iter().filter_map(|it| SignalAction::replace(it, put_back)).collect())
}

extern "C" fn put_back(signal: libc::c_int) {
    // SAFETY: the pointer is null or leads to what is never freed. tcsetattr, write and raise
    // may be called by a handler (POSIX, "Signal Concepts"). The action is the default again
    // (SA_RESETHAND), so the raised signal ends the process.
    unsafe {
        if let Some(Before { mode, leave }) = BEFORE.load(Ordering::Acquire).as_ref() {
            libc::write(libc::STDERR_FILENO, leave.as_ptr().cast(), leave.len());
            libc::tcsetattr(libc::STDIN_FILENO, libc::TCSANOW, ptr::from_ref(mode));
        }
        libc::raise(signal);
    }
}
