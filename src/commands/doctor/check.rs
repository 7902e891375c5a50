//! A check and its output.

use serde_json::{Value, json};

use crate::broker;
use crate::error::{Error, Result};
use crate::foreign::Sentence;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Ok,
    Warning,
    Failure,
}

/// The name of the check of the configuration folder.
pub(super) const FOLDER: &str = "folder";

/// The result of one check.
pub(super) struct Check {
    pub(super) what: &'static str,
    pub(super) state: State,
    pub(super) text: String,
    /// The lines of the remedy.
    remedy: Vec<String>,
    /// The command line that repairs it, if there is one.
    command: Option<String>,
}

impl Check {
    pub(super) fn ok(what: &'static str, text: impl AsRef<str>) -> Self {
        // A path may have any characters, but each check is one line.
        let text = Sentence::new(text.as_ref()).into();
        Self { what, state: State::Ok, text, remedy: Vec::new(), command: None }
    }

    pub(super) fn warning(what: &'static str, text: impl AsRef<str>) -> Self {
        Self { state: State::Warning, ..Self::ok(what, text) }
    }

    pub(super) fn failure(what: &'static str, text: impl AsRef<str>) -> Self {
        Self { state: State::Failure, ..Self::ok(what, text) }
    }

    pub(super) fn of_error(what: &'static str, error: &Error) -> Self {
        let mut remedy = error.remedy_lines().to_vec();
        // If there is another remedy, do not suggest the one that signs all accounts out.
        if remedy.len() > 1 {
            remedy.retain(|line| !line.starts_with(broker::START_AFRESH));
        }
        let command = error.curing_command().map(str::to_owned);
        Self { remedy, command, ..Self::failure(what, error.message()) }
    }

    /// Adds the account or setting that the text is about.
    pub(super) fn about(self, name: &str) -> Self {
        Self { text: format!("{name}: {}", self.text), ..self }
    }

    /// Sets the remedy.
    pub(super) fn remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: vec![remedy.into()], ..self }
    }

    /// Sets the command line that repairs it.
    pub(super) fn cured_by(self, command: impl Into<String>) -> Self {
        let command = command.into();
        Self { command: Some(command.clone()), ..self.remedy(format!("Run: {command}")) }
    }
}

fn name(state: State) -> &'static str {
    match state {
        State::Ok => "ok",
        State::Warning => "warning",
        State::Failure => "failure",
    }
}

/// The check as JSON.
pub(super) fn to_value(check: &Check) -> Value {
    json!({
        "check": check.what,
        "state": name(check.state),
        "text": check.text,
        "remedy": (!check.remedy.is_empty()).then(|| check.remedy.join(" ")),
        "command": check.command,
    })
}

/// The checks so far.
#[derive(Default)]
pub(super) struct Page {
    pub(super) checks: Vec<Check>,
}

impl Page {
    /// Adds the checks of `look`. An error becomes a failed check with the name `what`, so that the
    /// remaining checks still run.
    pub(super) fn look(&mut self, what: &'static str, look: impl FnOnce() -> Result<Vec<Check>>) {
        self.checks.extend(look().unwrap_or_else(|error| vec![Check::of_error(what, &error)]));
    }

    /// [`Page::look`] for checks of files in the folder. If the folder itself failed, their only
    /// remedy is to repair the folder: other remedies could remove valid data.
    pub(super) fn look_in_folder(
        &mut self,
        what: &'static str,
        look: impl FnOnce() -> Result<Vec<Check>>,
    ) {
        let is_flaw = |check: &Check| check.what == FOLDER && check.state == State::Failure;
        let is_sound = !self.checks.iter().any(is_flaw);
        let before = self.checks.len();
        self.look(what, look);
        for check in self.checks.iter_mut().skip(before).filter(|_| !is_sound) {
            if check.state == State::Failure {
                check.remedy = vec!["Repair the folder first.".to_owned()];
                check.command = None;
            }
        }
    }

    /// True when a check with the name `what` passed.
    pub(super) fn has(&self, what: &str) -> bool {
        self.checks.iter().any(|check| check.what == what && check.state == State::Ok)
    }
}

/// The checks as text, one line per check and per line of a remedy.
pub(super) fn shown(checks: &[Check]) -> String {
    let lines = |check: &Check| {
        let mark = match check.state {
            State::Ok => "ok",
            State::Warning => "!",
            State::Failure => "WRONG",
        };
        let first = format!("{mark:<6}{:<12}{}\n", check.what, check.text);
        // One line each, so that the user can copy a command.
        let remedies = check.remedy.iter().map(|line| format!("{:18}{line}\n", ""));
        std::iter::once(first).chain(remedies).collect::<Vec<_>>().concat()
    };
    checks.iter().map(lines).collect()
}
