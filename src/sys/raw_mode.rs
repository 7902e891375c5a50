//! The terminal's raw mode, in which each key arrives at once and is not shown.

use std::io;

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

/// The former mode returns on drop, and before a signal ends the process.
pub(super) struct RawMode {
    #[cfg(unix)]
    _signals: Vec<super::signal_action::SignalAction>,
}

impl RawMode {
    /// Enters raw mode. `leave` is written to standard error if a signal ends the process.
    pub(super) fn enter(leave: &'static str) -> io::Result<Self> {
        #[cfg(unix)]
        let signals = super::before_signals::restore(leave)?;
        #[cfg(not(unix))]
        let _ = leave;
        enable_raw_mode()?;
        Ok(Self {
            #[cfg(unix)]
            _signals: signals,
        })
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        // The terminal may be gone.
        let _ = disable_raw_mode();
    }
}
