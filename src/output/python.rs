//! Python's text forms: `str()`, `repr()`, floats, white space and line ends.

use std::rc::Rc;

use super::datum::{Datum, Text};
use super::sink::Sink;

/// `str(value)`. A string is returned unchanged.
pub(super) fn text<'a>(value: &Datum<'a>) -> Text<'a> {
    if let Datum::Text(text) = value {
        return text.clone();
    }
    let mut sink = Sink::default();
    repr(value, &mut sink);
    Text::Made(Rc::new(sink.finish()))
}

/// `repr(value)`. An OrderedDict is a list of pairs, as in Python up to 3.11.
pub(super) fn repr(value: &Datum<'_>, sink: &mut Sink) {
    match value {
        Datum::Null => sink.push_str("None"),
        Datum::Bool(true) => sink.push_str("True"),
        Datum::Bool(false) => sink.push_str("False"),
        Datum::Int(int) => sink.push_str(&int.to_string()),
        Datum::Float(float) => sink.push_str(&self::float(*float)),
        Datum::Text(text) => repr_str(text, sink),
        Datum::List(list) => {
            sink.push('[');
            for (index, item) in list.iter().enumerate() {
                sink.push_str(if index == 0 { "" } else { ", " });
                repr(&item, sink);
            }
            sink.push(']');
        }
        Datum::Dict(dict) => {
            let ordered = dict.is_ordered();
            let entries = dict.entries();
            let (open, before, between, after, close) = match (ordered, entries.is_empty()) {
                (true, true) => ("OrderedDict(", "", "", "", ")"),
                (true, false) => ("OrderedDict([", "(", ", ", ")", "])"),
                (false, _) => ("{", "", ": ", "", "}"),
            };
            sink.push_str(open);
            for (index, (key, value)) in entries.iter().enumerate() {
                sink.push_str(if index == 0 { "" } else { ", " });
                sink.push_str(before);
                repr_str(key, sink);
                sink.push_str(between);
                repr(value, sink);
                sink.push_str(after);
            }
            sink.push_str(close);
        }
    }
}

/// `repr()` of a string. Uses single quotes, or double quotes if the text has single quotes but no
/// double quotes. Escapes characters that are not printable.
pub(super) fn repr_str(text: &str, sink: &mut Sink) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    sink.push(quote);
    for character in text.chars() {
        match character {
            '\\' => sink.push_str("\\\\"),
            '\n' => sink.push_str("\\n"),
            '\r' => sink.push_str("\\r"),
            '\t' => sink.push_str("\\t"),
            _ if character == quote => {
                sink.push('\\');
                sink.push(quote);
            }
            _ if is_printable(character) => sink.push(character),
            _ => sink.push_str(&escape(character)),
        }
    }
    sink.push(quote);
}

fn escape(character: char) -> String {
    let code = u32::from(character);
    match code {
        0..=0xff => format!("\\x{code:02x}"),
        0x100..=0xffff => format!("\\u{code:04x}"),
        _ => format!("\\U{code:08x}"),
    }
}

/// `str.isprintable()` for one character. Rust's `Debug` escapes the same characters, except at the
/// start of a string.
fn is_printable(character: char) -> bool {
    if character.is_ascii() {
        return !character.is_ascii_control();
    }
    let after_letter = String::from_iter(['a', character]);
    after_letter.escape_debug().nth(1) == Some(character)
}

/// `repr()` of a float: the shortest digits that read back, with an exponent from `1e+16` and below
/// `0.0001`.
pub(super) fn float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let shortest = format!("{value:e}");
    let (digits, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let fraction = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let exponent: isize = exponent.parse().unwrap_or_default();
    // `fraction` is the least number of digits that reads back. With a given number of digits, the
    // standard library breaks ties as Python does.
    if (-4..16).contains(&exponent) {
        let decimals = fraction.checked_add_signed(-exponent).unwrap_or_default().max(1);
        return format!("{value:.decimals$}");
    }
    let exact = format!("{value:.fraction$e}");
    let digits = exact.split_once('e').map_or(digits, |(digits, _)| digits);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// True if `str.splitlines()` ends a line at `character`.
fn ends_line(character: char) -> bool {
    matches!(
        character,
        '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// `str.splitlines(True)`: lines with their ends. An empty string has no lines.
pub(super) fn lines_with_ends(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let line = match rest.find(ends_line) {
            Some(end) if rest.get(end..).is_some_and(|tail| tail.starts_with("\r\n")) => end + 2,
            Some(end) => end + rest.get(end..)?.chars().next()?.len_utf8(),
            None if rest.is_empty() => return None,
            None => rest.len(),
        };
        let (line, tail) = rest.split_at(line);
        rest = tail;
        Some(line)
    })
}

/// `str.splitlines()`: lines without their ends.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    lines_with_ends(text).map(|line| {
        line.strip_suffix("\r\n").or_else(|| line.strip_suffix(ends_line)).unwrap_or(line)
    })
}
