//! The `tsv` format: values separated by tabs, without escapes.

use super::datum::Datum;
use super::python;
use super::sink::Sink;

/// Writes one line for each element of a list, or one line for anything else.
pub(super) fn write(value: &Datum<'_>, sink: &mut Sink) {
    match value {
        Datum::List(rows) => rows.iter().for_each(|row| self::row(&row, sink)),
        single => row(single, sink),
    }
}

fn row(value: &Datum<'_>, sink: &mut Sink) {
    match value {
        Datum::List(list) => cells(list.iter(), sink),
        // Only a multiselect hash keeps the user's order; other dictionaries are sorted.
        Datum::Dict(dict) if dict.is_ordered() => {
            cells(dict.entries().into_iter().map(|entry| entry.1), sink);
        }
        Datum::Dict(dict) => cells(dict.sorted().into_iter().map(|entry| entry.1), sink),
        Datum::Bool(true) => sink.push_str("true"),
        Datum::Bool(false) => sink.push_str("false"),
        scalar => cell(scalar, sink),
    }
    sink.push('\n');
}

fn cells<'a>(values: impl Iterator<Item = Datum<'a>>, sink: &mut Sink) {
    for (index, value) in values.enumerate() {
        sink.push_str(if index == 0 { "" } else { "\t" });
        cell(&value, sink);
    }
}

/// Writes a list as its length, a dictionary as an empty cell, and a boolean as in Python.
fn cell(value: &Datum<'_>, sink: &mut Sink) {
    match value {
        Datum::List(list) => sink.push_str(&list.len().to_string()),
        Datum::Dict(_) => {}
        scalar => sink.push_str(&python::text(scalar)),
    }
}
