//! Text in lines for a terminal.

/// `text` in lines of at most `width` characters, each after `indent` blanks. A longer word has a
/// line of its own.
pub(crate) fn wrapped(text: &str, indent: usize, width: usize) -> String {
    let blanks = " ".repeat(indent);
    let (mut lines, mut line) = (String::new(), blanks.clone());
    for word in text.split(' ') {
        let is_first = line.len() == indent;
        if !is_first && line.chars().count() + 1 + word.chars().count() > width {
            lines.push_str(&line);
            lines.push('\n');
            line.clone_from(&blanks);
        } else if !is_first {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push_str(&line);
    lines.push('\n');
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_before_the_margin() {
        let words = "word ".repeat(40);
        let text = wrapped(words.trim_end(), 4, 80);
        assert!(text.lines().all(|line| line.len() <= 80 && line.starts_with("    word")));
        assert_eq!(text.lines().next().map(str::len), Some(78));
        assert_eq!(text.split_whitespace().count(), 40);
        let long = "x".repeat(100);
        assert_eq!(wrapped(&format!("a {long} b"), 2, 80), format!("  a\n  {long}\n  b\n"));
    }
}
