//! Where a long line of a message breaks on a terminal.

use unicode_width::UnicodeWidthStr;

/// `text` in lines of at most `columns`, as [`broken`] makes them.
pub(crate) fn in_lines(text: &str, columns: usize) -> String {
    String::from_utf8(broken(text.to_owned(), columns)).unwrap_or_else(|_| text.to_owned())
}

/// The bytes of `text`, with a line end in place of a blank where a word would be cut at the margin.
///
/// A command stays whole: a line break in the middle would run its first half when it is pasted. It
/// stands in quotes, or after a colon to the end of the line. What is wider than the terminal starts
/// a line of its own, which the terminal cuts.
pub(super) fn broken(text: String, columns: usize) -> Vec<u8> {
    let breaks = breaks(&text, columns);
    let mut bytes = text.into_bytes();
    for at in breaks {
        if let Some(blank) = bytes.get_mut(at) {
            *blank = b'\n';
        }
    }
    bytes
}

/// The blanks of `text`, by byte, that become line ends.
fn breaks(text: &str, columns: usize) -> Vec<usize> {
    let mut breaks = Vec::new();
    let mut start = 0;
    for line in text.split('\n') {
        if line.width() > columns {
            breaks.extend(breaks_of_line(line, columns).into_iter().map(|at| start + at));
        }
        start += line.len() + 1;
    }
    breaks
}

fn breaks_of_line(line: &str, columns: usize) -> Vec<usize> {
    let (mut breaks, mut at, mut used) = (Vec::new(), 0, 0);
    while let Some(rest) = line.get(at..).filter(|rest| !rest.is_empty()) {
        let length = length_of_part(line, at);
        let width = rest.get(..length).unwrap_or(rest).width();
        if at == 0 {
            used = width;
        } else if used + 1 + width > columns && used > 0 {
            breaks.push(at - 1);
            used = width;
        } else {
            used += 1 + width;
        }
        at += length + 1;
    }
    breaks
}

/// The bytes of the word at `at`, or of the command there.
fn length_of_part(line: &str, at: usize) -> usize {
    let (before, rest) = line.split_at_checked(at).unwrap_or((line, ""));
    let is_command = ["azt ", "az ", "export ", "$env:"].iter().any(|it| rest.starts_with(it));
    // A sentence may begin with the name of the program too.
    let is_command = is_command && !rest.ends_with('.');
    if is_command && (before.trim_end().is_empty() || before.ends_with(": ")) {
        return rest.len();
    }
    let word = rest.find(' ').unwrap_or(rest.len());
    for quote in ['`', '\''] {
        let Some(inner) = rest.strip_prefix(quote) else { continue };
        if let Some(end) = inner.find(quote) {
            let after = inner.get(end..).and_then(|it| it.find(' '));
            return 1 + after.map_or(inner.len(), |after| end + after);
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, columns: usize) -> Vec<String> {
        let broken = String::from_utf8(broken(text.to_owned(), columns)).unwrap();
        assert_eq!(broken.replace('\n', " "), text.replace('\n', " "));
        broken.lines().map(str::to_owned).collect()
    }

    #[test]
    fn lines_break_between_words_and_commands_stay_whole() {
        assert_eq!(lines("short", 40), ["short"]);
        assert_eq!(
            lines("ERROR: There is no terminal to choose a subscription on.", 40),
            ["ERROR: There is no terminal to choose a", "subscription on."]
        );
        assert_eq!(
            lines("If you changed it, move the key: azt vault move --to keyring", 40),
            ["If you changed it, move the key:", "azt vault move --to keyring"]
        );
        assert_eq!(
            lines("Please run 'azt login --tenant T' to set an account up.", 24),
            ["Please run", "'azt login --tenant T'", "to set an account up."]
        );
        let long = "azt account get-access-token --resource https://a.example";
        assert_eq!(lines(long, 30), [long]);
        assert_eq!(
            lines("ERROR: azt ci: 'gitub' is not a value. One of a, b.", 30),
            ["ERROR: azt ci: 'gitub' is not", "a value. One of a, b."]
        );
        let url = "https://login.example/a-very-long-path";
        assert_eq!(lines(&format!("Open {url} now"), 20), ["Open", url, "now"]);
        assert_eq!(
            lines("Straße – 日本語 日本語 日本語", 14),
            ["Straße –", "日本語 日本語", "日本語"]
        );
        assert_eq!(
            lines("one two three\nfour five six", 9),
            ["one two", "three", "four five", "six"]
        );
        assert_eq!(lines("the users' rights and", 10), ["the users'", "rights and"]);
    }
}
