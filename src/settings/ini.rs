//! INI files as Python's `configparser.ConfigParser` reads and writes them: the format of az's
//! `config` and `clouds.config`.
//!
//! - Sections are case-sensitive, option names are lower-cased.
//! - `=` or `:` separates name and value.
//! - `#` or `;` begins a comment only at the start of a line, after optional white space.
//! - A line indented deeper than its option continues the value, across empty lines.
//! - `[DEFAULT]` supplies options to every section.
//! - A duplicate section or option is an error.
//! - A leading byte order mark is skipped, unlike in Python.
//!
//! Source: Python 3.11 library reference, "configparser".

mod edit;
mod file;
mod interpolation;
#[cfg(test)]
mod tests;

use crate::foreign::is_python_space;
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use interpolation::interpolate;
use memchr::memchr2;

/// The section whose options every other section has too.
const DEFAULT: &str = "DEFAULT";

/// A parsed file with its text, so that an edit changes only the affected lines.
///
/// Every process reads such a file for a few values. To avoid copies, sections, names and values
/// are ranges of the text unless parsing changes them.
#[derive(Clone, Debug, Default)]
pub(super) struct Ini {
    /// Without a byte order mark.
    text: String,
    /// In order of first appearance. `DEFAULT` may be among them.
    sections: Vec<Section>,
}

#[derive(Clone, Debug)]
struct Section {
    name: Piece,
    /// Index of the (last) header line; `DEFAULT` alone may have several.
    header: usize,
    options: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    /// Lower-cased.
    name: Piece,
    /// Lines joined by `\n`, not interpolated.
    value: Piece,
    /// From the line of the name to the last non-empty line of the value, with comments in between.
    lines: Range<usize>,
}

/// A parsed part of the text.
#[derive(Clone, Debug)]
enum Piece {
    /// These bytes of the text, unchanged.
    At(Range<usize>),
    Made(String),
}

impl Piece {
    /// The range of `part`, which is a slice of `text`.
    fn at(text: &str, part: &str) -> Self {
        let start = part.as_ptr().addr().saturating_sub(text.as_ptr().addr());
        Self::At(start..start + part.len())
    }

    /// True when this equals `wanted`. The length is compared first because it decides most cases.
    fn is(&self, text: &str, wanted: &str) -> bool {
        let length = match self {
            Self::At(range) => range.len(),
            Self::Made(made) => made.len(),
        };
        length == wanted.len() && self.in_text(text) == wanted
    }

    fn in_text<'a>(&'a self, text: &'a str) -> &'a str {
        match self {
            Self::At(range) => text.get(range.clone()).unwrap_or_default(),
            Self::Made(made) => made,
        }
    }
}

/// Why a text is not INI, or a value cannot be interpolated.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct IniError {
    /// Counted from 1; `None` for an error of a value or an edit.
    pub(super) line: Option<usize>,
    /// The message, without a full stop.
    pub(super) what: String,
}

impl fmt::Display for IniError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

impl Ini {
    /// Parses `text`; the error is about the first invalid line.
    pub(super) fn parse(mut text: String) -> Result<Self, IniError> {
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        let sections = Parser::new(&text).parse()?;
        Ok(Self { text, sections })
    }

    /// The names of the sections in their order, without `DEFAULT`.
    pub(super) fn sections(&self) -> impl Iterator<Item = &str> {
        self.sections
            .iter()
            .map(|section| self.text_of(&section.name))
            .filter(|name| *name != DEFAULT)
    }

    /// The value of an option, interpolated; `None` without the section or the option.
    pub(super) fn get(
        &self,
        section: &str,
        option: &str,
    ) -> Result<Option<Cow<'_, str>>, IniError> {
        let option = option.to_lowercase();
        match (self.section(section), self.raw(section, &option)) {
            (Some(_), Some(raw)) => self.interpolated(section, &option, raw).map(Some),
            _ => Ok(None),
        }
    }

    /// `raw`, the text of an option, interpolated.
    pub(super) fn interpolated<'a>(
        &'a self,
        section: &str,
        option: &str,
        raw: &'a str,
    ) -> Result<Cow<'a, str>, IniError> {
        interpolate(raw, &|name| self.raw(section, name))
            .map_err(|what| IniError { line: None, what: format!("{section}.{option}: {what}") })
    }

    /// Names and values of a section as written, those of `DEFAULT` first; `None` without the
    /// section.
    pub(super) fn written(&self, section: &str) -> Option<Vec<(&str, &str)>> {
        if section != DEFAULT && self.section(section).is_none() {
            return None;
        }
        // A name in both sections keeps its position in `DEFAULT`.
        let defaults = self.options(DEFAULT);
        let first = defaults.clone().map(|(name, default)| {
            (name, self.section(section).and_then(|own| self.option(own, name)).unwrap_or(default))
        });
        let rest = self
            .options(section)
            .filter(|(name, _)| !defaults.clone().any(|(default, _)| default == *name));
        Some(first.chain(rest).collect())
    }

    /// [`Ini::written`], interpolated.
    #[allow(clippy::type_complexity, reason = "a list of pairs")]
    pub(super) fn items(
        &self,
        section: &str,
    ) -> Result<Option<Vec<(&str, Cow<'_, str>)>>, IniError> {
        let Some(written) = self.written(section) else { return Ok(None) };
        let items = written.into_iter();
        let items = items.map(|(name, raw)| Ok((name, self.interpolated(section, name, raw)?)));
        items.collect::<Result<_, _>>().map(Some)
    }

    /// The file's text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    fn text_of<'a>(&'a self, piece: &'a Piece) -> &'a str {
        piece.in_text(&self.text)
    }

    fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name.is(&self.text, name))
    }

    fn entry<'a>(&self, section: &'a Section, name: &str) -> Option<&'a Entry> {
        section.options.iter().find(|option| option.name.is(&self.text, name))
    }

    fn option<'a>(&'a self, section: &'a Section, name: &str) -> Option<&'a str> {
        self.entry(section, name).map(|entry| self.text_of(&entry.value))
    }

    /// Names and raw values of a section.
    fn options(&self, section: &str) -> impl Iterator<Item = (&str, &str)> + Clone {
        let found = self.section(section).map_or(&[][..], |found| &found.options);
        found.iter().map(|entry| (self.text_of(&entry.name), self.text_of(&entry.value)))
    }

    /// The raw value, from the section or from `DEFAULT`. `option` is lower-case.
    fn raw(&self, section: &str, option: &str) -> Option<&str> {
        [section, DEFAULT].into_iter().find_map(|name| self.option(self.section(name)?, option))
    }
}

struct Parser<'t> {
    text: &'t str,
    sections: Vec<Section>,
    /// Index of the section that receives options.
    current: Option<usize>,
    /// True when a deeper line would continue a value: the header was followed by an option.
    in_option: bool,
    indent: usize,
    /// Lines of the value being read; joined when it ends.
    value: Vec<&'t str>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Self {
        let value = Vec::new();
        Self { text, sections: Vec::new(), current: None, in_option: false, indent: 0, value }
    }

    fn parse(mut self) -> Result<Vec<Section>, IniError> {
        for (index, line) in lines(self.text).enumerate() {
            self.line(index, line).map_err(|what| IniError { line: Some(index + 1), what })?;
        }
        self.end_value();
        Ok(self.sections)
    }

    fn line(&mut self, index: usize, line: &'t str) -> Result<(), String> {
        let text = strip(line);
        if text.starts_with(['#', ';']) {
            return Ok(());
        }
        if text.is_empty() {
            if self.in_option {
                self.value.push("");
            }
            return Ok(());
        }
        let indent = line.chars().take_while(|c| is_python_space(*c)).count();
        if self.in_option && indent > self.indent {
            self.value.push(text);
            if let Some(option) = self.open_option() {
                option.lines.end = index + 1;
            }
            return Ok(());
        }
        self.indent = indent;
        self.end_value();
        match (section_header(text), self.current) {
            (Some(name), _) => self.section(index, name),
            (None, None) => Err("text before the first [section] header".into()),
            (None, Some(current)) => self.option(index, text, current),
        }
    }

    fn section(&mut self, index: usize, name: &str) -> Result<(), String> {
        let found = self.sections.iter().position(|section| section.name.is(self.text, name));
        match found.and_then(|at| self.sections.get_mut(at)) {
            Some(again) if name == DEFAULT => again.header = index,
            Some(_) => return Err(format!("the section [{name}] is defined twice")),
            None => self.sections.push(Section {
                name: Piece::at(self.text, name),
                header: index,
                options: Vec::new(),
            }),
        }
        self.current = Some(found.unwrap_or(self.sections.len() - 1));
        Ok(())
    }

    fn option(&mut self, index: usize, text: &'t str, current: usize) -> Result<(), String> {
        let Some((name, value)) = split_option(text) else {
            return Err("neither a [section] header nor 'name = value'".into());
        };
        let name = match strip(name) {
            "" => return Err("a value without a name".into()),
            plain if is_lower_case(plain) => Piece::at(self.text, plain),
            other => Piece::Made(other.to_lowercase()),
        };
        let Some(section) = self.sections.get_mut(current) else {
            return Ok(());
        };
        let lower = name.in_text(self.text);
        if section.options.iter().any(|option| option.name.is(self.text, lower)) {
            let section = section.name.in_text(self.text);
            return Err(format!("'{lower}' is defined twice in [{section}]"));
        }
        let value = strip(value);
        section.options.push(Entry {
            name,
            value: Piece::at(self.text, value),
            lines: index..index + 1,
        });
        self.value.push(value);
        self.in_option = true;
        Ok(())
    }

    fn open_option(&mut self) -> Option<&mut Entry> {
        let current = self.current?;
        self.sections.get_mut(current)?.options.last_mut()
    }

    fn end_value(&mut self) {
        // A value of one line is already stored as a range.
        if self.value.len() > 1 {
            let value = strip_end(&self.value.join("\n")).to_owned();
            if let Some(option) = self.open_option() {
                option.value = Piece::Made(value);
            }
        }
        self.value.clear();
        self.in_option = false;
    }
}

/// The name between `[` and the last `]`; the rest of the line is ignored.
fn section_header(text: &str) -> Option<&str> {
    let (name, _) = text.strip_prefix('[')?.rsplit_once(']')?;
    (!name.is_empty()).then_some(name)
}

/// The texts before and after the first `=` or `:`.
fn split_option(text: &str) -> Option<(&str, &str)> {
    let at = memchr2(b'=', b':', text.as_bytes())?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// True for ASCII text without upper-case letters.
fn is_lower_case(text: &str) -> bool {
    // No early exit, so that the compiler can vectorize the loop.
    text.bytes().fold(true, |is, byte| is & byte.is_ascii() & !byte.is_ascii_uppercase())
}

/// `text` split after each `\n`, `\r\n` and lone `\r`; Python reads all three as line ends.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = match memchr2(b'\n', b'\r', rest.as_bytes()) {
            Some(at) if rest.get(at..at + 2) == Some("\r\n") => at + 2,
            Some(at) => at + 1,
            None => rest.len(),
        };
        let (line, after) = rest.split_at_checked(end)?;
        rest = after;
        (!line.is_empty()).then_some(line)
    })
}

fn strip(text: &str) -> &str {
    text.trim_matches(is_python_space)
}

fn strip_end(text: &str) -> &str {
    text.trim_end_matches(is_python_space)
}
