//! A setting: its name, its values, its meaning.

use crate::error::{Error, Result};
use crate::foreign::Typed;
use crate::near::nearest;

/// Values that mean true, in lower case (az 2.91).
const TRUE: [&str; 4] = ["1", "yes", "true", "on"];
/// Values that mean false, in lower case.
const FALSE: [&str; 4] = ["0", "no", "false", "off"];

/// A setting that azt reads. Each is a row of [`super::known`], so that no code reads a setting
/// that help, docs and checks do not know.
#[derive(Debug)]
pub(crate) struct Setting {
    /// The section of the file. Its letter case counts.
    pub(crate) section: &'static str,
    /// The option's name, lower-case.
    pub(crate) name: &'static str,
    /// Its values, with the default.
    pub(crate) values: Values,
    /// What it does, as one sentence. Code is in backticks.
    pub(crate) about: &'static str,
    /// The option of a command line that overrides it for one call.
    pub(crate) option: Option<&'static str>,
    /// True if az 2.91 reads it too.
    pub(crate) az_reads: bool,
}

/// The values of a setting.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Values {
    /// On or off, in az's words for them; the default.
    Switch(bool),
    /// Whole seconds; the default.
    Seconds(u32),
    /// One of these words, in any letter case; the first is the default.
    OneOf(&'static [&'static str]),
    /// Any text.
    Text {
        /// What the text is.
        what: &'static str,
        /// The default.
        default: &'static str,
    },
}

impl Setting {
    /// `section.name`.
    pub(crate) fn key(&self) -> String {
        [self.section, ".", self.name].concat()
    }

    /// The environment variable that overrides it.
    pub(crate) fn variable(&self) -> String {
        variable(self.section, self.name)
    }

    /// The default, as it would be written.
    pub(crate) fn default(&self) -> String {
        match self.values {
            Values::Switch(default) => (if default { "on" } else { "off" }).to_owned(),
            Values::Seconds(default) => default.to_string(),
            Values::OneOf(words) => words.first().copied().unwrap_or_default().to_owned(),
            Values::Text { default, .. } => default.to_owned(),
        }
    }

    /// Its values, if they are a list.
    pub(crate) fn words(&self) -> Vec<&'static str> {
        match self.values {
            Values::Switch(_) => vec!["on", "off"],
            Values::OneOf(words) => words.to_vec(),
            Values::Seconds(_) | Values::Text { .. } => Vec::new(),
        }
    }

    /// What it does, and the option that overrides it.
    pub(crate) fn meaning(&self) -> String {
        match self.option {
            Some(option) => format!("{} `{option}` overrides it.", self.about),
            None => self.about.to_owned(),
        }
    }

    /// Fails if `value` is none of its values. `place` says where the value is written.
    pub(crate) fn check(&self, value: &str, place: impl FnOnce() -> String) -> Result<()> {
        let (flaw, hint) = match self.values {
            Values::Switch(_) if on_or_off(value).is_none() => (
                "neither on nor off".to_owned(),
                Some(format!("Use one of {} or {}.", TRUE.join(", "), FALSE.join(", "))),
            ),
            Values::Seconds(default) if seconds(value).is_none() => (
                "not a number of seconds".to_owned(),
                Some(format!("Use a whole number, such as {default}.")),
            ),
            Values::OneOf(words) if one_of(words, value).is_none() => {
                let guess = nearest(value, words.iter().copied());
                let hint = guess.map(|guess| format!("Did you mean '{guess}'?"));
                (format!("none of {}", words.join(", ")), hint)
            }
            _ => return Ok(()),
        };
        let text = format!("{} is '{}', which is {flaw}.", place(), Typed(value));
        Err(hint.into_iter().fold(Error::failed(text), Error::remedy))
    }
}

/// The environment variable that overrides a setting.
pub(super) fn variable(section: &str, option: &str) -> String {
    ["AZURE_", section, "_", option].concat().to_uppercase()
}

pub(super) fn on_or_off(value: &str) -> Option<bool> {
    let lower = value.to_lowercase();
    let is_one = |words: [&str; 4]| words.contains(&lower.as_str());
    is_one(TRUE).then_some(true).or_else(|| is_one(FALSE).then_some(false))
}

pub(super) fn seconds(value: &str) -> Option<u32> {
    value.trim().parse().ok()
}

pub(super) fn one_of(words: &'static [&'static str], value: &str) -> Option<&'static str> {
    words.iter().copied().find(|word| word.eq_ignore_ascii_case(value))
}
