//! What stands on the screen: the question with the typed text, the options, a count, help.

use unicode_width::UnicodeWidthStr;

use super::super::screen::cut;
use super::list::List;

/// Least rows of options, if the terminal has them.
const LEAST: usize = 3;
/// Rows beside the options: the question, the count and the help.
const AROUND: usize = 3;
/// Columns beside an option: the mark before it, and the last column.
const BESIDE: usize = 3;
const HELP: &str = "type to search, arrows to move, Enter to choose, Esc to leave";
const SHORT_HELP: &str = "type, arrows, Enter; Esc leaves";

/// The rows of options on a terminal with `rows`.
pub(super) fn rows_of_options(rows: usize) -> usize {
    let most = usize::max(rows.saturating_sub(1), 1);
    rows.saturating_sub(AROUND).clamp(usize::min(LEAST, most), most)
}

/// The columns of an option on a terminal with `columns`.
pub(super) fn columns_of_options(columns: usize) -> usize {
    usize::max(columns.saturating_sub(BESIDE), 1)
}

/// A row of the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) text: String,
    pub(super) look: Look,
}

/// How a row is shown, where there is colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Look {
    #[default]
    Plain,
    /// The option under the cursor.
    Chosen,
    /// Less important.
    Faint,
}

/// All rows of the screen.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) rows: Vec<Row>,
    /// The column of the terminal's cursor in the first row.
    pub(super) cursor: usize,
}

impl Frame {
    /// `lines` has the line of each option of `list`; `size` is columns and rows.
    pub(super) fn new(
        question: &str,
        list: &List,
        lines: &[String],
        (columns, height): (usize, usize),
    ) -> Self {
        let text = first_row(question, list.typed(), columns.saturating_sub(1));
        let cursor = text.width();
        let mut rows = vec![Row { text, look: Look::Plain }];
        let (goes_up, goes_on) = list.continues();
        let bottom = rows_of_options(height) - 1;
        let option = |(at, (option, is_chosen)): (usize, (usize, bool))| {
            let mark = match at {
                _ if is_chosen => '>',
                0 if goes_up => '^',
                _ if at == bottom && goes_on => 'v',
                _ => ' ',
            };
            let line = lines.get(option).map(String::as_str).unwrap_or_default();
            let look = if is_chosen { Look::Chosen } else { Look::Plain };
            Row { text: format!("{mark} {line}"), look }
        };
        rows.extend(list.rows().enumerate().map(option));
        let (found, all) = list.count();
        let faint =
            |text: &str| Row { text: cut(text, columns.saturating_sub(1), ""), look: Look::Faint };
        let mut count = format!("{found} of {all}");
        if found == 0 {
            let typed = list.typed().trim();
            let nothing = format!("Nothing matches '{typed}'.");
            rows.push(Row { look: Look::Plain, ..faint(&nothing) });
            count += ". Backspace shows more.";
        }
        // In a low window the options come first.
        let room = height.saturating_sub(1 + rows_of_options(height));
        let help = [HELP, SHORT_HELP].into_iter().find(|help| help.width() < columns);
        rows.extend([Some(count.as_str()), help].into_iter().flatten().take(room).map(faint));
        rows.truncate(usize::max(height, 1));
        Self { rows, cursor }
    }
}

/// The question and what is typed, in at most `columns`. A narrow terminal shows the end of what is
/// typed, without the question.
fn first_row(question: &str, typed: &str, columns: usize) -> String {
    let whole = format!("{question} {typed}");
    if whole.width() <= columns {
        return whole;
    }
    if typed.is_empty() {
        return cut(question, columns, "");
    }
    let backwards: String = typed.chars().rev().collect();
    let end = cut(&backwards, columns.saturating_sub(BESIDE), "");
    ['?', ' '].into_iter().chain(end.chars().rev()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Choice;
    use super::super::choice::lines;
    use super::*;

    fn frame(count: usize, typed: &str, size: (usize, usize)) -> Vec<String> {
        let choices: Vec<Choice> = (0..count)
            .map(|at| Choice {
                name: format!("Payments {at:03}"),
                owner: "Contoso".to_owned(),
                id: format!("60000000-0000-4000-8000-{at:012}"),
                ..Choice::default()
            })
            .collect();
        let mut list = List::new(&choices);
        list.search(typed);
        list.show(rows_of_options(size.1));
        let lines = lines(&choices, columns_of_options(size.0), "…");
        let frame = Frame::new("Subscription to use:", &list, &lines, size);
        frame.rows.into_iter().map(|row| row.text).collect()
    }

    #[test]
    fn a_frame_fits_every_terminal() {
        for typed in ["", "pay", "pay 29", "nothing of that", "a text that is longer than the row"]
        {
            for columns in [5, 9, 20, 40, 80, 100, 200] {
                for rows in 1..60 {
                    let frame = frame(300, typed, (columns, rows));
                    assert!(frame.len() <= rows, "{columns}x{rows}: {frame:#?}");
                    let widest = frame.iter().map(|row| row.width()).max().unwrap();
                    assert!(widest <= usize::max(columns, 3), "{columns}x{rows}: {frame:#?}");
                    let options = frame.iter().filter(|row| row.starts_with(['>', 'v', '^', ' ']));
                    let least = usize::min(rows.saturating_sub(1), 3);
                    assert!(typed != "pay" || rows < 2 || options.count() >= least, "{frame:#?}");
                }
            }
        }
    }

    #[test]
    fn count_and_help_are_said_where_there_is_room() {
        assert_eq!(
            frame(300, "pay 29", (40, 8)),
            [
                "Subscription to use: pay 29",
                "> Payments 029  Contoso",
                "  Payments 129  Contoso",
                "  Payments 229  Contoso",
                "  Payments 290  Contoso",
                "v Payments 291  Contoso",
                "13 of 300",
                SHORT_HELP,
            ]
        );
        assert_eq!(
            frame(300, "pay x", (80, 24)),
            [
                "Subscription to use: pay x",
                "Nothing matches 'pay x'.",
                "0 of 300. Backspace shows more.",
                HELP,
            ]
        );
        let low = frame(300, "", (80, 5));
        assert_eq!((low.len(), low[4].as_str()), (5, "300 of 300"));
        assert_eq!(frame(300, "", (80, 4)).len(), 4);
    }
}
