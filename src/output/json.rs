//! Results as JSON: az's `json` format, and the compact form of values inside other formats.
//!
//! `settings::python_json` writes another dialect, for az's files: ASCII only, members in their order.

use super::datum::{Datum, Dict};
use super::python;
use super::sink::Sink;

/// Writes the `json` format: two spaces per level, sorted keys, only the escapes that JSON
/// requires.
pub(super) fn write(value: &Datum<'_>, sink: &mut Sink) {
    indented(value, 0, sink);
    sink.push('\n');
}

fn indented(value: &Datum<'_>, depth: usize, sink: &mut Sink) {
    match value {
        Datum::List(list) if list.len() > 0 => {
            sink.push('[');
            for (index, item) in list.iter().enumerate() {
                start_line(index, depth + 1, sink);
                indented(&item, depth + 1, sink);
            }
            end_block(depth, ']', sink);
        }
        Datum::Dict(dict) if dict.len() > 0 => {
            sink.push('{');
            for (index, (key, value)) in dict.sorted().iter().enumerate() {
                start_line(index, depth + 1, sink);
                string(key, Escape::Needed, sink);
                sink.push_str(": ");
                indented(value, depth + 1, sink);
            }
            end_block(depth, '}', sink);
        }
        Datum::List(_) => sink.push_str("[]"),
        Datum::Dict(_) => sink.push_str("{}"),
        scalar => self::scalar(scalar, Escape::Needed, sink),
    }
}

fn start_line(index: usize, depth: usize, sink: &mut Sink) {
    sink.push_str(if index == 0 { "\n" } else { ",\n" });
    sink.repeat("  ", depth);
}

fn end_block(depth: usize, close: char, sink: &mut Sink) {
    sink.push('\n');
    sink.repeat("  ", depth);
    sink.push(close);
}

/// Writes the compact form of a query's `to_string()`: no spaces, insertion order, ASCII only.
pub(super) fn write_compact(value: &Datum<'_>, sink: &mut Sink) {
    match value {
        Datum::List(list) => {
            sink.push('[');
            for (index, item) in list.iter().enumerate() {
                sink.push_str(if index == 0 { "" } else { "," });
                write_compact(&item, sink);
            }
            sink.push(']');
        }
        Datum::Dict(dict) => compact_dict(dict, sink),
        scalar => self::scalar(scalar, Escape::BeyondAscii, sink),
    }
}

fn compact_dict(dict: &Dict<'_>, sink: &mut Sink) {
    sink.push('{');
    for (index, (key, value)) in dict.entries().iter().enumerate() {
        sink.push_str(if index == 0 { "" } else { "," });
        string(key, Escape::BeyondAscii, sink);
        sink.push(':');
        write_compact(value, sink);
    }
    sink.push('}');
}

/// Which characters of a string are escaped.
#[derive(Clone, Copy, PartialEq)]
enum Escape {
    /// Only those that JSON requires.
    Needed,
    /// Also all that are not printable ASCII, as UTF-16 code units.
    BeyondAscii,
}

fn scalar(value: &Datum<'_>, escape: Escape, sink: &mut Sink) {
    match value {
        Datum::Null => sink.push_str("null"),
        Datum::Bool(true) => sink.push_str("true"),
        Datum::Bool(false) => sink.push_str("false"),
        Datum::Float(float) if float.is_nan() => sink.push_str("NaN"),
        Datum::Float(f64::INFINITY) => sink.push_str("Infinity"),
        Datum::Float(f64::NEG_INFINITY) => sink.push_str("-Infinity"),
        Datum::Text(text) => string(text, escape, sink),
        number => sink.push_str(&python::text(number)),
    }
}

fn string(text: &str, escape: Escape, sink: &mut Sink) {
    sink.push('"');
    // Fast path: a token needs no escapes.
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    // No early exit, so that the compiler can vectorise the loop.
    if text.bytes().fold(true, |plain, byte| plain & is_plain(byte)) {
        sink.push_str(text);
        sink.push('"');
        return;
    }
    for character in text.chars() {
        match character {
            '"' => sink.push_str("\\\""),
            '\\' => sink.push_str("\\\\"),
            '\n' => sink.push_str("\\n"),
            '\r' => sink.push_str("\\r"),
            '\t' => sink.push_str("\\t"),
            '\x08' => sink.push_str("\\b"),
            '\x0c' => sink.push_str("\\f"),
            ' '..='~' => sink.push(character),
            '\x7f'.. if escape == Escape::Needed => sink.push(character),
            _ => code_units(character, sink),
        }
    }
    sink.push('"');
}

fn code_units(character: char, sink: &mut Sink) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        sink.push_str(&format!("\\u{unit:04x}"));
    }
}
