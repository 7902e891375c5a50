//! A list to choose from, on the whole screen of a terminal of any size.
//!
//! The drawing is azt's own. The crate inquire fixes the number of rows when it starts, so in a
//! window that shrinks Enter takes a row that nobody sees, and it has no place for a count. The
//! fuzzy pickers match texts that do not contain the typed words.

mod choice;
mod frame;
mod list;
mod numbered;
mod screen;

use std::io;
use std::time::Duration;

use crossterm::event::{self, Event, KeyEventKind};

pub(crate) use choice::{Choice, Words};
use frame::Frame;
use list::List;
pub(super) use numbered::pick_by_number;
use screen::Screen;

/// What the user did with a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Picked {
    /// Chose the option at this index.
    Option(usize),
    /// Left without a choice.
    Nothing,
    /// Pressed Ctrl-C.
    Interrupted,
}

/// Shows `choices` until the user chooses one or leaves. `ellipsis` ends what is cut.
pub(super) fn pick(
    question: &str,
    choices: &[Choice],
    in_colour: bool,
    ellipsis: &str,
) -> io::Result<Picked> {
    let mut list = List::new(choices);
    let mut screen = Screen::open(in_colour)?;
    let mut size = super::Screen::size();
    let mut lines = choice::lines(choices, frame::columns_of_options(size.0), ellipsis);
    loop {
        list.show(frame::rows_of_options(size.1));
        // A pasted text is one change, not one for each character.
        if !event::poll(Duration::ZERO)? {
            screen.draw(&Frame::new(question, &list, &lines, size))?;
        }
        match event::read()? {
            // Windows reports the release of a key too.
            Event::Key(key) if key.kind != KeyEventKind::Release => {
                if let Some(picked) = list.press(key) {
                    return Ok(picked);
                }
            }
            Event::Paste(text) => list.enter_text(&text),
            Event::Resize(..) => {
                size = super::Screen::size();
                lines = choice::lines(choices, frame::columns_of_options(size.0), ellipsis);
                screen.forget();
            }
            _ => {}
        }
    }
}
