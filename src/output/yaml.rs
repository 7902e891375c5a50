//! The `yaml` format: PyYAML's `safe_dump` in block style, 80 columns wide, with sorted keys.

use std::collections::BTreeMap;

use super::datum::{Datum, Dict, List};
use super::python;
use super::sink::Sink;
use super::yaml_resolver;
use super::yaml_scalar::{analyse, escape, is_break, runs, stays_in_double_quotes};

/// Lines are folded at the first single space after this column.
const BEST_WIDTH: usize = 80;

/// Keys of at least this many code points are written with `? `.
const LONG_KEY: usize = 123;

/// Writes `value` as one document.
pub(super) fn write(value: &Datum<'_>, sink: &mut Sink) {
    let mut emitter = Emitter::new(sink);
    // az converts an answer with an OrderedDict to JSON and back first, which loses the identity of
    // objects.
    if !value.holds_ordered_dict() {
        emitter.number_repeated(value);
    }
    emitter.node(value, Place::Root);
    emitter.start_line();
    if emitter.open_ended {
        emitter.indicator("...", true, false);
        emitter.start_line();
    }
}

/// The position of a node.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Root,
    Item,
    Key,
    Value,
}

/// The anchor of a container that occurs more than once.
struct Anchor {
    /// From 1, in the order of the first repetitions; 0 if the container occurs once.
    number: usize,
    written: bool,
}

struct Emitter<'s> {
    sink: &'s mut Sink,
    anchors: BTreeMap<*const (), Anchor>,
    indent: Option<usize>,
    column: usize,
    /// The last character was white space.
    whitespace: bool,
    /// The current line has only indentation and indicators.
    indention: bool,
    /// The document is a plain scalar, which needs a final `...`.
    open_ended: bool,
}

impl<'s> Emitter<'s> {
    fn new(sink: &'s mut Sink) -> Self {
        Self {
            sink,
            anchors: BTreeMap::new(),
            indent: None,
            column: 0,
            whitespace: true,
            indention: true,
            open_ended: false,
        }
    }

    fn number_repeated(&mut self, value: &Datum<'_>) {
        let mut numbered = 0;
        let mut waiting = vec![value.clone()];
        while let Some(value) = waiting.pop() {
            let Some(identity) = value.identity() else { continue };
            if let Some(anchor) = self.anchors.get_mut(&identity) {
                if anchor.number == 0 {
                    numbered += 1;
                    anchor.number = numbered;
                }
                continue;
            }
            self.anchors.insert(identity, Anchor { number: 0, written: false });
            let start = waiting.len();
            match &value {
                Datum::List(list) => waiting.extend(list.iter()),
                Datum::Dict(dict) => waiting.extend(dict.sorted().into_iter().map(|entry| entry.1)),
                _ => {}
            }
            // The stack pops from its end, so reverse the children to visit them in document order.
            if let Some(added) = waiting.get_mut(start..) {
                added.reverse();
            }
        }
    }

    fn node(&mut self, value: &Datum<'_>, place: Place) {
        let anchor = value.identity().and_then(|identity| self.anchors.get_mut(&identity));
        if let Some(anchor) = anchor.filter(|anchor| anchor.number > 0) {
            let name = format!("{}id{:03}", if anchor.written { '*' } else { '&' }, anchor.number);
            let repeated = std::mem::replace(&mut anchor.written, true);
            self.indicator(&name, true, false);
            if repeated {
                return;
            }
        }
        match value {
            Datum::List(list) if list.len() > 0 => self.block_sequence(list, place),
            Datum::Dict(dict) if dict.len() > 0 => self.block_mapping(dict),
            Datum::List(_) => self.indicator("[]", true, false),
            Datum::Dict(_) => self.indicator("{}", true, false),
            Datum::Text(text) => self.string(text, place),
            Datum::Null => self.plain("null", place),
            Datum::Bool(flag) => self.plain(if *flag { "true" } else { "false" }, place),
            Datum::Int(int) => self.plain(&int.to_string(), place),
            Datum::Float(float) => self.plain(&self::float(*float), place),
        }
    }

    fn block_sequence(&mut self, list: &List<'_>, place: Place) {
        let outer = self.indent;
        // A list as a value has the indentation of its key.
        let indentless = place == Place::Value && !self.indention;
        self.indent = Some(outer.map_or(0, |outer| if indentless { outer } else { outer + 2 }));
        for item in list.iter() {
            self.start_line();
            self.indicator("-", true, true);
            self.node(&item, Place::Item);
        }
        self.indent = outer;
    }

    fn block_mapping(&mut self, dict: &Dict<'_>) {
        let outer = self.indent;
        self.indent = Some(outer.map_or(0, |outer| outer + 2));
        for (key, value) in dict.sorted() {
            self.start_line();
            if !key.is_empty() && !key.contains(is_break) && key.chars().count() < LONG_KEY {
                self.string(key, Place::Key);
                self.indicator(":", false, false);
            } else {
                self.indicator("?", true, true);
                self.string(key, Place::Value);
                self.start_line();
                self.indicator(":", true, true);
            }
            self.node(&value, Place::Value);
        }
        self.indent = outer;
    }

    fn string(&mut self, text: &str, place: Place) {
        let analysis = analyse(text);
        let key = place == Place::Key;
        if analysis.plain && !yaml_resolver::is_non_string(text) {
            return self.plain(text, place);
        }
        self.indented(|emitter| {
            if analysis.single_quoted && !(key && analysis.multiline) {
                emitter.single_quoted(text, !key);
            } else {
                emitter.double_quoted(text, !key);
            }
        });
    }

    /// Runs `write` with the indentation of a scalar's continuation lines.
    fn indented(&mut self, write: impl FnOnce(&mut Self)) {
        let outer = self.indent;
        self.indent = Some(outer.map_or(2, |outer| outer + 2));
        write(self);
        self.indent = outer;
    }

    fn plain(&mut self, text: &str, place: Place) {
        if !self.whitespace {
            self.text(" ");
        }
        self.open_ended = place == Place::Root;
        self.whitespace = false;
        self.indention = false;
        self.indented(|emitter| {
            for run in runs(text) {
                if run == " " && emitter.column > BEST_WIDTH && place != Place::Key {
                    emitter.start_line();
                    emitter.whitespace = false;
                    emitter.indention = false;
                } else {
                    emitter.text(run);
                }
            }
        });
    }

    fn single_quoted(&mut self, text: &str, fold: bool) {
        self.indicator("'", true, false);
        let count = runs(text).count();
        for (index, run) in runs(text).enumerate() {
            let inside = index > 0 && index + 1 < count;
            if run == " " && self.column > BEST_WIDTH && fold && inside {
                self.start_line();
            } else if run.starts_with(is_break) {
                if run.starts_with('\n') {
                    self.line_break('\n');
                }
                run.chars().for_each(|character| self.line_break(character));
                self.start_line();
            } else if run.starts_with('\'') {
                self.text(run);
                self.text(run);
            } else {
                self.text(run);
            }
        }
        self.indicator("'", false, false);
    }

    fn double_quoted(&mut self, text: &str, fold: bool) {
        let characters: Vec<char> = text.chars().collect();
        self.indicator("\"", true, false);
        // Characters from `start` are still to be written. After an escape, `start` is one past
        // `end`.
        let mut start = 0;
        for (end, &character) in characters.iter().enumerate() {
            if !stays_in_double_quotes(character) {
                self.flush(&characters, start, end);
                self.text(&escape(character));
                start = end + 1;
            }
            let may_fold =
                fold && end > 0 && end + 1 < characters.len() && (character == ' ' || start >= end);
            if may_fold && self.column + end > BEST_WIDTH + start {
                self.flush(&characters, start, end);
                start = start.max(end);
                self.text("\\");
                self.start_line();
                self.whitespace = false;
                self.indention = false;
                if characters.get(start) == Some(&' ') {
                    self.text("\\");
                }
            }
        }
        self.flush(&characters, start, characters.len());
        self.indicator("\"", false, false);
    }

    fn flush(&mut self, characters: &[char], start: usize, end: usize) {
        for character in characters.get(start..end).unwrap_or_default() {
            self.text(character.encode_utf8(&mut [0; 4]));
        }
    }

    fn indicator(&mut self, indicator: &str, needs_space: bool, indention: bool) {
        if needs_space && !self.whitespace {
            self.text(" ");
        }
        self.text(indicator);
        self.whitespace = false;
        self.indention &= indention;
        self.open_ended = false;
    }

    /// Begins a new line, unless the current one is empty, and indents it.
    fn start_line(&mut self) {
        let indent = self.indent.unwrap_or_default();
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.line_break('\n');
        }
        if self.column < indent {
            self.whitespace = true;
            self.sink.repeat(" ", indent - self.column);
            self.column = indent;
        }
    }

    fn line_break(&mut self, character: char) {
        self.sink.push(character);
        self.whitespace = true;
        self.indention = true;
        self.column = 0;
    }

    fn text(&mut self, text: &str) {
        self.sink.push_str(text);
        self.column += text.chars().count();
    }
}

/// Formats a float so that YAML 1.1 recognises it: with a dot before the exponent.
fn float(value: f64) -> String {
    let text = python::float(value);
    match text.as_str() {
        "nan" => ".nan".to_owned(),
        "inf" => ".inf".to_owned(),
        "-inf" => "-.inf".to_owned(),
        _ if text.contains('.') => text,
        _ => text.replacen('e', ".0e", 1),
    }
}
