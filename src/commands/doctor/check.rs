//! One thing that was looked at, and how it is shown.

use serde_json::{Value, json};

use crate::error::Error;
use crate::sys::one_line;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Ok,
    Warning,
    Failure,
}

/// One thing that was looked at.
pub(super) struct Check {
    pub(super) what: &'static str,
    pub(super) state: State,
    pub(super) text: String,
    pub(super) remedy: Option<String>,
}

impl Check {
    pub(super) fn ok(what: &'static str, text: impl Into<String>) -> Self {
        Self { what, state: State::Ok, text: text.into(), remedy: None }
    }

    pub(super) fn warning(
        what: &'static str,
        text: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { what, state: State::Warning, text: text.into(), remedy: Some(remedy.into()) }
    }

    pub(super) fn failure(
        what: &'static str,
        text: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { what, state: State::Failure, text: text.into(), remedy: Some(remedy.into()) }
    }

    pub(super) fn of_error(what: &'static str, error: &Error) -> Self {
        let remedy = Some(error.remedy_lines().join(" ")).filter(|remedy| !remedy.is_empty());
        Self { what, state: State::Failure, text: one_line(error.message()), remedy }
    }
}

fn name(state: State) -> &'static str {
    match state {
        State::Ok => "ok",
        State::Warning => "warning",
        State::Failure => "failure",
    }
}

/// The check for programs.
pub(super) fn to_value(check: &Check) -> Value {
    json!({
        "check": check.what,
        "state": name(check.state),
        "text": check.text,
        "remedy": check.remedy,
    })
}

/// The checks for people, a line or two each.
pub(super) fn page(checks: &[Check]) -> String {
    let lines = |check: &Check| {
        let mark = match check.state {
            State::Ok => "ok",
            State::Warning => "!",
            State::Failure => "WRONG",
        };
        let remedy = check.remedy.as_ref().map(|remedy| format!("{:18}{remedy}\n", ""));
        format!("{mark:<6}{:<12}{}\n{}", check.what, check.text, remedy.unwrap_or_default())
    };
    checks.iter().map(lines).collect()
}
