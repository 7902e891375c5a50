//! A progress line on the terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::{Level, System};
use crate::foreign::Sentence;

/// A spinner with a text on standard error, cleared on drop. It is hidden if standard error is not
/// a terminal, if warnings are hidden, and under `--debug`, whose lines it would interrupt.
pub(crate) struct Spinner(ProgressBar);

impl Spinner {
    /// Shows the spinner.
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

    /// Sets the text. It becomes a [`Sentence`], because it may contain a server's words.
    pub(crate) fn say(&self, text: &str) {
        self.0.set_message(String::from(Sentence::new(text)));
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
