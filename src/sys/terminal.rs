//! Standard output and standard error. `prompts.rs` asks.

use std::cell::{Cell, RefCell};
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use indicatif::ProgressBar;
use zeroize::Zeroizing;

use super::stream::Patient;
use super::{Env, Screen, lines, logging_commands};
use crate::error::{Error, Result};
use crate::foreign::{is_line_end, visible, with_visibility};
use crate::program::Program;
use crate::secret::Secret;

/// The importance of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// A failure. Always shown.
    Error,
    /// Text that the user needs to continue, such as a device code. Shown even with
    /// `--only-show-errors`, without a level prefix, as az does.
    Notice,
    /// A warning. Hidden by `--only-show-errors`.
    Warning,
    /// Progress. Shown by `--verbose` and `--debug`.
    Info,
    /// Details. Shown by `--debug`.
    Debug,
}

/// Which messages are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Verbosity {
    /// `--only-show-errors`.
    OnlyErrors,
    /// Errors and warnings.
    #[default]
    Normal,
    /// `--verbose`.
    Verbose,
    /// `--debug`.
    Debug,
}

/// No style.
pub(crate) const PLAIN: Style = Style::new();

/// The two streams. Results go to standard output, everything else to standard error.
#[allow(clippy::struct_excessive_bools, reason = "the flags are independent")]
pub struct Terminal {
    out: RefCell<Box<dyn Write>>,
    err: RefCell<Box<dyn Write>>,
    stdin_is_tty: bool,
    stdout_is_tty: bool,
    stderr_is_tty: bool,
    verbosity: Cell<Verbosity>,
    colour: Cell<bool>,
    /// True if the terminal can move its cursor.
    pub(super) moves_cursor: Cell<bool>,
    /// True if messages have styles; under the name az, that is [`Terminal::colour`].
    has_styles: Cell<bool>,
    /// True if the level of a message is always written in words.
    has_prefixes: Cell<bool>,
    /// True if long lines of messages break between words.
    breaks_lines: Cell<bool>,
    uses_clipboard: Cell<bool>,
    /// The spinner on standard error, which other text must not meet.
    spinner: RefCell<Option<ProgressBar>>,
    /// True if a pipeline searches both streams for commands, so that texts need escaping.
    is_read_for_commands: bool,
}

impl Terminal {
    /// The streams of this process. Colour is off until [`Terminal::set_colour`].
    pub(crate) fn real() -> Self {
        Self {
            out: RefCell::new(Box::new(Patient(io::stdout()))),
            err: RefCell::new(Box::new(Patient(io::stderr()))),
            stdin_is_tty: io::stdin().is_terminal(),
            stdout_is_tty: io::stdout().is_terminal(),
            stderr_is_tty: io::stderr().is_terminal(),
            verbosity: Cell::default(),
            colour: Cell::new(false),
            moves_cursor: Cell::new(true),
            has_styles: Cell::new(false),
            has_prefixes: Cell::new(true),
            breaks_lines: Cell::new(false),
            uses_clipboard: Cell::new(true),
            spinner: RefCell::default(),
            is_read_for_commands: logging_commands::are_read(),
        }
    }

    /// Writes to `out` and `err`, which are not terminals.
    pub fn piped(out: Box<dyn Write>, err: Box<dyn Write>) -> Self {
        Self {
            out: RefCell::new(out),
            err: RefCell::new(err),
            stdin_is_tty: false,
            stdout_is_tty: false,
            stderr_is_tty: false,
            verbosity: Cell::default(),
            colour: Cell::new(false),
            moves_cursor: Cell::new(true),
            has_styles: Cell::new(false),
            has_prefixes: Cell::new(true),
            breaks_lines: Cell::new(false),
            uses_clipboard: Cell::new(true),
            spinner: RefCell::default(),
            is_read_for_commands: false,
        }
    }

    /// Sets which messages are shown from now on.
    pub(crate) fn set_verbosity(&self, verbosity: Verbosity) {
        self.verbosity.set(verbosity);
    }

    /// Allows colour. Results have it only while both streams are terminals (az's rule); under the
    /// name azt the environment must want it too, and messages need only their own terminal.
    pub(super) fn set_colour(&self, wanted: bool, program: Program, env: &Env) {
        if !self.stderr_is_tty {
            return;
        }
        let is_azt = program == Program::Azt;
        let wanted = wanted && (!is_azt || self.screen(env).colour);
        self.colour.set(wanted && self.stdout_is_tty);
        self.has_styles.set(wanted && (is_azt || self.stdout_is_tty));
        self.has_prefixes.set(is_azt);
        self.breaks_lines.set(is_azt);
        self.moves_cursor.set(self.screen(env).cursor);
    }

    /// What standard error can show, if it is a terminal.
    pub(crate) fn screen(&self, env: &Env) -> Screen {
        Screen::of(env)
    }

    /// Lets texts be copied to the clipboard, or not (`core.clipboard`).
    pub(crate) fn set_clipboard(&self, is_used: bool) {
        self.uses_clipboard.set(is_used);
    }

    /// True if a text may be copied to the clipboard.
    pub(crate) fn uses_clipboard(&self) -> bool {
        self.uses_clipboard.get()
    }

    /// Lets the terminal copy a text, which is `base64` here (xterm's OSC 52).
    pub(super) fn copy(&self, base64: &str) {
        self.write_bare(&format!("\x1b]52;c;{base64}\x07"));
    }

    /// Sets the spinner that other text makes way for; `None` when it is gone.
    pub(super) fn set_spinner(&self, spinner: Option<ProgressBar>) {
        self.spinner.replace(spinner);
    }

    /// True when results are coloured.
    pub fn colour(&self) -> bool {
        self.colour.get()
    }

    /// True when messages have styles.
    pub(crate) fn has_styles(&self) -> bool {
        self.has_styles.get()
    }

    /// True when standard input is a terminal, so the user can be prompted.
    pub(crate) fn stdin_is_tty(&self) -> bool {
        self.stdin_is_tty
    }

    /// True when standard output is a terminal.
    pub(crate) fn stdout_is_tty(&self) -> bool {
        self.stdout_is_tty
    }

    /// True when standard error is a terminal.
    pub(crate) fn stderr_is_tty(&self) -> bool {
        self.stderr_is_tty
    }

    /// True when messages of `level` are shown.
    pub(crate) fn shows(&self, level: Level) -> bool {
        match self.verbosity.get() {
            Verbosity::OnlyErrors => level <= Level::Notice,
            Verbosity::Normal => level <= Level::Warning,
            Verbosity::Verbose => level <= Level::Info,
            Verbosity::Debug => true,
        }
    }

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
        if is_shown { Self::columns() } else { usize::MAX }
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
        let mut out = self.out.borrow_mut();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if has_gone(&error) => Ok(()),
            Err(error) => {
                Err(Error::failed(format!("Cannot write the result: {error}.")).source(error))
            }
            Ok(()) => Ok(()),
        }
    }

    /// Writes a message to standard error if its level is shown: `LEVEL: text`. On a coloured
    /// terminal the prefix has the level's colour; under the name az the text has it and the prefix
    /// is missing (az's rule). Invisible characters are escaped. Write errors are ignored because
    /// there is nowhere to report them.
    pub(crate) fn message(&self, level: Level, text: &str) {
        if !self.shows(level) {
            return;
        }
        let (prefix, of_az, colour) = match level {
            Level::Error => ("ERROR:", "\x1b[91m", AnsiColor::Red),
            Level::Notice => ("", "\x1b[93m", AnsiColor::Yellow),
            Level::Warning => ("WARNING:", "\x1b[93m", AnsiColor::Yellow),
            Level::Info => ("INFO:", "\x1b[32m", AnsiColor::Green),
            Level::Debug => ("DEBUG:", "\x1b[36m", AnsiColor::Cyan),
        };
        if self.has_styles.get() && !self.has_prefixes.get() {
            return self.write_error(&format!("{of_az}{}\x1b[0m\n", escaped(text)));
        }
        if prefix.is_empty() {
            return self.plain(text);
        }
        self.line(&[
            (Style::new().fg_color(Some(colour.into())).bold(), prefix),
            (PLAIN, " "),
            (PLAIN, text),
        ]);
    }

    /// Writes a line of parts to standard error at every verbosity, each in its style if styles are
    /// wanted. Invisible characters are escaped.
    pub(crate) fn line(&self, parts: &[(Style, &str)]) {
        let parts: Vec<(Style, String)> =
            parts.iter().map(|(style, text)| (*style, escaped(text))).collect();
        let whole: String = parts.iter().map(|(_, text)| text.as_str()).collect();
        let columns = if self.breaks_lines.get() { Self::columns() } else { usize::MAX };
        let mut whole = lines::broken(whole, columns).into_iter();
        let mut line = String::new();
        for (style, text) in parts {
            let style = if self.has_styles.get() { style } else { PLAIN };
            let text = String::from_utf8(whole.by_ref().take(text.len()).collect()).unwrap_or(text);
            let _ = write!(line, "{style}{text}{style:#}");
        }
        line.push('\n');
        self.write_error(&line);
    }

    /// The number of columns of the terminal; 80 if it does not know.
    pub(crate) fn columns() -> usize {
        let size = crossterm::terminal::size().ok().map(|(columns, _)| usize::from(columns));
        size.filter(|columns| *columns > 0).unwrap_or(80)
    }

    /// [`Terminal::line`] of a text that is less important than what is around it.
    pub(crate) fn dim(&self, text: &str) {
        self.line(&[(Style::new().dimmed(), text)]);
    }

    /// Writes a line without prefix to standard error at every verbosity, such as a remedy after an
    /// error.
    pub(crate) fn plain(&self, text: &str) {
        self.line(&[(PLAIN, text)]);
    }

    /// Writes `text`, JSON that ends with a line feed, to standard error. Invisible characters
    /// become `\uXXXX`: the stream may be a terminal, and JSON does not escape U+0080 to U+009F.
    pub(crate) fn json_line(&self, text: &str) {
        let text = with_escapes(text, |c, text| {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        });
        if self.is_read_for_commands {
            self.write_bare(&logging_commands::escaped(&text));
        } else {
            self.write_bare(&text);
        }
    }

    /// Tells the runner of GitHub Actions to mask `secret` in its log. No other pipeline command is
    /// written.
    pub(crate) fn add_mask(&self, secret: &Secret) {
        let is_token_character = |c: &char| c.is_ascii_graphic() || *c == ' ';
        let secret: String = secret.expose().chars().filter(is_token_character).collect();
        self.write_bare(&Zeroizing::new(format!("::add-mask::{}\n", *Zeroizing::new(secret))));
    }

    /// [`Terminal::message`] at [`Level::Warning`].
    pub(crate) fn warn(&self, text: &str) {
        self.message(Level::Warning, text);
    }

    /// [`Terminal::message`] at [`Level::Info`].
    pub(crate) fn info(&self, text: &str) {
        self.message(Level::Info, text);
    }

    /// [`Terminal::message`] at [`Level::Debug`].
    pub(crate) fn debug(&self, text: &str) {
        self.message(Level::Debug, text);
    }

    fn write_error(&self, text: &str) {
        if self.is_read_for_commands {
            self.write_bare(&logging_commands::broken(text));
        } else {
            self.write_bare(text);
        }
    }

    fn write_bare(&self, line: &str) {
        let write = || {
            let mut err = self.err.borrow_mut();
            let _ = err.write_all(line.as_bytes()).and_then(|()| err.flush());
        };
        match &*self.spinner.borrow() {
            Some(spinner) => spinner.suspend(write),
            None => write(),
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

/// Replaces the characters that [`clean`] removes with escapes (`\r`, `\u{200b}`). Servers' texts
/// were cleaned when they were parsed. The rest is the user's input, and an invisible character in
/// it is often the cause of the error.
fn escaped(text: &str) -> String {
    with_escapes(text, |c, text| text.extend(c.escape_default()))
}

fn with_escapes(text: &str, escape: impl Fn(char, &mut String)) -> String {
    let mut shown = String::with_capacity(text.len());
    for (c, is_visible) in with_visibility(text) {
        if is_visible && is_clean(c) {
            shown.push(c);
        } else {
            escape(c, &mut shown);
        }
    }
    shown
}

fn is_clean(c: char) -> bool {
    c == '\n' || !is_line_end(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_of_a_server_do_not_reach_the_terminal() {
        assert_eq!(clean("AADSTS1\x1b[2J\r\u{9b}31m\u{202e}x\ty\nz"), "AADSTS1[2J31mx\ty\nz");
        assert_eq!(clean("P\u{200b}r\u{e0041}od\u{2028}\u{61c}\u{85}"), "Prod");
    }

    #[test]
    fn messages_escape_invisible_characters() {
        assert_eq!(
            escaped("'a\r\u{200b}\u{1b}[2J\u{85}\u{e0041}\u{fe0f}' ☁\u{fe0f}\tb\nc"),
            "'a\\r\\u{200b}\\u{1b}[2J\\u{85}\\u{e0041}\\u{fe0f}' ☁\u{fe0f}\tb\nc"
        );
    }

    #[test]
    fn only_show_errors_keeps_notices() {
        let terminal = Terminal::piped(Box::new(io::sink()), Box::new(io::sink()));
        terminal.set_verbosity(Verbosity::OnlyErrors);
        assert!(terminal.shows(Level::Notice) && !terminal.shows(Level::Warning));
    }
}
