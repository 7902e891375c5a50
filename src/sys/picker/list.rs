//! The state of a list: the typed text, the options that match it, and the cursor.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{Choice, Picked, Words};

/// The options with the user's search.
pub(super) struct List {
    /// The texts to search in, one for each option: in lower case, made once.
    texts: Vec<String>,
    typed: String,
    /// Indexes of the options that match what is typed.
    matches: Vec<usize>,
    /// Index in `matches`.
    cursor: usize,
    /// The first row on the page, an index in `matches`.
    top: usize,
    /// Rows of the page.
    page: usize,
    /// Texts that were compared.
    #[cfg(test)]
    compared: usize,
}

impl List {
    pub(super) fn new(choices: &[Choice]) -> Self {
        Self {
            texts: choices.iter().map(Choice::text).collect(),
            typed: String::new(),
            matches: (0..choices.len()).collect(),
            cursor: 0,
            top: 0,
            page: 1,
            #[cfg(test)]
            compared: 0,
        }
    }

    /// Shows `page` rows, with the cursor among them.
    pub(super) fn show(&mut self, page: usize) {
        self.page = usize::max(page, 1);
        let last_top = self.matches.len().saturating_sub(self.page);
        let lowest = (self.cursor + 1).saturating_sub(self.page);
        self.top = self.top.clamp(lowest, usize::max(lowest, self.cursor)).min(last_top);
    }

    /// The page: the index of each option, and whether the cursor is on it.
    pub(super) fn rows(&self) -> impl Iterator<Item = (usize, bool)> {
        let rows = self.matches.iter().enumerate().skip(self.top).take(self.page);
        rows.map(|(at, option)| (*option, at == self.cursor))
    }

    /// True if there are options above the page, and below it.
    pub(super) fn continues(&self) -> (bool, bool) {
        (self.top > 0, self.top + self.page < self.matches.len())
    }

    pub(super) fn typed(&self) -> &str {
        &self.typed
    }

    /// The number of options that match, and of all.
    pub(super) fn count(&self) -> (usize, usize) {
        (self.matches.len(), self.texts.len())
    }

    /// The indexes of the options that match.
    pub(super) fn matches(&self) -> &[usize] {
        &self.matches
    }

    /// Replaces what is typed.
    pub(super) fn search(&mut self, text: &str) {
        self.typed.clear();
        self.typed.push_str(text);
        self.matches = (0..self.texts.len()).collect();
        self.narrow();
    }

    /// Adds `text` to what is typed.
    pub(super) fn enter_text(&mut self, text: &str) {
        let is_blank = |c: char| c.is_control() || c.is_whitespace();
        self.typed.extend(text.chars().map(|c| if is_blank(c) { ' ' } else { c }));
        // What matches the longer text matched the shorter one too.
        self.narrow();
    }

    fn narrow(&mut self) {
        let words = Words::of(&self.typed);
        #[cfg(test)]
        {
            self.compared += self.matches.len();
        }
        self.matches.retain(|at| self.texts.get(*at).is_some_and(|text| words.are_in(text)));
        (self.cursor, self.top) = (0, 0);
    }

    /// Handles a key; returns what the user did if that ends the list.
    pub(super) fn press(&mut self, key: KeyEvent) -> Option<Picked> {
        let has_control = key.modifiers.contains(KeyModifiers::CONTROL);
        let has_alt = key.modifiers.contains(KeyModifiers::ALT);
        let last = self.matches.len().saturating_sub(1);
        match key.code {
            KeyCode::Esc => return Some(Picked::Nothing),
            KeyCode::Enter => return self.matches.get(self.cursor).copied().map(Picked::Option),
            KeyCode::Char('c') if has_control => return Some(Picked::Interrupted),
            KeyCode::Up => self.cursor = self.cursor.checked_sub(1).unwrap_or(last),
            KeyCode::Char('p') if has_control => {
                self.cursor = self.cursor.checked_sub(1).unwrap_or(last);
            }
            KeyCode::Down | KeyCode::Tab => self.down(last),
            KeyCode::Char('n') if has_control => self.down(last),
            KeyCode::PageUp => self.cursor = self.cursor.saturating_sub(self.page),
            KeyCode::PageDown => self.cursor = usize::min(self.cursor + self.page, last),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = last,
            KeyCode::Char('u') if has_control => self.search(""),
            KeyCode::Char('w') if has_control => {
                let kept = self.typed.trim_end().rsplit_once(' ').map_or("", |(kept, _)| kept);
                let kept = kept.to_owned();
                self.search(&kept);
            }
            KeyCode::Backspace => {
                let mut shorter = self.typed.clone();
                if shorter.pop().is_some() {
                    self.search(&shorter);
                }
            }
            // AltGr is Ctrl with Alt on Windows.
            KeyCode::Char(c) if has_control == has_alt => {
                self.enter_text(c.encode_utf8(&mut [0; 4]));
            }
            _ => {}
        }
        None
    }

    fn down(&mut self, last: usize) {
        self.cursor = if self.cursor >= last { 0 } else { self.cursor + 1 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: String) -> Choice {
        Choice { name, ..Choice::default() }
    }

    fn list(count: usize) -> List {
        let choices: Vec<Choice> = (0..count).map(|at| named(format!("Payments {at}"))).collect();
        List::new(&choices)
    }

    fn press(list: &mut List, code: KeyCode) -> Option<Picked> {
        let done = list.press(KeyEvent::from(code));
        list.show(list.page);
        done
    }

    fn control(c: char) -> KeyEvent {
        KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL)
    }

    fn shown(list: &List) -> Vec<usize> {
        list.rows().map(|(option, _)| option).collect()
    }

    #[test]
    fn the_cursor_is_always_on_the_page() {
        let mut list = list(10);
        list.show(3);
        for code in [KeyCode::Down, KeyCode::End, KeyCode::Up, KeyCode::PageUp, KeyCode::PageUp]
            .into_iter()
            .chain([
                KeyCode::Up,
                KeyCode::Home,
                KeyCode::PageDown,
                KeyCode::PageDown,
                KeyCode::Down,
            ])
        {
            press(&mut list, code);
            for page in [3, 1, 8, 3] {
                list.show(page);
                assert_eq!(list.rows().filter(|(_, is_cursor)| *is_cursor).count(), 1);
                assert_eq!(list.rows().count(), page);
            }
        }
    }

    #[test]
    fn keys_edit_the_text_and_leave() {
        let mut list = list(30);
        list.show(5);
        list.enter_text("pay\t17\n");
        assert_eq!((list.typed(), shown(&list)), ("pay 17 ", vec![17]));
        list.press(control('w'));
        assert_eq!((list.typed(), list.count()), ("pay", (30, 30)));
        press(&mut list, KeyCode::Backspace);
        assert_eq!(list.typed(), "pa");
        list.press(control('u'));
        assert_eq!(list.typed(), "");
        for c in "x7".chars() {
            assert_eq!(press(&mut list, KeyCode::Char(c)), None);
        }
        assert_eq!(list.count(), (0, 30));
        assert_eq!(press(&mut list, KeyCode::Enter), None, "there is nothing to choose");
        assert_eq!(press(&mut list, KeyCode::Down), None);
        list.search("7");
        assert_eq!(press(&mut list, KeyCode::Down), None);
        assert_eq!(press(&mut list, KeyCode::Enter), Some(Picked::Option(17)));
        assert_eq!(press(&mut list, KeyCode::Esc), Some(Picked::Nothing));
        assert_eq!(list.press(control('c')), Some(Picked::Interrupted));
    }

    /// A key answers within a frame because it compares each text at most once, and a further
    /// letter only those that matched before.
    #[test]
    fn a_key_compares_few_texts() {
        let regions = ["weu", "neu", "jpe", "brs"];
        let name = |at: usize| named(format!("Payments {} {at}", regions[at % 4]));
        let choices: Vec<Choice> = (0..5000).map(name).collect();
        let mut list = List::new(&choices);
        list.show(20);
        let mut compared = Vec::new();
        for key in "weu 123".chars().map(KeyCode::Char).chain([KeyCode::Down, KeyCode::Backspace]) {
            let before = list.compared;
            press(&mut list, key);
            compared.push(list.compared - before);
            assert!(list.rows().count() <= 20);
        }
        // `w`, `e`, `u`, blank, `1`, `2`, `3`; then a move, and a shorter text.
        assert_eq!(compared[..2], [5000, 1250]);
        assert!(
            compared[2..6].iter().all(|count| *count <= 1250) && compared[6] < 200,
            "{compared:?}"
        );
        assert_eq!(compared[7..], [0, 5000]);
    }
}
