//! A check.

use serde_json::{Value, json};

use super::fix::Fix;
use crate::error::Error;
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
    pub(super) fn name(self) -> &'static str {
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
    /// The lines of the remedy. A line has at most one command, at its end.
    pub(super) remedy: Vec<String>,
    /// The command line that repairs it, if there is one.
    command: Option<String>,
    /// What `--fix` does about it.
    pub(super) fix: Option<Fix>,
}

impl Check {
    pub(super) fn ok(topic: Topic, text: impl AsRef<str>) -> Self {
        // A path may have any characters, but each check is one line.
        let text = Sentence::new(text.as_ref()).into();
        Self { topic, state: State::Ok, text, remedy: Vec::new(), command: None, fix: None }
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

    /// Sets several lines of remedy.
    pub(super) fn remedies(self, lines: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { remedy: lines.into_iter().map(Into::into).collect(), ..self }
    }

    /// Sets what `--fix` does about it.
    pub(super) fn fixed_by(self, fix: impl Into<Option<Fix>>) -> Self {
        Self { fix: fix.into(), ..self }
    }

    /// Replaces the remedy, because something else comes first.
    pub(super) fn wait_for(&mut self, what: &str) {
        self.remedy = vec![what.to_owned()];
        self.command = None;
        self.fix = None;
    }

    /// The command lines at the ends of the remedy's lines.
    pub(super) fn commands(&self) -> impl Iterator<Item = &str> {
        let own = self.command.as_deref();
        own.into_iter().chain(
            self.remedy
                .iter()
                .filter_map(|line| line.split_once("un: ").map(|(_, command)| command)),
        )
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
        "remedies": check.remedy,
        "command": check.command,
        "fix": check.fix.as_ref().map(|fix| fix.lines().join("; ")),
    })
}
