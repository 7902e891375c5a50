//! What a shell's script gets: one line for each word that fits.

use serde_json::json;

use super::bash::Line;
use super::value::{Kind, Match, Value};
use crate::cli::{Expected, expected, values_of};
use crate::shell::{for_nushell, for_powershell};
use crate::sys::System;

/// The reply that has the shell complete files by itself.
const FILES: &str = ":files";

/// The words that fit, or files.
enum Fitting {
    Words(Vec<Value>),
    Files,
}

/// The reply to the script of `shell`, which passed `words`. `None` for an unknown shell.
///
/// Every script passes the words after the program without quotes, the last one up to the cursor;
/// but bash's passes the raw line and its separators.
pub(super) fn reply(system: &System, shell: &str, words: &[&str]) -> Option<String> {
    if shell == "bash" {
        let [line, breaks] = words else { return None };
        let line = Line::parse(line, breaks);
        let before = line.words.get(1..).unwrap_or_default();
        return Some(match fitting(system, before, &line.current, Match::Start) {
            Fitting::Files => format!("{FILES}\n"),
            Fitting::Words(found) => {
                let mut words: Vec<String> = found.into_iter().map(|it| it.text).collect();
                words.dedup();
                lines(line.replies(&words).into_iter())
            }
        });
    }
    let (current, before) = words.split_last()?;
    let before: Vec<String> = before.iter().map(|word| (*word).to_owned()).collect();
    let typed = match shell {
        // zsh's script has done it.
        "zsh" => Some((*current).to_owned()),
        "powershell" => Some(unquoted(current.strip_prefix(':').unwrap_or(current))),
        "fish" => of_fish(current),
        _ => Some(unquoted(current)),
    };
    let how = if shell == "fish" { Match::Anywhere } else { Match::Start };
    let found = match fitting(system, &before, typed.as_deref().unwrap_or(current), how) {
        Fitting::Words(_) if typed.is_none() => Vec::new(),
        Fitting::Words(found) => found,
        // Nushell completes files for null.
        Fitting::Files if shell == "nushell" => return Some("null\n".to_owned()),
        Fitting::Files => return Some(format!("{FILES}\n")),
    };
    let reply = match shell {
        "zsh" | "fish" => lines(found.into_iter().map(|it| match it.about.as_str() {
            "" => it.text,
            about => format!("{}\t{about}", it.text),
        })),
        "powershell" => lines(
            found
                .into_iter()
                .map(|it| format!("{}\t{}\t{}", for_powershell(&it.text), it.text, it.about)),
        ),
        "nushell" => {
            let row = |it: &Value| json!({"value": for_nushell(&it.text), "description": it.about});
            format!("{}\n", found.iter().map(row).collect::<serde_json::Value>())
        }
        _ => return None,
    };
    Some(reply)
}

/// What fits after `words` and the start `typed` of a word.
fn fitting(system: &System, words: &[String], typed: &str, how: Match) -> Fitting {
    // `--option=value`
    if typed.starts_with("--")
        && let Some((option, value)) = typed.split_once('=')
    {
        let found = match Kind::of_option(words, option) {
            Some(kind) => kind.values(system, value, how),
            None => select(&values_of(words, option).unwrap_or_default(), value, how),
        };
        let whole = |it: Value| Value { text: format!("{option}={}", it.text), about: it.about };
        return Fitting::Words(found.into_iter().map(whole).collect());
    }
    let option = words.last().filter(|word| word.starts_with('-'));
    if let Some(kind) = option.and_then(|option| Kind::of_option(words, option)) {
        return Fitting::Words(kind.values(system, typed, how));
    }
    match expected(words, typed) {
        Expected::Words(found) => Fitting::Words(select(&found, typed, how)),
        Expected::Positional => match Kind::of_argument(words) {
            Some(kind) => Fitting::Words(kind.values(system, typed, how)),
            None => Fitting::Files,
        },
        Expected::Value => Fitting::Files,
    }
}

fn select(words: &[(String, String)], typed: &str, how: Match) -> Vec<Value> {
    how.select(words.iter().map(|(word, about)| (word.as_str(), about.as_str())), typed)
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.map(|line| line + "\n").collect()
}

/// What fish makes of a word that is not ended yet; `None` if it expands a home or a variable in it,
/// because the end of a value would be expanded with it.
fn of_fish(typed: &str) -> Option<String> {
    if typed.starts_with('~') {
        return None;
    }
    let (mut text, mut quote) = (String::new(), None);
    let mut chars = typed.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None | Some('"'), '$') => return None,
            (None, '\\') => text.extend(chars.next()),
            (Some(open), '\\') => {
                let escaped = chars.next_if(|next| {
                    *next == '\\' || *next == open || (open == '"' && *next == '$')
                });
                text.push(escaped.unwrap_or('\\'));
            }
            _ => text.push(c),
        }
    }
    Some(text)
}

/// `typed` without the quotes and backslashes of a word that is not ended yet.
fn unquoted(typed: &str) -> String {
    let mut chars = typed.chars();
    let mut text = String::new();
    while let Some(c) = chars.next() {
        match c {
            '\'' | '"' => {}
            '\\' => text.extend(chars.next()),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fish_reads_quotes_by_their_kind() {
        for (typed, text) in [
            ("plain", Some("plain")),
            (r#""it's \"q"#, Some(r#"it's "q"#)),
            (r#"'a "b" \'c \\ \d"#, Some(r#"a "b" 'c \ \d"#)),
            (r#"--subscription="it's"#, Some("--subscription=it's")),
            (r"it\'s\ \~", Some("it's ~")),
            (r#""~x \$y"#, Some("~x $y")),
            ("'$x", Some("$x")),
            ("~x", None),
            ("a$x", None),
            (r#""$x"#, None),
        ] {
            assert_eq!(of_fish(typed).as_deref(), text, "{typed}");
        }
    }
}
