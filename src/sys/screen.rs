//! What the terminal on standard error can show.

use crossterm::terminal;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::Env;

/// The size to assume if the terminal does not tell.
const USUAL_SIZE: (usize, usize) = (80, 24);

/// What a terminal can show, as far as the environment tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Screen {
    /// Colours and bold text are wanted.
    pub(crate) colour: bool,
    /// The terminal shows UTF-8.
    pub(crate) unicode: bool,
    /// The cursor can be moved, so that a line can be rewritten.
    pub(crate) cursor: bool,
}

impl Screen {
    /// What `env` says. `NO_COLOR` overrides `CLICOLOR_FORCE`, which overrides `CLICOLOR` and
    /// `TERM=dumb`.
    pub(crate) fn of(env: &Env) -> Self {
        let cursor = match env.non_empty("TERM") {
            Some(term) => term != "dumb",
            // Windows sets no TERM.
            None => cfg!(windows),
        };
        let is_off = |name: &str| env.get(name).as_deref() == Some("0");
        let is_forced = env.non_empty("CLICOLOR_FORCE").is_some() && !is_off("CLICOLOR_FORCE");
        Self {
            colour: env.non_empty("NO_COLOR").is_none()
                && (is_forced || (cursor && !is_off("CLICOLOR"))),
            unicode: is_unicode(env),
            cursor,
        }
    }

    /// What ends a text that was cut.
    pub(crate) fn ellipsis(self) -> &'static str {
        if self.unicode { "\u{2026}" } else { "..." }
    }

    /// What stands between two names.
    pub(crate) fn dot(self) -> &'static str {
        if self.unicode { "\u{b7}" } else { "-" }
    }

    /// Columns and rows.
    pub(crate) fn size() -> (usize, usize) {
        // A terminal that does not know its size reports 0.
        match terminal::size() {
            Ok((columns, rows)) if columns > 0 && rows > 0 => (columns.into(), rows.into()),
            _ => USUAL_SIZE,
        }
    }
}

/// The first locale that is set decides (POSIX, "Locale"). Without one UTF-8 is assumed: containers
/// set none, and their terminals show it.
fn is_unicode(env: &Env) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| env.non_empty(name));
    locale.is_none_or(|locale| {
        let locale = locale.to_lowercase();
        cfg!(windows) || locale.contains("utf-8") || locale.contains("utf8")
    })
}

/// Cuts `text` to at most `columns`; a cut text ends with `ellipsis`.
pub(crate) fn cut(text: &str, columns: usize, ellipsis: &str) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut left = columns.saturating_sub(ellipsis.width());
    let fits = |c: &char| {
        let width = c.width().unwrap_or(0);
        let fits = width <= left;
        left = left.saturating_sub(width);
        fits
    };
    text.chars().take_while(fits).chain(ellipsis.chars().take(columns)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(variables: &[(&str, &str)]) -> Screen {
        Screen::of(&Env::fixed(variables.iter().copied()))
    }

    #[test]
    fn variables_turn_colour_off_and_on() {
        for (variables, colour) in [
            (&[("TERM", "xterm")][..], true),
            (&[("TERM", "xterm"), ("NO_COLOR", "")], true),
            (&[("TERM", "xterm"), ("NO_COLOR", "1")], false),
            (&[("TERM", "xterm"), ("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], false),
            (&[("TERM", "xterm"), ("CLICOLOR", "0")], false),
            (&[("TERM", "xterm"), ("CLICOLOR", "0"), ("CLICOLOR_FORCE", "1")], true),
            (&[("TERM", "xterm"), ("CLICOLOR", "0"), ("CLICOLOR_FORCE", "0")], false),
            (&[("TERM", "xterm"), ("CLICOLOR", "1")], true),
            (&[("TERM", "dumb")], false),
            (&[("TERM", "dumb"), ("CLICOLOR_FORCE", "1")], true),
        ] {
            assert_eq!(screen(variables).colour, colour, "{variables:?}");
        }
        assert!(screen(&[("TERM", "xterm")]).cursor && !screen(&[("TERM", "dumb")]).cursor);
    }

    #[cfg(not(windows))]
    #[test]
    fn the_first_locale_that_is_set_decides_the_charset() {
        for (variables, unicode) in [
            (&[][..], true),
            (&[("LANG", "")], true),
            (&[("LANG", "C")], false),
            (&[("LANG", "C.UTF-8")], true),
            (&[("LANG", "en_US.ISO-8859-1")], false),
            (&[("LANG", "de_DE.utf8"), ("LC_CTYPE", "POSIX")], false),
            (&[("LANG", "C"), ("LC_CTYPE", "en_US.UTF-8"), ("LC_ALL", "")], true),
            (&[("LANG", "en_US.UTF-8"), ("LC_ALL", "C")], false),
        ] {
            assert_eq!(screen(variables).unicode, unicode, "{variables:?}");
        }
    }

    #[test]
    fn a_text_is_cut_to_the_columns() {
        assert_eq!(["abc", "東京"].map(|text| cut(text, 3, "")), ["abc", "東"]);
        assert_eq!(
            ["abcd", "東京"].map(|text| cut(text, 3, "\u{2026}")),
            ["ab\u{2026}", "東\u{2026}"]
        );
        assert_eq!([5, 2].map(|columns| cut("abcdef", columns, "...")), ["ab...", ".."]);
    }
}
