//! A progress line on the terminal.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use indicatif::{ProgressBar, ProgressStyle};

use super::screen::cut;
use super::{Level, Screen, System};
use crate::foreign::Sentence;

/// How long a person waits without a sign of life.
const PATIENCE: Duration = Duration::from_secs(1);

/// Columns beside the text: the mark with its space, and what the terminal echoes for Ctrl-C.
const BESIDE: usize = 5;

/// The mark where the terminal shows no UTF-8; the last one is for a finished work.
const PLAIN_MARKS: &str = "|/-\\ ";

/// A spinner with a text on standard error, cleared on drop. It is hidden if standard error is not
/// a terminal or cannot rewrite a line, if warnings are hidden, and under `--debug`, whose lines it
/// would interrupt.
pub(crate) struct Spinner<'s> {
    system: &'s System,
    bar: ProgressBar,
}

impl<'s> Spinner<'s> {
    /// Shows the spinner.
    pub(crate) fn start(system: &'s System) -> Self {
        let terminal = &system.terminal;
        let screen = terminal.screen(&system.env);
        if !terminal.stderr_is_tty()
            || !screen.cursor
            || !terminal.shows(Level::Warning)
            || terminal.shows(Level::Debug)
        {
            return Self { system, bar: ProgressBar::hidden() };
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(if screen.unicode { style } else { style.tick_chars(PLAIN_MARKS) });
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        terminal.set_spinner(Some(bar.clone()));
        Self { system, bar }
    }

    /// True if it can be seen.
    pub(super) fn is_shown(&self) -> bool {
        !self.bar.is_hidden()
    }

    /// True if `text` fits into one row.
    pub(super) fn has_room_for(text: &str) -> bool {
        text.chars().count() + BESIDE <= Screen::size().0
    }

    /// Sets the text, cut to one row. It becomes a [`Sentence`], because it may contain a server's
    /// words.
    pub(crate) fn say(&self, text: &str) {
        let (columns, _) = Screen::size();
        let text = String::from(Sentence::new(text));
        self.bar.set_message(cut(&text, columns.saturating_sub(BESIDE), ""));
    }
}

impl Drop for Spinner<'_> {
    fn drop(&mut self) {
        self.system.terminal.set_spinner(None);
        self.bar.finish_and_clear();
    }
}

/// Runs `work`. If it takes long and a person watches, a spinner shows `text` meanwhile; Ctrl-C then
/// removes it before it ends the process.
pub(crate) async fn with_spinner<T>(
    system: &System,
    text: &str,
    work: impl Future<Output = T>,
) -> T {
    if !system.is_watched() {
        return work.await;
    }
    let mut work = pin!(work);
    let patience = tokio::time::sleep(PATIENCE);
    if let Either::Left((done, _)) = select(work.as_mut(), pin!(patience)).await {
        return done;
    }
    let spinner = Spinner::start(system);
    spinner.say(text);
    #[cfg(unix)]
    {
        use rustix::process::{Signal, getpid, kill_process};
        let before = super::signal_action::SignalAction::now(libc::SIGINT);
        match select(work, pin!(tokio::signal::ctrl_c())).await {
            Either::Left((done, _)) => done,
            Either::Right((Ok(()), work)) => {
                drop((spinner, before));
                // Only a process that is gone cannot be signalled.
                let _ = kill_process(getpid(), Signal::INT);
                work.await
            }
            // No handler was installed: Ctrl-C ends the process as usual.
            Either::Right((Err(_), work)) => work.await,
        }
    }
    #[cfg(not(unix))]
    {
        work.await
    }
}
