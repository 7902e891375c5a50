//! A line on a terminal that says what is going on, and goes when that is over.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::{Level, System};
use crate::foreign::Sentence;

/// A spinner with a text on standard error; nothing at all where that is no terminal, where
/// warnings are hidden, and under `--debug`, whose lines it would cut in two.
pub(crate) struct Spinner(ProgressBar);

impl Spinner {
    /// Starts it.
    pub(crate) fn start(system: &System) -> Self {
        let terminal = &system.terminal;
        if !terminal.stderr_is_tty()
            || !terminal.shows(Level::Warning)
            || terminal.shows(Level::Debug)
        {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    /// Changes the text. A server's words may be in it: they are cleaned into a [`Sentence`].
    pub(crate) fn say(&self, text: &str) {
        self.0.set_message(String::from(Sentence::new(text)));
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
