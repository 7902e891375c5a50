//! An option of a list: its line on the screen, and the words that find it.

use std::collections::HashMap;

use unicode_width::UnicodeWidthStr;

use super::super::screen::cut;
use crate::foreign::Sentence;

/// Columns between two cells of a line.
const GAP: usize = 2;
/// Columns of an id's end, which is shown if two lines are otherwise equal.
const END_OF_ID: usize = 12;
/// Columns for names from which a few names are cut in favour of the owners.
const WIDE: usize = 40;
/// Least columns that a name keeps beside its note.
const LEAST_OF_NAME: usize = 8;

/// An option of a list. A narrow terminal hides the id first, then the owner.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice {
    /// The name.
    pub(crate) name: String,
    /// A word about its state, such as `disabled`; may be empty.
    pub(crate) note: String,
    /// The name of the owner, such as a subscription's tenant.
    pub(crate) owner: String,
    /// The id.
    pub(crate) id: String,
}

impl Choice {
    /// The text that typed words are searched in: everything, in lower case.
    pub(crate) fn text(&self) -> String {
        let Self { name, note, owner, id } = self;
        format!("{name}\n{note}\n{owner}\n{id}").to_lowercase()
    }

    /// The name with its note in at most `columns`. The name is cut, the note is not, if there is
    /// room for both.
    fn name_in(&self, columns: usize, ellipsis: &str) -> String {
        let name = Sentence::new(&self.name);
        if self.note.is_empty() {
            return cut(&name, columns, ellipsis);
        }
        let note = format!(" ({})", Sentence::new(&self.note));
        let room = columns.saturating_sub(note.width());
        if room < LEAST_OF_NAME {
            cut(&name, columns, ellipsis)
        } else {
            cut(&name, room, ellipsis) + &note
        }
    }
}

/// Words that a user types to find something.
pub(crate) struct Words(Vec<String>);

impl Words {
    /// The words of `typed`.
    pub(crate) fn of(typed: &str) -> Self {
        Self(typed.to_lowercase().split_whitespace().map(str::to_owned).collect())
    }

    /// True when `text`, which is in lower case, contains each word, in any order.
    pub(crate) fn are_in(&self, text: &str) -> bool {
        self.0.iter().all(|word| text.contains(word.as_str()))
    }
}

/// The lines of `choices`, in columns that are aligned; equal lines get the end of their id
/// appended. `ellipsis` ends what is cut.
pub(super) fn lines(choices: &[Choice], columns: usize, ellipsis: &str) -> Vec<String> {
    let widest = |of: &dyn Fn(&Choice) -> usize| choices.iter().map(of).max().unwrap_or_default();
    let names: Vec<String> = choices.iter().map(|it| it.name_in(usize::MAX, ellipsis)).collect();
    let name = names.iter().map(|it| it.width()).max().unwrap_or_default();
    let owner = widest(&|it| it.owner.width());
    let id = widest(&|it| it.id.width());
    let beside_owner = columns.saturating_sub(GAP + owner);
    let shows_id = name + GAP + owner + GAP + id <= columns;
    // In a wide window a few long names do not hide every owner.
    let fitting = names.iter().filter(|it| it.width() <= beside_owner).count();
    let are_most = beside_owner >= WIDE && fitting * 10 >= choices.len() * 9;
    let shows_owner = owner > 0 && (are_most || fitting == choices.len());
    let room = if shows_owner { usize::min(name, beside_owner) } else { columns };
    let line = |(choice, whole): (&Choice, &String)| {
        let shown =
            if whole.width() <= room { whole.clone() } else { choice.name_in(room, ellipsis) };
        if !shows_owner {
            return shown;
        }
        let line = padded(&shown, room) + &padded(&Sentence::new(&choice.owner), owner);
        let line = if shows_id { line + &Sentence::new(&choice.id) } else { line };
        line.trim_end().to_owned()
    };
    let lines: Vec<String> = choices.iter().zip(&names).map(line).collect();
    if shows_id && shows_owner { lines } else { distinct(&lines, choices, columns, ellipsis) }
}

/// `text`, filled up to `columns` and the gap.
fn padded(text: &str, columns: usize) -> String {
    let blanks = columns.saturating_sub(text.width()) + GAP;
    format!("{text}{:blanks$}", "")
}

fn distinct(lines: &[String], choices: &[Choice], columns: usize, ellipsis: &str) -> Vec<String> {
    let mut alike: HashMap<&str, usize> = HashMap::new();
    for line in lines {
        *alike.entry(line).or_default() += 1;
    }
    let distinct = |(line, choice): (&String, &Choice)| {
        if alike.get(line.as_str()).is_none_or(|count| *count == 1) {
            return line.clone();
        }
        let length = usize::min(END_OF_ID, columns / 2);
        let from = choice.id.chars().count().saturating_sub(length);
        let end: String = choice.id.chars().skip(from).collect();
        let name = cut(line, columns.saturating_sub(length + 1 + ellipsis.width()), ellipsis);
        cut(&format!("{name} {ellipsis}{end}"), columns, ellipsis)
    };
    lines.iter().zip(choices).map(distinct).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(name: &str, note: &str, owner: &str, id: &str) -> Choice {
        let [name, note, owner, id] = [name, note, owner, id].map(str::to_owned);
        Choice { name, note, owner, id }
    }

    #[test]
    fn narrow_lines_drop_the_id_then_the_owner_then_cut_the_name() {
        let all = [
            choice("Production", "", "Contoso", "50000000-0000"),
            choice("Test", "disabled", "Fabrikam", "50000000-0001"),
        ];
        let wide = [
            "Production       Contoso   50000000-0000",
            "Test (disabled)  Fabrikam  50000000-0001",
        ];
        for (columns, shown) in [
            (80, wide),
            (40, wide),
            (39, ["Production       Contoso", "Test (disabled)  Fabrikam"]),
            (25, ["Production       Contoso", "Test (disabled)  Fabrikam"]),
            (24, ["Production", "Test (disabled)"]),
            (9, ["Producti…", "Test"]),
            (1, ["…", "…"]),
        ] {
            let lines = lines(&all, columns, "…");
            // Of the narrowest lines only the ends of the ids are distinct.
            if columns > 1 {
                assert_eq!(lines, shown, "{columns}");
            }
        }
        // Two columns each.
        assert_eq!(lines(&[choice("東京本番", "", "", "")], 6, "…"), ["東京…"]);
        let wide = [choice("東京", "", "Contoso", ""), choice("Test", "", "Contoso", "")];
        assert_eq!(lines(&wide, 20, "…"), ["東京  Contoso", "Test  Contoso"]);
    }

    #[test]
    fn a_note_stays_where_the_name_is_cut() {
        let it = choice("A long name of a subscription", "disabled", "", "");
        assert_eq!(it.name_in(24, "…"), "A long name … (disabled)");
        assert_eq!(it.name_in(12, "…"), "A long name…");
    }

    #[test]
    fn a_few_long_names_do_not_hide_the_owners() {
        let mut all = vec![choice("Payments", "", "Contoso", ""); 19];
        all.push(choice(&"x".repeat(64), "", "Contoso", ""));
        for (at, it) in all.iter_mut().enumerate() {
            it.name = format!("{at:02}{}", it.name);
        }
        let lines = lines(&all, 60, "…");
        assert!(lines.iter().all(|line| line.ends_with("  Contoso")), "{lines:#?}");
        assert!(lines.iter().all(|line| line.width() == 60), "{lines:#?}");
    }

    #[test]
    fn no_two_lines_are_alike() {
        let (one, other) = ("5000000000000000000a", "5000000000000000000b");
        let all = [choice("Same name", "", "A", one), choice("Same name", "", "B", other)];
        assert_eq!(lines(&all, 24, "…"), ["Same name  A", "Same name  B"]);
        assert_eq!(lines(&all, 11, "…"), ["Sam… …0000a", "Sam… …0000b"]);
        assert_eq!(lines(&all, 11, "..."), [".. ...0000a", ".. ...0000b"]);
    }

    #[test]
    fn words_match_in_any_order_and_case() {
        let text = choice("Payments WEU prod", "disabled", "Contoso", "6000-07").text();
        for typed in ["prod weu", "WEU PROD", "contoso 07", "dis", "", "  "] {
            assert!(Words::of(typed).are_in(&text), "{typed}");
        }
        for typed in ["prod neu", "prodweu", "payments weu x"] {
            assert!(!Words::of(typed).are_in(&text), "{typed}");
        }
    }
}
