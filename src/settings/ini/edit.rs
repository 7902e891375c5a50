//! Edits of an INI file that keep every other line.
//!
//! On a file written by az, the result is what az would write: `name = value`, continuation lines
//! after a tab, an empty line after each section. Unlike az, edits keep comments and layout.

use crate::foreign::is_python_space;
use std::ops::Range;

use super::{Entry, Ini, IniError, lines, strip, strip_end};

impl Ini {
    /// Sets an option, and creates the option and the section as needed.
    ///
    /// A text that az accepts is stored unchanged; `%%` in it is a percent sign. A text with a `%`
    /// that az crashes on is stored with each `%` doubled, so that both az and azt read it back.
    /// Fails without a change when a name or the value cannot be written as INI.
    pub(in crate::settings) fn set(
        &mut self,
        section: &str,
        option: &str,
        value: &str,
    ) -> Result<(), IniError> {
        let option = option.to_lowercase();
        let mut changed = self.with_value(section, &option, value)?;
        if changed.get(section, &option).is_err() {
            changed = self.with_value(section, &option, &value.replace('%', "%%"))?;
        }
        *self = changed;
        Ok(())
    }

    /// Removes an option; true when it existed. Its section stays even if empty, as in az.
    pub(in crate::settings) fn unset(
        &mut self,
        section: &str,
        option: &str,
    ) -> Result<bool, IniError> {
        let option = option.to_lowercase();
        let Some(entry) = self.section(section).and_then(|found| self.entry(found, &option)) else {
            return Ok(false);
        };
        let range = entry.lines.clone();
        let kept = self.comments(&range);
        let changed = self.replaced(range, kept)?;
        *self = changed;
        Ok(true)
    }

    /// Removes a section from its header to its last option, with the empty lines that follow; true
    /// when it existed.
    pub(in crate::settings) fn remove_section(&mut self, name: &str) -> Result<bool, IniError> {
        let Some(section) = self.section(name) else {
            return Ok(false);
        };
        let last = section.options.last().map_or(section.header + 1, |option| option.lines.end);
        let blank = self.lines().skip(last).take_while(|line| strip(line).is_empty()).count();
        let changed = self.replaced(section.header..last + blank, Vec::new())?;
        let rest = self.all_options().filter(|(section, ..)| *section != name);
        if !rest.eq(changed.all_options()) {
            let what = format!(
                "[{name}] cannot be removed, because the lines after it are indented oddly"
            );
            return Err(IniError { line: None, what });
        }
        *self = changed;
        Ok(true)
    }

    fn with_value(&self, section: &str, option: &str, value: &str) -> Result<Self, IniError> {
        let value = value.replace("\r\n", "\n").replace('\r', "\n");
        let wanted = as_read(&value);
        let found = self.section(section);
        let changed = match (found, found.and_then(|found| self.entry(found, option))) {
            (_, Some(entry)) if self.text_of(&entry.value) == wanted => return Ok(self.clone()),
            (_, Some(entry)) => {
                let mut lines = self.rendered(self.indent(entry), option, &value);
                lines.extend(self.comments(&entry.lines));
                self.replaced(entry.lines.clone(), lines)
            }
            (Some(found), None) => {
                let last = found.options.last();
                let at = last.map_or(found.header + 1, |entry| entry.lines.end);
                let indent = last.map_or("", |entry| self.indent(entry));
                self.replaced(at..at, self.rendered(indent, option, &value))
            }
            (None, _) => {
                let end = self.lines().count();
                let newline = self.newline();
                let mut lines = Vec::new();
                if self.lines().last().is_some_and(|line| !strip(line).is_empty()) {
                    lines.push(newline.to_owned());
                }
                lines.push(format!("[{section}]{newline}"));
                lines.extend(self.rendered("", option, &value));
                lines.push(newline.to_owned());
                self.replaced(end..end, lines)
            }
        };
        let changed = changed.map_err(|_| unwritable(section, option))?;
        let read_back = changed.section(section).and_then(|found| changed.option(found, option));
        if read_back != Some(wanted.as_str()) {
            return Err(unwritable(section, option));
        }
        Ok(changed)
    }

    /// This file with the lines of `range` replaced, parsed again.
    fn replaced(&self, range: Range<usize>, new: Vec<String>) -> Result<Self, IniError> {
        let mut lines: Vec<String> = self.lines().map(str::to_owned).collect();
        if let Some(before) = range.start.checked_sub(1).and_then(|at| lines.get_mut(at))
            && !before.ends_with(['\n', '\r'])
        {
            before.push_str(self.newline());
        }
        lines.splice(range, new);
        Self::parse(lines.concat())
    }

    /// Section, name and raw value of every option.
    fn all_options(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.sections.iter().flat_map(move |section| {
            let name = self.text_of(&section.name);
            let options = section.options.iter();
            options.map(move |entry| (name, self.text_of(&entry.name), self.text_of(&entry.value)))
        })
    }

    fn comments(&self, range: &Range<usize>) -> Vec<String> {
        let inside = self.lines().skip(range.start).take(range.len());
        inside.filter(|line| strip(line).starts_with(['#', ';'])).map(str::to_owned).collect()
    }

    /// The lines of the text with their line endings.
    fn lines(&self) -> impl Iterator<Item = &str> {
        lines(&self.text)
    }

    /// The white space before the name of `entry`.
    fn indent(&self, entry: &Entry) -> &str {
        let line = self.lines().nth(entry.lines.start).unwrap_or_default();
        line.strip_suffix(line.trim_start_matches(is_python_space)).unwrap_or("")
    }

    /// The line ending of the file: that of its first line.
    fn newline(&self) -> &'static str {
        match self.lines().next() {
            Some(line) if line.ends_with("\r\n") => "\r\n",
            _ => "\n",
        }
    }

    fn rendered(&self, indent: &str, option: &str, value: &str) -> Vec<String> {
        let newline = self.newline();
        let mut start = format!("{option} = ");
        let mut lines = Vec::new();
        for line in value.split('\n') {
            lines.push(format!("{indent}{start}{line}{newline}"));
            "\t".clone_into(&mut start);
        }
        lines
    }
}

/// The value that the parser reads back: each line stripped, without empty lines at the end.
fn as_read(value: &str) -> String {
    let lines: Vec<&str> = value.split('\n').map(strip).collect();
    strip_end(&lines.join("\n")).to_owned()
}

fn unwritable(section: &str, option: &str) -> IniError {
    let what = format!(
        "{section}.{option} cannot be stored: INI has no way to write this name or value, or the \
         lines around it are indented oddly"
    );
    IniError { line: None, what }
}
