//! Quotes words for the user's shell. A word in a suggested command may come from an attacker.

use crate::foreign::{is_line_end, visible};

/// Quotes `word` as one word of a command line, for PowerShell on Windows and for `sh` elsewhere.
pub fn quoted(word: &str) -> String {
    if cfg!(windows) { for_powershell(word) } else { for_sh(word) }
}

/// Like [`quoted`], for a command that the user is shown. `None` if the word has line ends or
/// invisible characters, because a command copied from the screen would differ.
pub(crate) fn shown(word: &str) -> Option<String> {
    let is_visible = !word.contains(is_line_end) && visible(word).eq(word.chars());
    is_visible.then(|| quoted(word))
}

fn is_plain(word: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+".contains(c);
    !word.is_empty() && word.chars().all(is_plain) && !word.starts_with(['@', '='])
}

/// Quotes `word` for `sh`.
pub(crate) fn for_sh(word: &str) -> String {
    if is_plain(word) {
        return word.to_owned();
    }
    // An argument cannot contain NUL.
    format!("'{}'", word.replace('\0', "").replace('\'', r"'\''"))
}

/// Quotes `word` for fish, where a backslash escapes within quotes.
pub(crate) fn for_fish(word: &str) -> String {
    if is_plain(word) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\0', "").replace('\\', r"\\").replace('\'', r"\'"))
}

/// Quotes `word` for Nushell.
pub(crate) fn for_nushell(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./@=:".contains(c);
    if word.chars().all(is_plain) && word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '-')
    {
        return word.to_owned();
    }
    format!("\"{}\"", word.replace('\\', r"\\").replace('"', r#"\""#))
}

/// Quotes `word` for PowerShell.
pub(crate) fn for_powershell(word: &str) -> String {
    // PowerShell reads a word that contains a comma as a list.
    if is_plain(word) && !word.contains(',') {
        return word.to_owned();
    }
    let mut quoted = "'".to_owned();
    for c in word.chars().filter(|c| *c != '\0') {
        quoted.push(c);
        // PowerShell accepts typographic quotes as the end of a string too.
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
    fn powershell_words_are_quoted() {
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
    fn nushell_words_are_quoted() {
        for (word, quoted) in [
            ("plain-1", "plain-1"),
            ("--output", "--output"),
            ("--output=x", "--output=x"),
            ("50000000", r#""50000000""#),
            (r#"a "b" $c \d"#, r#""a \"b\" $c \\d""#),
            ("", r#""""#),
        ] {
            assert_eq!(for_nushell(word), quoted);
        }
    }

    #[test]
    fn words_with_invisible_characters_are_not_shown() {
        assert_eq!(shown("two words").as_deref(), Some("'two words'"));
        for word in ["a\nb", "a\u{2028}b", "a\rb", "a\u{1b}[2Jb", "a\u{202e}b", "a\u{200b}b"] {
            assert_eq!(shown(word), None, "{word:?}");
        }
    }
}
