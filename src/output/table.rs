//! The `table` format: az's choice of columns, laid out as tabulate's `simple` style.

use super::datum::{Datum, Text};
use super::python;
use super::sink::Sink;
use crate::foreign::is_python_space;

/// Keys that never become a column, in exactly this spelling.
const SKIPPED: [&str; 3] = ["id", "type", "etag"];

/// Spaces between two columns.
const GAP: &str = "  ";

/// A row: pairs of header and cell.
type Row<'a> = Vec<(String, Text<'a>)>;

/// The order of a dictionary's columns.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Columns {
    /// By key.
    Sorted,
    AsGiven,
}

/// Writes the table, or one empty line if it would have no columns.
pub(super) fn write(value: &Datum<'_>, order: Columns, sink: &mut Sink) {
    let rows: Vec<Row<'_>> = match value {
        Datum::List(list) => list.iter().map(|item| row(&item, order)).collect(),
        single => vec![row(single, order)],
    };
    let mut headers: Vec<&str> = Vec::new();
    for (header, _) in rows.iter().flatten() {
        if !headers.contains(&header.as_str()) {
            headers.push(header);
        }
    }
    if headers.is_empty() {
        sink.push('\n');
    } else {
        Layout::new(&headers, &rows).write(sink);
    }
}

fn row<'a>(value: &Datum<'a>, order: Columns) -> Row<'a> {
    match value {
        Datum::Dict(dict) => {
            let mut row = Row::new();
            for (key, value) in match order {
                Columns::Sorted => dict.sorted(),
                Columns::AsGiven => dict.entries(),
            } {
                let nested = matches!(value, Datum::Null | Datum::List(_) | Datum::Dict(_));
                if nested || SKIPPED.contains(&key) {
                    continue;
                }
                let header = capitalised(key);
                // `name` and `Name` share a column; the later one wins.
                match row.iter_mut().find(|cell| cell.0 == header) {
                    Some(cell) => cell.1 = cell_text(&value),
                    None => row.push((header, cell_text(&value))),
                }
            }
            row
        }
        Datum::List(list) => {
            let cells = list.iter().enumerate();
            cells
                .map(|(index, value)| (format!("Column{}", index + 1), cell_text(&value)))
                .collect()
        }
        scalar => vec![("Result".to_owned(), cell_text(scalar))],
    }
}

fn capitalised(key: &str) -> String {
    let mut characters = key.chars();
    characters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

fn cell_text<'a>(value: &Datum<'a>) -> Text<'a> {
    match value {
        Datum::Null => Text::Given(""),
        other => python::text(other),
    }
}

/// A table with its column widths.
struct Layout<'t> {
    header: Vec<&'t str>,
    rows: Vec<Vec<&'t str>>,
    /// In code points.
    widths: Vec<usize>,
    /// True if any cell has a line break; then every cell is split into lines.
    multiline: bool,
}

impl<'t> Layout<'t> {
    fn new(headers: &[&'t str], rows: &'t [Row<'_>]) -> Self {
        let breaks = |text: &str| text.contains(['\r', '\n']);
        let multiline = headers.iter().any(|header| breaks(header))
            || rows.iter().flatten().any(|cell| breaks(&cell.1));
        let rows: Vec<Vec<&str>> = rows
            .iter()
            .map(|row| {
                let cell = |header: &&str| row.iter().find(|cell| cell.0 == **header);
                headers
                    .iter()
                    .map(|header| {
                        cell(header).map_or("", |cell| cell.1.trim_matches(is_python_space))
                    })
                    .collect()
            })
            .collect();
        let measure = |text: &str| {
            let lines = text.split(['\r', '\n']).map(|line| line.chars().count());
            lines.max().unwrap_or_default()
        };
        let widths = headers.iter().enumerate().map(|(column, header)| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            let widest = cells.map(|cell| measure(cell)).max().unwrap_or_default();
            widest.max(measure(header) + GAP.len())
        });
        Self { header: headers.to_vec(), widths: widths.collect(), rows, multiline }
    }

    fn write(&self, sink: &mut Sink) {
        self.write_header(sink);
        for (index, width) in self.widths.iter().enumerate() {
            sink.push_str(if index == 0 { "" } else { GAP });
            sink.repeat("-", *width);
        }
        sink.push('\n');
        for row in &self.rows {
            if self.multiline {
                let cells: Vec<Vec<&str>> =
                    row.iter().map(|cell| python::lines(cell).collect()).collect();
                self.write_lines(&cells, true, sink);
            } else {
                self.write_line(row.iter().copied().map(Some), true, sink);
            }
        }
    }

    fn write_header(&self, sink: &mut Sink) {
        if !self.multiline {
            return self.write_line(self.header.iter().copied().map(Some), true, sink);
        }
        // tabulate splits the header at `\r` and `\n` and pads the lines, then splits them at all
        // line ends.
        let fill = |(header, width): (&&str, &usize)| -> Vec<String> {
            header.split(['\r', '\n']).map(|line| format!("{line:width$}")).collect()
        };
        let filled: Vec<Vec<String>> = self.header.iter().zip(&self.widths).map(fill).collect();
        let cells: Vec<Vec<&str>> = filled
            .iter()
            .map(|lines| lines.iter().flat_map(|line| python::lines(line)).collect())
            .collect();
        self.write_lines(&cells, false, sink);
    }

    /// Writes a row of cells with several lines. A row of empty cells disappears, as in az.
    fn write_lines(&self, cells: &[Vec<&str>], fill: bool, sink: &mut Sink) {
        let height = cells.iter().map(Vec::len).max().unwrap_or_default();
        for line in 0..height {
            let pieces = cells.iter().map(|cell| cell.get(line).copied());
            self.write_line(pieces, fill, sink);
        }
    }

    /// Writes one line. Without `fill`, only missing pieces are padded to the width of their
    /// column.
    fn write_line<'p>(
        &self,
        pieces: impl Iterator<Item = Option<&'p str>>,
        fill: bool,
        sink: &mut Sink,
    ) {
        let start = sink.as_str().len();
        for (index, (piece, width)) in pieces.zip(&self.widths).enumerate() {
            sink.push_str(if index == 0 { "" } else { GAP });
            let text = piece.unwrap_or_default();
            sink.push_str(text);
            if fill || piece.is_none() {
                sink.repeat(" ", width.saturating_sub(text.chars().count()));
            }
        }
        sink.trim_end_to(start);
        sink.push('\n');
    }
}
