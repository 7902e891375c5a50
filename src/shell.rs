//! Words as the person's shell reads them back: what a message names may be anybody's text.

/// `word` as one word of a command line: for `sh`, on Windows for PowerShell.
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) && !word.starts_with('@') {
        return word.to_owned();
    }
    let inner = if cfg!(windows) { "''" } else { r"'\''" };
    // A NUL ends a word in every shell.
    format!("'{}'", word.replace('\0', "").replace('\'', inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_shell_reads_the_word_that_was_meant() {
        for word in
            ["plain", "", "two words", "it's", "$(id)", "`id`", "a;b", "-x\ny", "é", "~", "#"]
        {
            #[allow(clippy::disallowed_methods, reason = "the shell itself says what it reads")]
            let read = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {}", quoted(word))])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(read.stdout).unwrap(), word, "{}", quoted(word));
        }
    }
}
