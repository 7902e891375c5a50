//! The terminal while a list is shown: its second screen, in raw mode.

use std::io::{self, Stderr, Write};

use crossterm::event::EnableBracketedPaste;
use crossterm::style::{Color, Print, ResetColor, SetForegroundColor};
use crossterm::terminal::{Clear, ClearType, DisableLineWrap, EnterAlternateScreen};
use crossterm::{cursor, execute, queue};

use super::super::raw_mode::RawMode;
use super::frame::{Frame, Look, Row};

/// Brings back the first screen: clears, for a terminal that has no second one, then undoes line
/// wrap, bracketed paste, the second screen, the hidden cursor (xterm, "Control Sequences").
const LEAVE: &str = "\x1b[2J\x1b[1;1H\x1b[?7h\x1b[?2004l\x1b[?1049l\x1b[?25h";

/// The second screen. Dropping it brings back the first one as it was.
pub(super) struct Screen {
    out: Stderr,
    in_colour: bool,
    /// The rows on the screen.
    drawn: Vec<Row>,
    _raw: RawMode,
}

impl Screen {
    pub(super) fn open(in_colour: bool) -> io::Result<Self> {
        let raw = RawMode::enter(LEAVE)?;
        // From here on a failure drops the screen, which leaves raw mode.
        let mut screen = Self { out: io::stderr(), in_colour, drawn: Vec::new(), _raw: raw };
        execute!(screen.out, EnterAlternateScreen, EnableBracketedPaste, DisableLineWrap)?;
        screen.forget();
        Ok(screen)
    }

    /// Draws everything anew the next time: the terminal has moved its rows.
    pub(super) fn forget(&mut self) {
        self.drawn.clear();
    }

    /// Draws the rows that changed.
    pub(super) fn draw(&mut self, frame: &Frame) -> io::Result<()> {
        // In one write, so that no half of a screen is seen.
        let mut text: Vec<u8> = Vec::new();
        queue!(text, cursor::Hide)?;
        if self.drawn.is_empty() {
            queue!(text, Clear(ClearType::All))?;
        }
        let nothing = Row::default();
        for at in 0..usize::max(self.drawn.len(), frame.rows.len()) {
            let row = frame.rows.get(at).unwrap_or(&nothing);
            if self.drawn.get(at).unwrap_or(&nothing) != row {
                queue!(text, cursor::MoveTo(0, number(at)))?;
                self.queue_row(&mut text, row)?;
                queue!(text, Clear(ClearType::UntilNewLine))?;
            }
        }
        queue!(text, cursor::MoveTo(number(frame.cursor), 0), cursor::Show)?;
        self.out.write_all(&text)?;
        self.drawn.clone_from(&frame.rows);
        self.out.flush()
    }

    fn queue_row(&self, text: &mut Vec<u8>, row: &Row) -> io::Result<()> {
        let colour = match row.look {
            Look::Chosen => Some(Color::Cyan),
            Look::Faint => Some(Color::DarkGrey),
            Look::Plain => None,
        };
        if let Some(colour) = colour.filter(|_| self.in_colour) {
            return queue!(text, SetForegroundColor(colour), Print(&row.text), ResetColor);
        }
        queue!(text, Print(&row.text))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // The terminal may be gone.
        let _ = self.out.write_all(LEAVE.as_bytes());
    }
}

fn number(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}
