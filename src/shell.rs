//! Words as the person's shell reads them back: what a message names may be anybody's text.

use crate::foreign::{is_line_end, seen};

/// `word` as one word of a command line: for `sh`, on Windows for PowerShell.
pub fn quoted(word: &str) -> String {
    if cfg!(windows) { for_powershell(word) } else { for_sh(word) }
}

/// [`quoted`], for a command that people are shown; `None` where it would not be the word that they
/// see: one with an end of a line, or with characters that are not seen.
pub(crate) fn shown(word: &str) -> Option<String> {
    let is_seen = !word.contains(is_line_end) && seen(word).eq(word.chars());
    is_seen.then(|| quoted(word))
}

fn is_plain(word: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+".contains(c);
    !word.is_empty() && word.chars().all(is_plain) && !word.starts_with(['@', '='])
}

fn for_sh(word: &str) -> String {
    if is_plain(word) {
        return word.to_owned();
    }
    // A NUL ends a word in every shell.
    format!("'{}'", word.replace('\0', "").replace('\'', r"'\''"))
}

fn for_powershell(word: &str) -> String {
    // A comma makes a list of it.
    if is_plain(word) && !word.contains(',') {
        return word.to_owned();
    }
    let mut quoted = "'".to_owned();
    for c in word.chars().filter(|c| *c != '\0') {
        quoted.push(c);
        // Typographic quotes end a text too.
        if matches!(c, '\'' | '\u{2018}'..='\u{201b}') {
            quoted.push(c);
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powershell_reads_the_word_that_was_meant() {
        for (word, quoted) in [
            ("plain", "plain"),
            ("it's", "'it''s'"),
            ("a\u{2019}; calc \u{201a}", "'a\u{2019}\u{2019}; calc \u{201a}\u{201a}'"),
            ("a,b", "'a,b'"),
            ("$(calc)", "'$(calc)'"),
        ] {
            assert_eq!(for_powershell(word), quoted);
        }
    }

    #[test]
    fn a_word_that_is_not_seen_is_in_no_command() {
        assert_eq!(shown("two words").as_deref(), Some("'two words'"));
        for word in ["a\nb", "a\u{2028}b", "a\rb", "a\u{1b}[2Jb", "a\u{202e}b", "a\u{200b}b"] {
            assert_eq!(shown(word), None, "{word:?}");
        }
    }
}
