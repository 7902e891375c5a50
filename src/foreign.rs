//! Types for text from outside: servers, tokens and the files of other programs.
//!
//! Parsing cleans the text, so every later use is safe to show: it has no line breaks, control
//! characters or invisible characters. Structs that are parsed from an answer use only these types
//! for text, and parse each member leniently by [`lenient`] or [`or_default`]
//! (`tests/architecture.rs` checks this).

mod loose;

use std::fmt::{self, Write as _};
use std::ops::Deref;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

pub(crate) use loose::{Loose, Seconds, base64, from_json, is_true, lenient, or_default};

/// Longest lifetime of an access token to accept from outside, in seconds. Entra's longest tokens
/// live 28 hours; a week leaves room and still exposes nonsense.
pub(crate) const LONGEST_TOKEN_LIFETIME: i64 = 7 * 24 * 3600;

/// Most characters of a name; Entra's and Azure's have at most 256.
const LONGEST_NAME: usize = 256;

/// Most characters of a sentence; Entra's longest have about 1,500.
const LONGEST_SENTENCE: usize = 4096;

/// A name: one line of at most 256 characters. Spaces are kept, because scripts look names up by
/// their exact text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(crate) struct Name(String);

/// A message: one line of at most 4,096 characters, with single spaces between words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(crate) struct Sentence(String);

/// The id of a tenant or a subscription, normalised to lower case with hyphens.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(crate) struct Guid(String);

/// JSON whose strings and member names are cleaned like a [`Name`]. A string may have 4,096
/// characters.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Json(Value);

/// The user's input from an argument or a variable, for quoting in a message. It is displayed on
/// one line with escapes (`\r`, `\u{200b}`) for invisible characters, which are often the error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Typed<'t>(pub(crate) &'t str);

impl fmt::Display for Typed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        with_visibility(self.0).try_for_each(|(c, is_visible)| {
            if is_visible && !is_line_end(c) {
                f.write_char(c)
            } else {
                write!(f, "{}", c.escape_default())
            }
        })
    }
}

impl Name {
    /// Cleans `text`.
    pub(crate) fn new(text: &str) -> Self {
        Self(line(text, LONGEST_NAME))
    }

    /// True if [`Name::new`] would not change `text`. Printable ASCII, the usual case, needs no
    /// allocation.
    pub(crate) fn is_clean(text: &str) -> bool {
        let is_plain = text.len() <= LONGEST_NAME && text.bytes().all(|c| matches!(c, b' '..=b'~'));
        is_plain || line(text, LONGEST_NAME) == text
    }
}

impl Sentence {
    /// Cleans `text`.
    pub(crate) fn new(text: &str) -> Self {
        let words = line(text, usize::MAX).split_whitespace().collect::<Vec<_>>().join(" ");
        Self(cut(words, LONGEST_SENTENCE))
    }
}

impl Guid {
    /// Parses a GUID in any form that az accepts: with or without hyphens, in braces, after
    /// `urn:uuid:`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        uuid::Uuid::try_parse(text).ok().map(|id| Self(id.to_string()))
    }
}

impl Json {
    /// Cleans the strings of `value`.
    pub(crate) fn new(value: Value) -> Self {
        Self(match value {
            Value::String(text) => line(&text, LONGEST_SENTENCE).into(),
            Value::Array(items) => items.into_iter().map(|item| Self::new(item).0).collect(),
            Value::Object(members) => {
                let clean = |(name, value): (String, Value)| {
                    (line(&name, LONGEST_NAME), Self::new(value).0)
                };
                members.into_iter().map(clean).collect()
            }
            other => other,
        })
    }

    /// Returns the JSON value.
    pub(crate) fn into_value(self) -> Value {
        self.0
    }
}

/// The traits that all text types implement.
macro_rules! text {
    ($type:ident) => {
        impl Deref for $type {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl From<$type> for String {
            fn from(text: $type) -> Self {
                text.0
            }
        }
    };
}

text!(Name);
text!(Sentence);
text!(Guid);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer).map(|text| Self::new(&text))
    }
}

impl<'de> Deserialize<'de> for Sentence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer).map(|text| Self::new(&text))
    }
}

impl<'de> Deserialize<'de> for Guid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(text.trim()).ok_or_else(|| Error::custom("not a GUID"))
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::new)
    }
}

/// Deserialises a string. A number or a boolean becomes its text.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(truth) => Ok(truth.to_string()),
        _ => Err(Error::custom("not a text")),
    }
}

/// `text` on one line without invisible characters; `None` if it is so. Printable ASCII, as in a
/// token, is not copied.
pub(crate) fn as_one_line(text: &str) -> Option<String> {
    let is_plain = text.bytes().all(|c| matches!(c, b' '..=b'~'));
    (!is_plain).then(|| line(text, usize::MAX)).filter(|clean| clean != text)
}

/// Puts `text` on one line without invisible characters. A text longer than `most` characters is
/// cut and gets an ellipsis.
fn line(text: &str, most: usize) -> String {
    let mut clean = String::with_capacity(text.len().min(most));
    let mut ended = false;
    for c in visible(text) {
        // Adjacent line ends, such as `\r\n`, become one space.
        let ends = is_line_end(c) || c == '\t';
        if !ends {
            clean.push(c);
        } else if !ended {
            clean.push(' ');
        }
        ended = ends;
    }
    cut(clean, most)
}

fn cut(mut text: String, most: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// Returns the visible characters of `text`. White space and line ends count as visible.
pub(crate) fn visible(text: &str) -> impl Iterator<Item = char> {
    with_visibility(text).filter(|(_, is_visible)| *is_visible).map(|(c, _)| c)
}

/// Returns the characters of `text`, each with whether it is visible.
pub(crate) fn with_visibility(text: &str) -> impl Iterator<Item = (char, bool)> {
    let mut before = ' ';
    text.chars().map(move |c| {
        // It is legitimate only after a symbol, which it turns into an emoji. After a letter it
        // could hide data.
        let is_visible = if c == EMOJI_SELECTOR { is_symbol(before) } else { !is_hidden(c) };
        if is_visible {
            before = c;
        }
        (c, is_visible)
    })
}

/// The variation selector for emoji.
const EMOJI_SELECTOR: char = '\u{fe0f}';

fn is_symbol(c: char) -> bool {
    !c.is_ascii() && !c.is_alphanumeric() && !c.is_whitespace() && c != EMOJI_SELECTOR
}

/// Returns true for white space as Python's `str.isspace` has it: Unicode's and ASCII's four
/// separators.
pub(crate) fn is_python_space(c: char) -> bool {
    !c.is_ascii_graphic() && (c.is_whitespace() || ('\x1c'..='\x1f').contains(&c))
}

/// True for characters that end a line in some terminal, editor or log.
pub(crate) fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// True for control characters, characters that are invisible or change the direction of text
/// (Unicode's `Default_Ignorable_Code_Point`, with the tag characters), and noncharacters. False
/// for private use characters: they are visible, if only as a box.
pub(crate) fn is_hidden(c: char) -> bool {
    let is_kept = matches!(c, '\t' | ' '..='~') || is_line_end(c);
    let is_ignorable = matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}');
    let is_no_character = u32::from(c) & 0xfffe == 0xfffe || matches!(c, '\u{fdd0}'..='\u{fdef}');
    !is_kept && (c.is_control() || is_ignorable || is_no_character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_without_invisible_characters() {
        for (text, name) in [
            ("Contoso Production", "Contoso Production"),
            ("two  blanks ", "two  blanks "),
            ("a\r\nazt logout\u{85}b\u{2028}c\u{b}d\te", "a azt logout b c d e"),
            ("\u{1b}]0;pwned\u{7}\u{9b}2J\0\u{7f}", "]0;pwned2J"),
            ("P\u{200d}r\u{200b}o\u{2060}d\u{feff}\u{ad}\u{180e}\u{3164}\u{ffa0}\u{115f}", "Prod"),
            ("Prod\u{202e}dorP\u{2066}\u{61c}\u{200e}", "ProddorP"),
            ("Prod\u{e0065}\u{e0076}\u{e0001}\u{e0100}\u{fe00}\u{ffff}\u{fdd0}\u{10fffe}", "Prod"),
            ("Prod\u{fe0f}\u{fe0f} 1\u{fe0f}é\u{fe0f}", "Prod 1é"),
            (
                "☁\u{fe0f}\u{fe0f} Ünïcødé 東京\u{3000}日本 \u{f8ff}",
                "☁\u{fe0f} Ünïcødé 東京\u{3000}日本 \u{f8ff}",
            ),
        ] {
            assert_eq!(&*Name::new(text), name, "{text:?}");
            assert_eq!(Name::is_clean(text), text == name, "{text:?}");
            assert!(Name::is_clean(name), "{name:?}");
        }
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(Name::new(&"é".repeat(256)).chars().count(), 256);
        assert!(!Name::is_clean(&"a".repeat(257)) && Name::is_clean(&"a".repeat(256)));
        for (cut, most) in [
            (Name::new(&"é".repeat(1 << 20)).0, 257),
            (Sentence::new(&"é".repeat(1 << 20)).0, 4097),
            (Sentence::new(&"a\n".repeat(1 << 20)).0, 4097),
        ] {
            assert!(cut.chars().count() == most && cut.ends_with('…'), "{}", cut.len());
        }
    }

    #[test]
    fn a_sentence_is_one_line() {
        let sentence = Sentence::new(" No.\r\nERROR: \u{1b}[31mforged\t ");
        assert_eq!(&*sentence, "No. ERROR: [31mforged");
    }

    #[test]
    fn guids_are_normalised() {
        for text in [
            "aaaaaaaa-0000-0000-0000-000000000001",
            "AAAAAAAA000000000000000000000001",
            "{aaaaaaaa-0000-0000-0000-000000000001}",
            "urn:uuid:aaaaaaaa-0000-0000-0000-000000000001",
        ] {
            let guid = Guid::parse(text).unwrap();
            assert_eq!(&*guid, "aaaaaaaa-0000-0000-0000-000000000001", "{text}");
        }
        for text in ["", "contoso.com", "aaaaaaaa-0000-0000-0000-000000000001\n", "common"] {
            assert!(Guid::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn numbers_and_strings_are_interchangeable() {
        let seconds = |json: &str| from_json::<Seconds>(json).ok().map(|it| it.0);
        for (json, found) in [
            ("900", Some(900)),
            ("900.9", Some(900)),
            ("9e2", Some(900)),
            (r#"" 900 ""#, Some(900)),
            (r#""900.0""#, Some(900)),
            ("-1", Some(-1)),
            ("1e400", None),
            (r#""NaN""#, None),
            (r#""""#, None),
            ("null", None),
            ("true", None),
            ("[900]", None),
            ("18446744073709551615", Some(i64::MAX)),
        ] {
            assert_eq!(seconds(json), found, "{json}");
        }
        let name = |json: &str| from_json::<Name>(json).ok().map(String::from);
        for (json, found) in [
            ("7", Some("7")),
            ("1.5", Some("1.5")),
            ("true", Some("true")),
            ("null", None),
            ("{}", None),
            ("[\"a\"]", None),
        ] {
            assert_eq!(name(json).as_deref(), found, "{json}");
        }
        assert_eq!(name(r#""a""#), name(r#""a""#));
    }

    #[test]
    fn base64_is_read_in_every_variant() {
        for text in ["-_8=", "-_8", "+/8=", " +/8\n", "-_9"] {
            assert_eq!(base64(text), Some(vec![0xfb, 0xff]), "{text:?}");
        }
        assert_eq!((base64("%"), base64("A")), (None, None));
    }

    #[test]
    fn booleans_have_many_spellings() {
        let is_true = |json: &str| is_true(&from_json(json).unwrap());
        for json in ["true", "1", r#""true""#, r#""True""#, r#""1""#, "-1"] {
            assert!(is_true(json), "{json}");
        }
        for json in ["false", "0", "0.0", r#""false""#, r#""""#, r#""0""#, "null", "[]", "{}"] {
            assert!(!is_true(json), "{json}");
        }
    }

    #[test]
    fn parsed_text_is_clean() {
        #[derive(Deserialize)]
        struct Answer {
            name: Name,
            #[serde(default, deserialize_with = "lenient")]
            id: Option<Guid>,
            #[serde(default, deserialize_with = "lenient")]
            why: Option<Sentence>,
            rest: Json,
        }
        let parse = |text: &str| from_json::<Answer>(text).unwrap();
        let answer = parse(
            r#"{"name": "a\nb", "id": "x", "why": ["y"], "rest": {"k\n": [1, null, "\u202ev\n"]}}"#,
        );
        assert_eq!((&*answer.name, answer.id, answer.why), ("a b", None, None));
        assert_eq!(answer.rest.into_value(), serde_json::json!({"k ": [1, null, "v "]}));
        let answer = parse(r#"{"name": "a", "why": null, "rest": 1}"#);
        assert!(answer.why.is_none());
    }
}
