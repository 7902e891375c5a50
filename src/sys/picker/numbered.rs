//! A list for terminals that cannot move their cursor (`TERM=dumb`): lines with numbers.

use super::super::{Screen, System};
use super::list::List;
use super::{Choice, choice, frame};
use crate::error::Result;
use crate::foreign::Typed;

/// Most rows of a list; the terminal does not scroll back by a key.
const LONGEST: usize = 40;

/// Prints `choices` with numbers, and reads a number or words that find one. `None` when the user
/// enters nothing.
pub(in crate::sys) fn pick_by_number(
    system: &System,
    question: &str,
    choices: &[Choice],
) -> Result<Option<usize>> {
    let terminal = &system.terminal;
    let mut list = List::new(choices);
    let (columns, rows) = Screen::size();
    let digits = choices.len().to_string().len();
    let room = frame::columns_of_options(columns.saturating_sub(digits));
    let lines = choice::lines(choices, room, terminal.screen(&system.env).ellipsis());
    loop {
        list.show(usize::min(frame::rows_of_options(rows), LONGEST));
        terminal.plain(question);
        let shown: Vec<usize> = list.rows().map(|(option, _)| option).collect();
        for (at, option) in shown.iter().enumerate() {
            let line = lines.get(*option).map(String::as_str).unwrap_or_default();
            terminal.plain(&format!("{:>digits$}  {line}", at + 1));
        }
        let (found, all) = list.count();
        let more =
            if shown.len() < found { format!(", {} shown", shown.len()) } else { String::new() };
        terminal
            .plain(&format!("{found} of {all}{more}. Number, part of a name, or Enter to leave:"));
        let line = terminal.read_plain_line()?.unwrap_or_default();
        let typed = line.trim();
        if typed.is_empty() {
            return Ok(None);
        }
        let number = typed.parse::<usize>().ok().and_then(|it| it.checked_sub(1));
        if let Some(option) = number.and_then(|at| shown.get(at)) {
            return Ok(Some(*option));
        }
        list.search(typed);
        match list.matches() {
            [only] => return Ok(Some(*only)),
            [] => {
                terminal.plain(&format!("Nothing matches '{}'.", Typed(typed)));
                list.search("");
            }
            _ => {}
        }
    }
}
