//! Keeps pipelines from finding commands in azt's output. Azure Pipelines' agent executes `##vso[`
//! anywhere in a line; GitHub's runner executes `##[` anywhere and `::` at the start of a line,
//! after optional white space.
//!
//! Without this, the name of a subscription or a server's message could be such a command.
#![allow(clippy::disallowed_methods, reason = "this module wraps the banned functions")]

use std::iter::Peekable;
use std::str::Chars;

use zeroize::Zeroizing;

use crate::foreign::{is_hidden, is_line_end};

/// The variables that the services set in their jobs.
const SERVICES: [&str; 2] = ["TF_BUILD", "GITHUB_ACTIONS"];

/// True in a job of a service that searches its output for commands.
pub(super) fn are_read() -> bool {
    SERVICES.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Inserts spaces so that no two `#` are adjacent and no line begins with `::`.
pub(super) fn broken(text: &str) -> Zeroizing<String> {
    Finder::new(text).written(|found, text| match found {
        Found::Pair => text.push_str(" #"),
        Found::Start => text.push_str(": "),
        Found::LineEnd(end) => text.push(end),
    })
}

/// Like [`broken`] for JSON, which may have colours around its tokens. Uses JSON escapes in place
/// of spaces, so the value stays the same.
pub(super) fn escaped(text: &str) -> Zeroizing<String> {
    Finder::new(text).written(|found, text| match found {
        Found::Pair => text.push_str("\\u0023"),
        Found::Start => text.push_str("\\u003a"),
        // In JSON, these occur only inside strings.
        Found::LineEnd('\u{85}') => text.push_str("\\u0085"),
        Found::LineEnd('\u{2028}') => text.push_str("\\u2028"),
        Found::LineEnd('\u{2029}') => text.push_str("\\u2029"),
        Found::LineEnd(end) => text.push(end),
    })
}

/// Characters that need a replacement.
enum Found {
    /// The second of two `#`.
    Pair,
    /// The first `:` of a line's `::`.
    Start,
    LineEnd(char),
}

struct Finder<'t> {
    rest: Peekable<Chars<'t>>,
    length: usize,
    /// The last visible character.
    before: char,
    /// True if the line has only white space so far.
    is_at_start: bool,
}

impl<'t> Finder<'t> {
    fn new(text: &'t str) -> Self {
        Self { rest: text.chars().peekable(), length: text.len(), before: '\n', is_at_start: true }
    }

    fn written(mut self, mut instead: impl FnMut(Found, &mut String)) -> Zeroizing<String> {
        // Allocated once: a growing string would leave copies, and the text may hold a token. A
        // byte becomes at most six.
        let mut text = Zeroizing::new(String::with_capacity(self.length * 6));
        while let Some(c) = self.rest.next() {
            match c {
                '#' if self.before == '#' => instead(Found::Pair, &mut text),
                ':' if self.is_at_start && self.rest.peek() == Some(&':') => {
                    instead(Found::Start, &mut text);
                }
                c if is_line_end(c) => instead(Found::LineEnd(c), &mut text),
                c => text.push(c),
            }
            if is_hidden(c) {
                continue;
            }
            self.is_at_start = is_line_end(c) || (self.is_at_start && c.is_whitespace());
            self.before = c;
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn commands_are_broken_up() {
        for (text, expected) in [
            ("##vso[task.setvariable variable=x]y", "# #vso[task.setvariable variable=x]y"),
            ("a ##[error]b ###### c#d", "a # #[error]b # # # # # # c#d"),
            ("::set-output name=x::y", ": :set-output name=x::y"),
            (
                "a::b\n \t\u{a0}::c\r::d\u{b}::e\u{85}::f\u{2028}:::g",
                "a::b\n \t\u{a0}: :c\r: :d\u{b}: :e\u{85}: :f\u{2028}: ::g",
            ),
            (
                "\u{feff}::a\n\u{200b}\u{1b}::b #\u{200b}#[c]",
                "\u{feff}: :a\n\u{200b}\u{1b}: :b #\u{200b} #[c]",
            ),
            ("Waiting: one # two", "Waiting: one # two"),
        ] {
            assert_eq!(*broken(text), expected, "{text:?}");
        }
    }

    #[test]
    fn escaped_json_has_the_same_value() {
        let hostile = "##vso[x] ##[y]\n::z\u{2028}::a\u{85} ::b ####";
        let value = json!({ hostile: [hostile, "::c"], "d": "é" });
        let text = escaped(&value.to_string());
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        assert!(!text.contains("##") && !text.contains(['\u{2028}', '\u{85}']), "{}", *text);
    }
}
