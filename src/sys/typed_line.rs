//! A line that the user types after a question. It needs no escape codes, so that every terminal can
//! show it, and unlike the terminal's own lines it has no limit of 4,096 bytes.

use std::io;

use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use unicode_width::UnicodeWidthChar;
use zeroize::Zeroizing;

use super::Terminal;
use super::raw_mode::RawMode;

/// Room for a line from the start: a growing text would leave copies of a password.
const ROOM: usize = 16 << 10;

/// Whether what is typed is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Echo {
    Yes,
    No,
}

/// What a key does to the line.
enum Effect {
    Nothing,
    Add(char),
    /// Removes this many characters from the end.
    Remove(usize),
    End,
    Cancel,
}

/// Asks `question`, and reads a line. `None` after Ctrl-C, Escape, or Ctrl-D in an empty line.
pub(super) fn read(
    terminal: &Terminal,
    question: &str,
    echo: Echo,
) -> io::Result<Option<Zeroizing<String>>> {
    // Before the question, so that nothing that is typed after it is shown by the terminal.
    let raw = RawMode::enter("")?;
    terminal.prompt(question);
    let read = read_keys(terminal, echo);
    drop(raw);
    terminal.plain("");
    read
}

fn read_keys(terminal: &Terminal, echo: Echo) -> io::Result<Option<Zeroizing<String>>> {
    let mut line = Zeroizing::new(String::with_capacity(ROOM));
    loop {
        let Event::Key(key) = event::read()? else { continue };
        match effect(key, &line) {
            Effect::Nothing => {}
            Effect::End => return Ok(Some(line)),
            Effect::Cancel => return Ok(None),
            Effect::Add(c) => {
                line.push(c);
                if echo == Echo::Yes {
                    terminal.write_bare(c.encode_utf8(&mut [0; 4]));
                }
            }
            Effect::Remove(count) => {
                for c in std::iter::from_fn(|| line.pop()).take(count) {
                    if echo == Echo::Yes {
                        terminal.write_bare(&"\x08 \x08".repeat(c.width().unwrap_or_default()));
                    }
                }
            }
        }
    }
}

fn effect(key: KeyEvent, line: &str) -> Effect {
    let has_control = key.modifiers.contains(KeyModifiers::CONTROL);
    let has_alt = key.modifiers.contains(KeyModifiers::ALT);
    match key.code {
        // Windows reports the release of a key too.
        _ if key.kind == KeyEventKind::Release => Effect::Nothing,
        KeyCode::Enter => Effect::End,
        KeyCode::Esc => Effect::Cancel,
        KeyCode::Backspace => Effect::Remove(1),
        // AltGr is Ctrl with Alt on Windows.
        KeyCode::Char(c) if has_control == has_alt => Effect::Add(c),
        KeyCode::Char('c') if has_control => Effect::Cancel,
        KeyCode::Char('d') if has_control && line.is_empty() => Effect::Cancel,
        KeyCode::Char('h') if has_control => Effect::Remove(1),
        // A line feed that is pasted.
        KeyCode::Char('j') if has_control => Effect::End,
        KeyCode::Char('u') if has_control => Effect::Remove(line.chars().count()),
        _ => Effect::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_edit_and_end_a_line() {
        let of = |c, modifiers| effect(KeyEvent::new(KeyCode::Char(c), modifiers), "ab");
        assert!(matches!(of('x', KeyModifiers::NONE), Effect::Add('x')));
        assert!(matches!(of('X', KeyModifiers::SHIFT), Effect::Add('X')));
        let alt_gr = KeyModifiers::CONTROL | KeyModifiers::ALT;
        assert!(matches!(of('@', alt_gr), Effect::Add('@')));
        assert!(matches!(of('u', KeyModifiers::CONTROL), Effect::Remove(2)));
        assert!(matches!(of('d', KeyModifiers::CONTROL), Effect::Nothing));
        assert!(matches!(of('c', KeyModifiers::CONTROL), Effect::Cancel));
        assert!(matches!(of('j', KeyModifiers::CONTROL), Effect::End));
        let end = KeyEvent::new(KeyCode::Char('d'), KeyModifiers::CONTROL);
        assert!(matches!(effect(end, ""), Effect::Cancel));
    }
}
