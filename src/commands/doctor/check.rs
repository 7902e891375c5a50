//! A check and its output.

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::foreign::Sentence;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Ok,
    Warning,
    Failure,
}

/// What a check looks at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    Account,
    Accounts,
    Authorities,
    Az,
    Clock,
    FileSystem,
    Folder,
    Keyring,
    Network,
    Path,
    PlainText,
    Proxy,
    Selection,
    Settings,
    SignIn,
    Vault,
}

impl Topic {
    fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Accounts => "accounts",
            Self::Authorities => "authorities",
            Self::Az => "az",
            Self::Clock => "clock",
            Self::FileSystem => "file system",
            Self::Folder => "folder",
            Self::Keyring => "keyring",
            Self::Network => "network",
            Self::Path => "PATH",
            Self::PlainText => "plain text",
            Self::Proxy => "proxy",
            Self::Selection => "selection",
            Self::Settings => "settings",
            Self::SignIn => "sign-in",
            Self::Vault => "vault",
        }
    }
}

/// The result of one check.
pub(super) struct Check {
    pub(super) topic: Topic,
    pub(super) state: State,
    pub(super) text: String,
    /// The lines of the remedy.
    remedy: Vec<String>,
    /// The command line that repairs it, if there is one.
    command: Option<String>,
}

impl Check {
    pub(super) fn ok(topic: Topic, text: impl AsRef<str>) -> Self {
        // A path may have any characters, but each check is one line.
        let text = Sentence::new(text.as_ref()).into();
        Self { topic, state: State::Ok, text, remedy: Vec::new(), command: None }
    }

    pub(super) fn warning(topic: Topic, text: impl AsRef<str>) -> Self {
        Self { state: State::Warning, ..Self::ok(topic, text) }
    }

    pub(super) fn failure(topic: Topic, text: impl AsRef<str>) -> Self {
        Self { state: State::Failure, ..Self::ok(topic, text) }
    }

    pub(super) fn of_error(topic: Topic, error: &Error) -> Self {
        let mut remedy = error.remedy_lines().to_vec();
        // If there is another remedy, do not suggest the one that signs all accounts out.
        if remedy.len() > 1 {
            remedy.retain(|line| !error.is_last_resort(line));
        }
        let command = error.curing_command().map(str::to_owned);
        Self { remedy, command, ..Self::failure(topic, error.message()) }
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
        "check": check.topic.name(),
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
                check.remedy = vec!["Repair the folder first.".to_owned()];
                check.command = None;
            }
        }
    }

    /// True when a check on `topic` passed.
    pub(super) fn has(&self, topic: Topic) -> bool {
        self.checks.iter().any(|check| check.topic == topic && check.state == State::Ok)
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
        let first = format!("{mark:<6}{:<12}{}\n", check.topic.name(), check.text);
        // One line each, so that the user can copy a command.
        let remedies = check.remedy.iter().map(|line| format!("{:18}{line}\n", ""));
        std::iter::once(first).chain(remedies).collect::<Vec<_>>().concat()
    };
    checks.iter().map(lines).collect()
}
