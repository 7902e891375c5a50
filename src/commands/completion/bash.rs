//! bash's line before the cursor, and its replies.
//!
//! bash gives completions no help with quotes: it hands over the raw line, and puts a reply into
//! the line as it is. A name that is not quoted would be run as code.

/// A line up to the cursor.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// The words before the last one, without quotes; the first is the program.
    pub(super) words: Vec<String>,
    /// The word at the cursor, without quotes.
    pub(super) current: String,
    /// How many characters of `current` bash keeps; a reply replaces the others.
    kept: usize,
    quote: Option<Quote>,
}

/// An open quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quote {
    Single,
    Double,
}

impl Line {
    /// Splits `line`. `breaks` is bash's `COMP_WORDBREAKS`: what a reply replaces begins after the
    /// last of these, or after an open quote.
    pub(super) fn parse(line: &str, breaks: &str) -> Self {
        let mut it = Self::default();
        let (mut after_break, mut after_quote) = (0, 0);
        let mut is_in_word = false;
        let mut chars = line.chars().peekable();
        while let Some(c) = chars.next() {
            if it.quote.is_none() && matches!(c, ' ' | '\t' | '\n') {
                if is_in_word {
                    it.words.push(std::mem::take(&mut it.current));
                }
                (after_break, is_in_word) = (0, false);
                continue;
            }
            is_in_word = true;
            let read = it.current.chars().count();
            match (it.quote, c) {
                (None, '\'') => (it.quote, after_quote) = (Some(Quote::Single), read),
                (None, '"') => (it.quote, after_quote) = (Some(Quote::Double), read),
                (Some(Quote::Single), '\'') | (Some(Quote::Double), '"') => it.quote = None,
                (None, '\\') => it.current.extend(chars.next()),
                (Some(Quote::Double), '\\') => {
                    let escaped = chars.next_if(|next| matches!(next, '$' | '`' | '"' | '\\'));
                    it.current.push(escaped.unwrap_or('\\'));
                }
                _ => {
                    it.current.push(c);
                    if it.quote.is_none() && breaks.contains(c) {
                        after_break = read + 1;
                    }
                }
            }
        }
        it.kept = if it.quote.is_some() { after_quote } else { after_break };
        it
    }

    /// The replies that complete the current word to each of `words`.
    pub(super) fn replies(&self, words: &[String]) -> Vec<String> {
        let rests: Vec<Vec<char>> =
            words.iter().map(|word| word.chars().skip(self.kept).collect()).collect();
        let fork = self.fork(&rests);
        let mut replies = Vec::new();
        for (at, rest) in rests.iter().enumerate() {
            let mut reply = String::new();
            for (index, c) in rest.iter().enumerate() {
                if fork == Some((at, index)) {
                    reply.push_str(&self.apart(*c));
                } else {
                    reply.push_str(&self.quoted(*c));
                }
            }
            replies.push(reply);
        }
        replies
    }

    /// bash inserts what all replies start with. Where they part, two may go on with a backslash,
    /// which bash would insert alone. Returns the reply and the character to quote differently.
    fn fork(&self, rests: &[Vec<char>]) -> Option<(usize, usize)> {
        let first = rests.first().filter(|_| rests.len() > 1)?;
        let is_common = |index: &usize| {
            let c = first.get(*index);
            c.is_some() && rests.iter().all(|rest| rest.get(*index) == c)
        };
        let at = (0..first.len()).take_while(is_common).count();
        let has_backslash =
            |rest: &Vec<char>| rest.get(at).is_some_and(|c| self.quoted(*c).starts_with('\\'));
        let other = rests.iter().position(|rest| rest.get(at) != Some(&'\''))?;
        rests.iter().all(has_backslash).then_some((other, at))
    }

    fn quoted(&self, c: char) -> String {
        let is_plain = c.is_ascii_alphanumeric() || !c.is_ascii() || "-_./+%=:@".contains(c);
        match (self.quote, c) {
            (None, c) if !is_plain => format!("\\{c}"),
            (Some(Quote::Single), '\'') => r"'\''".to_owned(),
            (Some(Quote::Double), '$' | '`' | '"' | '\\') => format!("\\{c}"),
            // Within double quotes it names a command of the history, and a backslash would stay.
            (Some(Quote::Double), '!') => r#""\!""#.to_owned(),
            (_, c) => c.to_string(),
        }
    }

    /// [`Line::quoted`] without a backslash, for any character but `'`.
    fn apart(&self, c: char) -> String {
        match self.quote {
            Some(Quote::Double) => format!("\"'{c}'\""),
            _ => format!("'{c}'"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BREAKS: &str = " \t\n\"'@><=;|&(:";

    fn line(text: &str) -> Line {
        Line::parse(text, BREAKS)
    }

    #[test]
    fn lines_are_split_as_bash_splits_them() {
        for (text, words, current, kept) in [
            ("azt ", vec!["azt"], "", 0),
            ("azt acc", vec!["azt"], "acc", 0),
            (r"azt -s Prod\ W", vec!["azt", "-s"], "Prod W", 0),
            (r#"azt -s "Prod W"#, vec!["azt", "-s"], "Prod W", 0),
            ("azt -s 'Prod W", vec!["azt", "-s"], "Prod W", 0),
            (r#"azt -s 'a b' "c\"d\e" x"#, vec!["azt", "-s", "a b", r#"c"d\e"#], "x", 0),
            ("azt -s '' x", vec!["azt", "-s", ""], "x", 0),
            (r#"azt -s ab"c:d"#, vec!["azt", "-s"], "abc:d", 2),
            ("azt --subscription=Pro", vec!["azt"], "--subscription=Pro", 15),
            ("azt -u al@con", vec!["azt", "-u"], "al@con", 3),
            (r"azt -u al\@con", vec!["azt", "-u"], "al@con", 0),
            ("azt -s a\"b\"c", vec!["azt", "-s"], "abc", 0),
            (r"azt -s \", vec!["azt", "-s"], "", 0),
            ("", vec![], "", 0),
        ] {
            let it = line(text);
            assert_eq!(
                (it.words, &*it.current, it.kept),
                (words.into_iter().map(str::to_owned).collect(), current, kept),
                "{text}"
            );
        }
    }

    #[test]
    fn replies_are_quoted_as_the_word_is() {
        let name = "a$(x)`y`\"z'!\\ é";
        for (text, reply) in [
            ("azt -s ", r#"a\$\(x\)\`y\`\"z\'\!\\\ é"#),
            ("azt -s '", r#"a$(x)`y`"z'\''!\ é"#),
            ("azt -s \"", r#"a\$(x)\`y\`\"z'"\!"\\ é"#),
            ("azt -s a\"", r#"\$(x)\`y\`\"z'"\!"\\ é"#),
        ] {
            assert_eq!(line(text).replies(&[name.to_owned()]), [reply], "{text}");
        }
        let reply = line("azt --subscription=a").replies(&["--subscription=a b".to_owned()]);
        assert_eq!(reply, [r"a\ b"]);
    }

    #[test]
    fn what_replies_have_in_common_ends_with_no_backslash() {
        let replies = |text: &str, words: [&str; 2]| line(text).replies(&words.map(str::to_owned));
        assert_eq!(replies("azt -s ", ["Prod A", "Prod$B"]), ["Prod' 'A", r"Prod\$B"]);
        assert_eq!(replies("azt -s ", ["Prod'A", "Prod$B"]), [r"Prod\'A", "Prod'$'B"]);
        assert_eq!(replies("azt -s \"", ["P`A", "P$B"]), ["P\"'`'\"A", r"P\$B"]);
        assert_eq!(replies("azt -s ", ["Prod A", "Prod"]), [r"Prod\ A", "Prod"]);
        assert_eq!(replies("azt -s ", ["Prod A", "Prod B"]), [r"Prod\ A", r"Prod\ B"]);
    }
}
