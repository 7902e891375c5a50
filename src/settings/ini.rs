//! INI files as Python's `configparser.ConfigParser` reads and writes them, which is what az keeps
//! `config` and `clouds.config` in.
//!
//! Sections are case-sensitive, option names are lower-cased; `=` or `:` separates; `#` and `;`
//! begin a comment on a line of their own only; a line indented deeper than its option continues
//! the value, across empty lines; `[DEFAULT]` supplies every section; a section or option given
//! twice is an error (Python 3.11 library reference, "configparser"). Unlike Python, a leading
//! byte order mark is skipped.

mod edit;
mod file;
mod interpolation;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;

use interpolation::interpolate;

/// The section whose options every other section has too.
const DEFAULT: &str = "DEFAULT";

/// A parsed file with its text, so that an edit changes only the lines it is about.
#[derive(Clone, Debug, Default)]
pub(super) struct Ini {
    /// The text in lines, each with its line ending as found.
    lines: Vec<String>,
    /// In order of first appearance. `DEFAULT` may be among them.
    sections: Vec<Section>,
}

#[derive(Clone, Debug, Default)]
struct Section {
    name: String,
    /// Index of the (last) header line; `DEFAULT` alone may have several.
    header: usize,
    options: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    /// Lower-cased.
    name: String,
    /// Lines joined by `\n`, not interpolated.
    value: String,
    /// From the line of the name to the last line with text of the value, comments between
    /// included.
    lines: Range<usize>,
}

/// Why a text is not INI, or a value cannot be had.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct IniError {
    /// Counted from 1; `None` when the trouble is with a value that was asked for.
    pub(super) line: Option<usize>,
    /// What is wrong, without a full stop.
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

impl Section {
    fn option(&self, name: &str) -> Option<&Entry> {
        self.options.iter().find(|option| option.name == name)
    }
}

impl Ini {
    /// Parses `text`; the first line that is not understood is the error.
    pub(super) fn parse(text: &str) -> Result<Self, IniError> {
        Parser::default().parse(split_lines(text.strip_prefix('\u{feff}').unwrap_or(text)))
    }

    /// The names of the sections in their order, without `DEFAULT`.
    pub(super) fn sections(&self) -> impl Iterator<Item = &str> {
        self.sections.iter().map(|section| section.name.as_str()).filter(|name| *name != DEFAULT)
    }

    /// The value of an option, interpolated; `None` without the section or the option.
    pub(super) fn get(&self, section: &str, option: &str) -> Result<Option<String>, IniError> {
        let option = option.to_lowercase();
        match (self.section(section), self.raw(section, &option)) {
            (Some(_), Some(raw)) => self.interpolated(section, &option, raw).map(Some),
            _ => Ok(None),
        }
    }

    fn interpolated(&self, section: &str, option: &str, raw: &str) -> Result<String, IniError> {
        interpolate(raw, &|name| self.raw(section, name))
            .map_err(|what| IniError { line: None, what: format!("{section}.{option}: {what}") })
    }

    /// Names and interpolated values of a section, those of `DEFAULT` first; `None` without the
    /// section.
    pub(super) fn items(&self, section: &str) -> Result<Option<Vec<(String, String)>>, IniError> {
        if section != DEFAULT && self.section(section).is_none() {
            return Ok(None);
        }
        let defaults = self.section(DEFAULT).map_or(&[][..], |found| &found.options);
        let own = self.section(section).map_or(&[][..], |found| &found.options);
        // Names are there once in a section; what both have keeps the place of the default.
        let with_own =
            |default| own.iter().find(|it: &&Entry| it.name == default).map(|it| &it.value);
        let first = defaults
            .iter()
            .map(|option| (&option.name, with_own(option.name.as_str()).unwrap_or(&option.value)));
        let rest = own
            .iter()
            .filter(|option| !defaults.iter().any(|default| default.name == option.name))
            .map(|option| (&option.name, &option.value));
        first
            .chain(rest)
            .map(|(name, raw)| Ok((name.clone(), self.interpolated(section, name, raw)?)))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// The file's text.
    pub(super) fn text(&self) -> String {
        self.lines.concat()
    }

    fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// The value as written, from the section or from `DEFAULT`. `option` is lower-case.
    fn raw(&self, section: &str, option: &str) -> Option<&str> {
        [section, DEFAULT]
            .into_iter()
            .find_map(|name| self.section(name)?.option(option))
            .map(|option| option.value.as_str())
    }
}

#[derive(Default)]
struct Parser {
    sections: Vec<Section>,
    /// Index of the section that options go to.
    current: Option<usize>,
    /// True while a deeper line would continue a value: an option was read since the header.
    in_option: bool,
    indent: usize,
    /// Lines of the value being read; joined when it ends.
    value: Vec<String>,
}

impl Parser {
    fn parse(mut self, lines: Vec<String>) -> Result<Ini, IniError> {
        for (index, line) in lines.iter().enumerate() {
            self.line(index, line).map_err(|what| IniError { line: Some(index + 1), what })?;
        }
        self.end_value();
        Ok(Ini { lines, sections: self.sections })
    }

    fn line(&mut self, index: usize, line: &str) -> Result<(), String> {
        let text = strip(line);
        if text.starts_with(['#', ';']) {
            return Ok(());
        }
        if text.is_empty() {
            if self.in_option {
                self.value.push(String::new());
            }
            return Ok(());
        }
        let indent = line.chars().take_while(|c| is_space(*c)).count();
        if self.in_option && indent > self.indent {
            self.value.push(text.to_owned());
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
        let found = self.sections.iter().position(|section| section.name == name);
        match found.and_then(|at| self.sections.get_mut(at)) {
            Some(again) if name == DEFAULT => again.header = index,
            Some(_) => return Err(format!("the section [{name}] is there twice")),
            None => self.sections.push(Section {
                name: name.to_owned(),
                header: index,
                options: Vec::new(),
            }),
        }
        self.current = Some(found.unwrap_or(self.sections.len() - 1));
        Ok(())
    }

    fn option(&mut self, index: usize, text: &str, current: usize) -> Result<(), String> {
        let Some((name, value)) = text.split_once(['=', ':']) else {
            return Err("neither a [section] header nor 'name = value'".into());
        };
        let name = strip(name).to_lowercase();
        if name.is_empty() {
            return Err("a value without a name".into());
        }
        let Some(section) = self.sections.get_mut(current) else {
            return Ok(());
        };
        if section.option(&name).is_some() {
            return Err(format!("'{name}' is there twice in [{}]", section.name));
        }
        section.options.push(Entry { name, value: String::new(), lines: index..index + 1 });
        self.value.push(strip(value).to_owned());
        self.in_option = true;
        Ok(())
    }

    fn open_option(&mut self) -> Option<&mut Entry> {
        let current = self.current?;
        self.sections.get_mut(current)?.options.last_mut()
    }

    fn end_value(&mut self) {
        if self.in_option {
            let value = std::mem::take(&mut self.value).join("\n");
            if let Some(option) = self.open_option() {
                strip_end(&value).clone_into(&mut option.value);
            }
        }
        self.in_option = false;
    }
}

/// The name between `[` and the last `]`; what follows that is ignored.
fn section_header(text: &str) -> Option<&str> {
    let (name, _) = text.strip_prefix('[')?.rsplit_once(']')?;
    (!name.is_empty()).then_some(name)
}

/// Cuts `text` after each `\n`, `\r\n` and lone `\r`, which Python reads as line ends too.
fn split_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.split_inclusive('\n') {
        // What ends here at `\r\n` has no line end before it but a lone `\r`.
        let (body, end) = match line.strip_suffix("\r\n") {
            Some(body) => (body, "\r\n"),
            None => (line, ""),
        };
        if !body.contains('\r') {
            lines.push(line.to_owned());
            continue;
        }
        let mut pieces: Vec<String> = body.split_inclusive('\r').map(str::to_owned).collect();
        match pieces.last_mut().filter(|last| !last.ends_with('\r')) {
            Some(last) => last.push_str(end),
            None if !end.is_empty() => pieces.push(end.to_owned()),
            None => {}
        }
        lines.append(&mut pieces);
    }
    lines
}

/// White space as Python's `str.isspace` has it: Unicode's, and the four separators of ASCII.
fn is_space(c: char) -> bool {
    if c.is_ascii_graphic() {
        return false;
    }
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

fn strip_end(text: &str) -> &str {
    text.trim_end_matches(is_space)
}
