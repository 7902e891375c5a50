//! JSON files as Python's `json.dump` writes them by default: ASCII only, members in their order.
//!
//! `output::json` writes another dialect, for results: sorted keys, all characters, and no copies of a
//! token in memory.

use std::io;

use serde_json::ser::{Formatter, PrettyFormatter};
use serde_json::{Serializer, Value};

use serde::Serialize;

/// `json.dumps(value)`: separators `", "` and `": "`, members in their order, all characters except
/// printable ASCII as `\uXXXX` (surrogate pairs beyond the basic plane).
pub(crate) fn to_text(value: &Value) -> serde_json::Result<Vec<u8>> {
    let mut out = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut out, Python))?;
    Ok(out)
}

/// `json.dumps(value, indent=4)`, as az and MSAL write it.
pub(crate) fn to_indented(value: &Value) -> serde_json::Result<Vec<u8>> {
    let mut out = Vec::new();
    let formatter = Indented(PrettyFormatter::with_indent(b"    "));
    value.serialize(&mut Serializer::with_formatter(&mut out, formatter))?;
    Ok(out)
}

struct Indented(PrettyFormatter<'static>);

impl Formatter for Indented {
    fn begin_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        text: &str,
    ) -> io::Result<()> {
        Python.write_string_fragment(out, text)
    }
}

struct Python;

impl Formatter for Python {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        text: &str,
    ) -> io::Result<()> {
        let mut units = [0; 2];
        for part in text.split_inclusive(|c: char| !(' '..='~').contains(&c)) {
            let plain = part.trim_end_matches(|c: char| !(' '..='~').contains(&c));
            out.write_all(plain.as_bytes())?;
            for c in part.chars().skip(plain.len()) {
                for unit in c.encode_utf16(&mut units) {
                    write!(out, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn as_python_writes_it() {
        let value = json!({"b": [1, true, null, "x"], "a": "é ü\u{1f600}\u{7f}\"\\/\n\u{1}", "c": {}, "d": []});
        // json.dumps of the same value, Python 3.11
        let expected = r#"{"b": [1, true, null, "x"], "a": "\u00e9 \u00fc\ud83d\ude00\u007f\"\\/\n\u0001", "c": {}, "d": []}"#;
        assert_eq!(String::from_utf8(to_text(&value).unwrap()).unwrap(), expected);
    }
}
