//! Results on standard output.

use std::io::{self, Write};

use zeroize::Zeroizing;

use super::super::{Screen, lines, logging_commands};
use super::{Terminal, is_clean};
use crate::error::{Error, Result};
use crate::foreign::visible;

impl Terminal {
    /// Writes `text`, a whole result, to standard output. On a terminal, control and invisible
    /// characters are removed, because servers choose the names in it. Elsewhere `text` is written
    /// to the byte, except that pipeline commands in it are broken up.
    ///
    /// # Errors
    /// The write failed. A closed pipe is not an error, because Azure SDKs may kill the shell that
    /// reads the result; the rest is dropped.
    pub(crate) fn result(&self, text: &str) -> Result<()> {
        self.write_result(text, logging_commands::broken)
    }

    /// Like [`Terminal::result`] for sentences: on a terminal they break between words.
    pub(crate) fn prose(&self, text: &str) -> Result<()> {
        self.result(&lines::in_lines(text, self.columns_of_text()))
    }

    /// The columns of a sentence in a result: all that it needs, except on azt's terminal.
    pub(crate) fn columns_of_text(&self) -> usize {
        let is_shown = self.stdout_is_tty && self.breaks_lines.get();
        if is_shown { Screen::size().0 } else { usize::MAX }
    }

    /// Like [`Terminal::result`] for JSON: commands are escaped, so a pipeline reads the same
    /// value.
    pub(crate) fn json_result(&self, text: &str) -> Result<()> {
        self.write_result(text, logging_commands::escaped)
    }

    fn write_result(&self, text: &str, without: fn(&str) -> Zeroizing<String>) -> Result<()> {
        let shown;
        let text = if self.stdout_is_tty {
            shown = Zeroizing::new(clean(text));
            &shown
        } else {
            text
        };
        if self.is_read_for_commands { self.write(&without(text)) } else { self.write(text) }
    }

    /// Like [`Terminal::result`] for text with colours. azt must have written every escape
    /// character in `text`: they are kept.
    pub(crate) fn coloured_result(&self, text: &str) -> Result<()> {
        self.write_coloured(text, logging_commands::broken)
    }

    /// Like [`Terminal::coloured_result`] for JSON.
    pub(crate) fn coloured_json_result(&self, text: &str) -> Result<()> {
        self.write_coloured(text, logging_commands::escaped)
    }

    fn write_coloured(&self, text: &str, without: fn(&str) -> Zeroizing<String>) -> Result<()> {
        let mut shown = Zeroizing::new(String::with_capacity(text.len()));
        for (at, part) in text.split('\x1b').enumerate() {
            shown.push_str(if at == 0 { "" } else { "\x1b" });
            shown.extend(visible(part).filter(|c| is_clean(*c)));
        }
        let text = shown;
        if self.is_read_for_commands { self.write(&without(&text)) } else { self.write(&text) }
    }

    fn write(&self, text: &str) -> Result<()> {
        self.bytes(text.as_bytes())
    }

    /// Writes `bytes` as they are to standard output; errors as for [`Terminal::result`].
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Result<()> {
        let mut out = self.out.borrow_mut();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Err(error) if has_gone(&error) => Ok(()),
            Err(error) => {
                Err(Error::failed(format!("Cannot write the result: {error}.")).source(error))
            }
            Ok(()) => Ok(()),
        }
    }
}

/// True when the reader of a pipe or socket has closed it.
fn has_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}

/// Removes control characters except line feed and tab, so that a server's text cannot control the
/// terminal. Removes invisible characters too: they can disguise a line as another one.
fn clean(text: &str) -> String {
    // Allocated once: a growing string would leave copies, and the text may hold a token.
    let mut clean = String::with_capacity(text.len());
    clean.extend(visible(text).filter(|c| is_clean(*c)));
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_of_a_server_do_not_reach_the_terminal() {
        assert_eq!(clean("AADSTS1\x1b[2J\r\u{9b}31m\u{202e}x\ty\nz"), "AADSTS1[2J31mx\ty\nz");
        assert_eq!(clean("P\u{200b}r\u{e0041}od\u{2028}\u{61c}\u{85}"), "Prod");
    }
}
