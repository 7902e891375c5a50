//! PyYAML's analysis of strings and its escapes.

/// The styles that a string allows.
pub(super) struct Analysis {
    /// It can be written without quotes.
    pub(super) plain: bool,
    /// It can be written in single quotes.
    pub(super) single_quoted: bool,
    /// It has a line break.
    pub(super) multiline: bool,
}

/// True for PyYAML's line breaks.
pub(super) fn is_break(character: char) -> bool {
    matches!(character, '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_blank(character: char) -> bool {
    is_break(character) || matches!(character, '\0' | ' ' | '\t' | '\r')
}

/// Analyses `text` in one pass.
pub(super) fn analyse(text: &str) -> Analysis {
    let mut indicator = text.starts_with("---") || text.starts_with("...");
    let (mut multiline, mut special, mut break_space, mut space_break) =
        (false, false, false, false);
    let mut previous = None;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let next_blank = characters.peek().is_none_or(|next| is_blank(*next));
        indicator |= match (previous, character) {
            (None, '?' | ':' | '-') | (Some(_), ':') => next_blank,
            (None, _) => "#,[]{}&*!|>'\"%@`".contains(character),
            (Some(previous), '#') => is_blank(previous),
            (Some(_), _) => false,
        };
        multiline |= is_break(character);
        special |= !is_ordinary(character);
        break_space |= character == ' ' && previous.is_some_and(is_break);
        space_break |= is_break(character) && previous == Some(' ');
        previous = Some(character);
    }
    let edge = |character: char| character == ' ' || is_break(character);
    let loose_edge = text.starts_with(edge) || text.ends_with(edge);
    let single_quoted = !(break_space || space_break || special);
    Analysis {
        plain: single_quoted && !loose_edge && !multiline && !indicator,
        single_quoted,
        multiline,
    }
}

fn is_ordinary(character: char) -> bool {
    matches!(character,
        '\n' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}'
        | '\u{10000}'..='\u{10fffe}')
}

/// Splits a text into runs of spaces, line breaks, single quotes and other characters.
pub(super) fn runs(text: &str) -> impl Iterator<Item = &str> {
    let kind = |character| match character {
        ' ' => 0,
        '\'' => 1,
        _ if is_break(character) => 2,
        _ => 3,
    };
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = kind(rest.chars().next()?);
        let end = rest.find(|character| kind(character) != first).unwrap_or(rest.len());
        let (run, tail) = rest.split_at(end);
        rest = tail;
        Some(run)
    })
}

/// True if a character needs no escape in double quotes.
pub(super) fn stays_in_double_quotes(character: char) -> bool {
    match character {
        '"' | '\\' | '\u{2028}' | '\u{2029}' | '\u{feff}' => false,
        ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' => true,
        _ => false,
    }
}

/// Returns the escape of a character in double quotes.
pub(super) fn escape(character: char) -> String {
    let short = match character {
        '\0' => '0',
        '\x07' => 'a',
        '\x08' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\x0b' => 'v',
        '\x0c' => 'f',
        '\r' => 'r',
        '\x1b' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        _ => {
            let code = u32::from(character);
            return match code {
                0..=0xff => format!("\\x{code:02X}"),
                0x100..=0xffff => format!("\\u{code:04X}"),
                _ => format!("\\U{code:08X}"),
            };
        }
    };
    format!("\\{short}")
}
