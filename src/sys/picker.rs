//! A selection list that fits the terminal, so that the selected row is always visible.

use std::collections::HashMap;

use crossterm::terminal;
use inquire::ui::RenderConfig;
use inquire::{InquireError, Select};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::foreign::Sentence;

/// Most rows of a list.
const LONGEST_PAGE: usize = 15;
const SHORTEST_PAGE: usize = 3;
/// Rows around the list: the question, the help and the cursor's last row.
const AROUND: usize = 3;
/// Columns around an option: the mark before it, and the last column, where some terminals wrap.
const BESIDE: usize = 3;
/// Columns of an id's end, which is shown if two lines are otherwise equal.
const END_OF_ID: usize = 12;
const HELP: &str = "type to search, arrows to move, Enter to choose, Esc to keep";
const SHORT_HELP: &str = "type, arrows, Enter; Esc keeps";

/// An option of the list. A narrow terminal hides the id first, then the owner.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// The name.
    pub(crate) name: String,
    /// The name of the owner, such as a subscription's tenant.
    pub(crate) owner: String,
    /// The id.
    pub(crate) id: String,
}

impl Choice {
    /// Returns all parts in one line. The search uses it.
    fn whole(&self) -> String {
        let Self { name, owner, id } = self;
        Sentence::new(&format!("{name}  {id}  ({owner})")).into()
    }

    /// Returns as many parts as fit into `columns`.
    fn in_columns(&self, columns: usize) -> String {
        let without_id = || Sentence::new(&format!("{} ({})", self.name, self.owner)).into();
        let name = || Sentence::new(&self.name).into();
        let fits = |text: &String| text.width() <= columns;
        let whole = Some(self.whole()).filter(fits);
        whole.or_else(|| Some(without_id()).filter(fits)).unwrap_or_else(|| cut(name(), columns))
    }
}

/// Cuts `text` to at most `columns`; a cut text ends with an ellipsis.
pub(crate) fn cut(text: String, columns: usize) -> String {
    if text.width() <= columns {
        return text;
    }
    let mut left = columns.saturating_sub(1);
    let fitting = text.chars().take_while(|c| {
        let width = c.width().unwrap_or(0);
        let fits = width <= left;
        left = left.saturating_sub(width);
        fits
    });
    fitting.chain(['…']).collect()
}

/// Returns a line for each of `choices`; equal lines get the end of their id appended.
fn lines(choices: &[Choice], columns: usize) -> Vec<String> {
    let lines: Vec<String> = choices.iter().map(|it| it.in_columns(columns)).collect();
    let mut alike: HashMap<&str, usize> = HashMap::new();
    for line in &lines {
        *alike.entry(line).or_default() += 1;
    }
    let distinct = |(line, choice): (&String, &Choice)| {
        if alike.get(line.as_str()).is_none_or(|count| *count == 1) {
            return line.clone();
        }
        let length = usize::min(END_OF_ID, columns / 2);
        let from = choice.id.chars().count().saturating_sub(length);
        let end: String = choice.id.chars().skip(from).collect();
        let name = cut(line.clone(), columns.saturating_sub(length + 2));
        format!("{name} …{end}")
    };
    lines.iter().zip(choices).map(distinct).collect()
}

/// Shows the list and returns the picked index; `None` after Escape or Ctrl-C.
pub(super) fn pick(
    prompt: &str,
    choices: &[Choice],
    first: usize,
    in_colour: bool,
) -> Result<Option<usize>, InquireError> {
    // A terminal that does not know its size reports 0.
    let size = terminal::size().ok().filter(|(columns, rows)| *columns > 0 && *rows > 0);
    let (columns, rows): (usize, usize) =
        size.map_or((80, 24), |(columns, rows)| (columns.into(), rows.into()));
    let lines = lines(choices, usize::max(columns, BESIDE + 1) - BESIDE);
    let wholes: Vec<String> = choices.iter().map(|it| it.whole().to_lowercase()).collect();
    // Matches if each typed word occurs anywhere.
    let scorer = |typed: &str, _: &String, _: &str, at: usize| {
        let whole = wholes.get(at)?;
        typed.to_lowercase().split_whitespace().all(|word| whole.contains(word)).then_some(0)
    };
    // A long question, with its mark and spaces, wraps to more rows.
    let around = AROUND + (prompt.width() + BESIDE) / usize::max(columns, 1);
    let mut select = Select::new(prompt, lines)
        .with_starting_cursor(first)
        .with_page_size(usize::clamp(rows.saturating_sub(around), SHORTEST_PAGE, LONGEST_PAGE))
        .with_scorer(&scorer)
        .without_help_message();
    let help = [HELP, SHORT_HELP].into_iter().find(|help| help.width() + BESIDE <= columns);
    if let Some(help) = help.filter(|_| rows >= SHORTEST_PAGE + around) {
        select = select.with_help_message(help);
    }
    if !in_colour {
        select = select.with_render_config(RenderConfig::empty());
    }
    match select.raw_prompt() {
        Ok(picked) => Ok(Some(picked.index)),
        Err(InquireError::OperationCanceled | InquireError::OperationInterrupted) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(name: &str, owner: &str, id: &str) -> Choice {
        Choice { name: name.to_owned(), owner: owner.to_owned(), id: id.to_owned() }
    }

    #[test]
    fn narrow_lines_drop_the_id_then_the_owner_then_cut_the_name() {
        let it = choice("Production", "Contoso", "50000000-0000");
        for (columns, shown) in [
            (36, "Production 50000000-0000 (Contoso)"),
            (34, "Production 50000000-0000 (Contoso)"),
            (33, "Production (Contoso)"),
            (19, "Production"),
            (9, "Producti…"),
            (1, "…"),
        ] {
            assert_eq!(it.in_columns(columns), shown, "{columns}");
        }
        // Two columns each.
        assert_eq!(choice("東京本番", "", "").in_columns(6), "東京…");
    }

    #[test]
    fn no_two_lines_are_alike() {
        let (one, other) = ("5000000000000000000a", "5000000000000000000b");
        let all = [choice("Same name", "A", one), choice("Same name", "B", other)];
        assert_eq!(lines(&all, 24), ["Same name (A)", "Same name (B)"]);
        assert_eq!(lines(&all, 12), ["Sam… …00000a", "Sam… …00000b"]);
        assert_eq!(lines(&all, 6), ["… …00a", "… …00b"]);
    }
}
