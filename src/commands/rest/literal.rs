//! Python's literals, in which az takes what it takes in JSON: `{'a': True}`.
//!
//! Shells that eat double quotes make this notation useful. Dictionaries, lists, tuples, strings,
//! numbers, `True`, `False` and `None` are read. Sets, bytes, prefixes, triple quotes, adjoining
//! strings and comments are not.

use std::str::Chars;

use serde_json::{Map, Value};

/// Most levels of nesting.
const DEPTH: u32 = 64;

/// The value of `text`; `None` if it is no literal that azt reads.
pub(super) fn parse(text: &str) -> Option<Value> {
    let mut rest = text.trim();
    let value = value(&mut rest, DEPTH)?;
    rest.trim().is_empty().then_some(value)
}

fn value(rest: &mut &str, depth: u32) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    *rest = rest.trim_start();
    match rest.chars().next()? {
        '{' => {
            let mut members = Map::new();
            let all = items(rest, '}', |rest| {
                let name = text(rest)?;
                take(rest, ':')?;
                members.insert(name, value(rest, depth)?);
                Some(())
            });
            all.map(|()| Value::Object(members))
        }
        open @ ('[' | '(') => {
            let mut list = Vec::new();
            let end = if open == '[' { ']' } else { ')' };
            items(rest, end, |rest| {
                list.push(value(rest, depth)?);
                Some(())
            })?;
            Some(Value::Array(list))
        }
        '\'' | '"' => text(rest).map(Value::String),
        _ => {
            let is_part = |c: char| c.is_ascii_alphanumeric() || "+-._".contains(c);
            let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            *rest = after;
            match word {
                "True" => Some(Value::Bool(true)),
                "False" => Some(Value::Bool(false)),
                "None" => Some(Value::Null),
                number => serde_json::from_str(number).ok().filter(Value::is_number),
            }
        }
    }
}

/// Reads items with commas between them, from the opening to the closing character. A comma may
/// follow the last.
fn items(rest: &mut &str, end: char, mut item: impl FnMut(&mut &str) -> Option<()>) -> Option<()> {
    *rest = rest.get(1..)?;
    loop {
        if take(rest, end).is_some() {
            return Some(());
        }
        item(rest)?;
        if take(rest, ',').is_none() {
            return take(rest, end);
        }
    }
}

/// Takes `wanted`, after white space.
fn take(rest: &mut &str, wanted: char) -> Option<()> {
    *rest = rest.trim_start().strip_prefix(wanted)?;
    Some(())
}

/// Takes a string.
fn text(rest: &mut &str) -> Option<String> {
    let (quote, mut chars) = {
        let mut chars = rest.trim_start().chars();
        (chars.next().filter(|c| ['\'', '"'].contains(c))?, chars)
    };
    let mut text = String::new();
    loop {
        match chars.next()? {
            c if c == quote => break,
            '\n' => return None,
            '\\' => {
                text.push(match chars.next()? {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'x' => code(&mut chars, 2)?,
                    'u' => code(&mut chars, 4)?,
                    c @ ('\\' | '\'' | '"') => c,
                    _ => return None,
                });
            }
            c => text.push(c),
        }
    }
    *rest = chars.as_str();
    Some(text)
}

/// The character with the number of the next `digits`.
fn code(chars: &mut Chars<'_>, digits: usize) -> Option<char> {
    let digits: String = chars.by_ref().take(digits).collect();
    char::from_u32(u32::from_str_radix(&digits, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pythons_literals_are_read() {
        for (text, expected) in [
            ("{'a': 'b'}", json!({"a": "b"})),
            (" { 'a' : True , \"b\": None,} ", json!({"a": true, "b": null})),
            ("['x', 1, -2.5, (False,), []]", json!(["x", 1, -2.5, [false], []])),
            (r"'it\'s \x41\u00fc\n'", json!("it's A\u{fc}\n")),
            ("{}", json!({})),
        ] {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_texts_are_not() {
        for text in [
            "",
            "a=b",
            "{'a'}",
            "{'a': }",
            "{'a': b}",
            "{'a': 'b'",
            "['x' 'y']",
            "b'x'",
            "{1: 2}",
            "'a",
            "true",
            "[,]",
            "1 2",
            "'\\q'",
            "{'a': 1}}",
            "__import__('os')",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(&"[".repeat(100_000)), None);
    }
}
