//! The checks together, and their output.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::check::{Check, State, Topic};
use super::fix::Fix;
use crate::error::{Error, Result};
use crate::sys::{PLAIN, in_lines};

/// The checks so far.
#[derive(Default)]
pub(super) struct Page {
    pub(super) checks: Vec<Check>,
}

impl Page {
    /// Adds the checks of `look`. An error becomes a failed check on `topic`, so that the
    /// remaining checks still run.
    pub(super) fn look(&mut self, topic: Topic, look: impl FnOnce() -> Result<Vec<Check>>) {
        self.checks.extend(look().unwrap_or_else(|error| vec![Check::of_error(topic, &error)]));
    }

    /// [`Page::look`] for checks of files in the folder. If the folder itself failed, their only
    /// remedy is to repair the folder: other remedies could remove valid data.
    pub(super) fn look_in_folder(
        &mut self,
        topic: Topic,
        look: impl FnOnce() -> Result<Vec<Check>>,
    ) {
        let is_flaw = |check: &Check| check.topic == Topic::Folder && check.state == State::Failure;
        let is_sound = !self.checks.iter().any(is_flaw);
        let before = self.checks.len();
        self.look(topic, look);
        for check in self.checks.iter_mut().skip(before).filter(|_| !is_sound) {
            if check.state == State::Failure {
                check.wait_for("Repair the folder first.");
            }
        }
    }

    /// True when a check on `topic` passed.
    pub(super) fn has(&self, topic: Topic) -> bool {
        self.checks.iter().any(|check| check.topic == topic && check.state == State::Ok)
    }

    /// The repairs of the checks, each once.
    pub(super) fn into_fixes(self) -> Vec<Fix> {
        let mut fixes: Vec<Fix> = Vec::new();
        for fix in self.checks.into_iter().filter_map(|check| check.fix) {
            if !fixes.iter().any(|it| it.is_same(&fix)) {
                fixes.push(fix);
            }
        }
        fixes
    }

    /// The number of checks that `--fix` repairs.
    pub(super) fn fixable(&self) -> usize {
        self.checks.iter().filter(|check| check.fix.is_some()).count()
    }

    /// Fails if a check failed.
    pub(super) fn outcome(&self) -> Result<()> {
        match self.checks.iter().filter(|check| check.state == State::Failure).count() {
            0 => Ok(()),
            1 => Err(Error::failed("One thing is wrong: see above.")),
            more => Err(Error::failed(format!("{more} things are wrong: see above."))),
        }
    }

    /// The checks as text. Sentences break between words; a command can be copied.
    pub(super) fn text(&self, look: Look) -> String {
        let mut text = String::new();
        for check in &self.checks {
            let (mark, style) = look.mark(check.state);
            // No width for styles: escape sequences take no columns.
            let gap = look.mark_columns().saturating_sub(mark.chars().count());
            let indent = look.mark_columns() + 12;
            let topic = check.topic.name();
            let said = look.indented(&plain(&check.text), indent);
            let _ = writeln!(text, "{style}{mark}{style:#}{:gap$}{topic:<12}{said}", "");
            for line in &check.remedy {
                let line = plain(line);
                // What is to be copied stands out.
                let command = check.commands().find_map(|it| line.strip_suffix(it));
                let (before, command) = line.split_at(command.map_or(line.len(), str::len));
                let before = look.indented(before, indent);
                let bold = look.style(Style::new().bold());
                let _ = writeln!(text, "{:indent$}{before}{bold}{command}{bold:#}", "");
            }
        }
        text
    }
}

/// How the checks look.
#[derive(Clone, Copy)]
pub(super) struct Look {
    pub(super) colour: bool,
    /// Marks instead of words.
    pub(super) marks: bool,
    /// Those of the terminal; more than any line has where there is none.
    pub(super) columns: usize,
}

/// Least columns for sentences.
const LEAST: usize = 20;

impl Look {
    /// The mark of `state`, and its style.
    pub(super) fn mark(self, state: State) -> (&'static str, Style) {
        let (mark, word, colour) = match state {
            State::Ok => ("✓", "ok", AnsiColor::Green),
            State::Warning => ("!", "!", AnsiColor::Yellow),
            State::Failure => ("✗", "WRONG", AnsiColor::Red),
        };
        let style = self.style(Style::new().fg_color(Some(colour.into())).bold());
        (if self.marks { mark } else { word }, style)
    }

    /// The columns of the marks, with the space after them.
    fn mark_columns(self) -> usize {
        if self.marks { 2 } else { 6 }
    }

    /// `text` in lines, all after `indent` blanks but the first.
    fn indented(self, text: &str, indent: usize) -> String {
        let columns = usize::max(self.columns.saturating_sub(indent), LEAST);
        let next = format!("\n{:indent$}", "");
        in_lines(text, columns).replace('\n', &next)
    }

    fn style(self, style: Style) -> Style {
        if self.colour { style } else { PLAIN }
    }
}

/// `text` without escape characters: only those of the styles are meant.
fn plain(text: &str) -> String {
    text.replace('\x1b', "")
}
