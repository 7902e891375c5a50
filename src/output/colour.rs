//! The colours of `jsonc`, as pygments' JSON lexer and terminal formatter produce them.

use super::python;
use super::sink::Sink;

const RESET: &str = "\x1b[39;49;00m";

/// A kind of token and its colour.
#[derive(Clone, Copy, PartialEq)]
enum Token {
    Key,
    Text,
    /// A number or one of `true`, `false`, `null`.
    Value,
    Space,
    Punctuation,
    /// `NaN` and `Infinity`, which are not JSON.
    Foreign,
}

impl Token {
    fn colour(self) -> &'static str {
        match self {
            Self::Key => "\x1b[94m",
            Self::Text => "\x1b[33m",
            Self::Value => "\x1b[34m",
            Self::Space => "\x1b[37m",
            Self::Punctuation => "",
            Self::Foreign => "\x1b[04m\x1b[91m",
        }
    }
}

/// Colours `json`, a whole document in the format of [`super::json::write`].
pub(super) fn write_json(json: &str, sink: &mut Sink) {
    let mut rest = json;
    while let Some(first) = rest.chars().next() {
        let (mut token, end) = match first {
            '"' => (Token::Text, string_end(rest)),
            ' ' | '\n' => {
                (Token::Space, run_end(rest, |character| matches!(character, ' ' | '\n')))
            }
            't' | 'f' | 'n' => {
                (Token::Value, run_end(rest, |character| "truefalsn".contains(character)))
            }
            '-' | '0'..='9' => {
                (Token::Value, run_end(rest, |character| "-0123456789.eE+".contains(character)))
            }
            '{' | '}' | '[' | ']' | ',' | ':' => {
                let tail = rest.strip_prefix(first).unwrap_or_default();
                let more = run_end(tail, |character| "{}[],".contains(character));
                (Token::Punctuation, first.len_utf8() + more)
            }
            _ => (Token::Foreign, first.len_utf8()),
        };
        let (text, tail) = rest.split_at(end);
        if token == Token::Text && tail.starts_with(':') {
            token = Token::Key;
        }
        coloured(text, token.colour(), sink);
        rest = tail;
    }
}

/// Writes one token. Each line gets its own colour sequences.
fn coloured(text: &str, colour: &str, sink: &mut Sink) {
    if colour.is_empty() {
        return sink.push_str(text);
    }
    for line in python::lines_with_ends(text) {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        sink.push_str(colour);
        sink.push_str(line);
        sink.push_str(RESET);
        sink.push_str(end);
    }
}

fn run_end(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|character| !belongs(character)).unwrap_or(text.len())
}

/// Returns the offset after the closing quote.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (index, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return index + 1,
            _ => {}
        }
    }
    text.len()
}
