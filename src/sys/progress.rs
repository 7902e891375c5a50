//! How far a long search has come, on a terminal.

use std::cell::Cell;

use super::{Level, System};

/// A line on standard error that counts, and goes when it is dropped. Nothing at all where standard
/// error is no terminal or warnings are hidden.
pub struct Progress<'a> {
    system: &'a System,
    done: Cell<usize>,
    all: usize,
}

impl<'a> Progress<'a> {
    /// Starts counting to `all` tenants.
    pub fn of(system: &'a System, all: usize) -> Self {
        let progress = Self { system, done: Cell::new(0), all };
        progress.show();
        progress
    }

    /// One more is done.
    pub fn advance(&self) {
        self.done.set(self.done.get() + 1);
        self.show();
    }

    fn show(&self) {
        if self.system.terminal.shows(Level::Warning) {
            let text =
                format!("Looking for subscriptions: {} of {} tenants", self.done.get(), self.all);
            self.system.terminal.status(&text);
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.system.terminal.status("");
    }
}
