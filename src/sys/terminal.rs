//! Standard output and standard error. `prompts.rs` asks.

mod results;

use std::cell::{Cell, RefCell};
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use indicatif::ProgressBar;
use zeroize::Zeroizing;

use super::stream::Patient;
use super::{Env, Screen, lines, logging_commands};
use crate::foreign::{is_line_end, with_visibility};
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
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
            has_styles: Cell::new(false),
            has_prefixes: Cell::new(true),
            breaks_lines: Cell::new(false),
            uses_clipboard: Cell::new(true),
            spinner: RefCell::default(),
            is_read_for_commands: false,
        }
    }

    /// No standard output; standard error only for messages of `verbosity`, if there is one.
    pub(super) fn of_thread(verbosity: Option<Verbosity>) -> Self {
        let err: Box<dyn Write> = match verbosity {
            Some(_) => Box::new(Patient(io::stderr())),
            None => Box::new(io::sink()),
        };
        let terminal = Self::piped(Box::new(io::sink()), err);
        terminal.set_verbosity(verbosity.unwrap_or_default());
        terminal
    }

    /// Which messages are shown.
    pub(super) fn verbosity(&self) -> Verbosity {
        self.verbosity.get()
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
        let columns = if self.breaks_lines.get() { Screen::size().0 } else { usize::MAX };
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

    /// Columns for a result in sentences: those of the terminal, if lines of that length can be
    /// read.
    pub(crate) fn text_width(&self) -> usize {
        if self.stdout_is_tty { Screen::size().0.clamp(40, 100) } else { 80 }
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

    /// Writes a question to standard error; the answer follows in the same line.
    pub(super) fn prompt(&self, question: &str) {
        self.write_error(&escaped(question));
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

    /// Writes to standard error, to the byte.
    pub(super) fn write_bare(&self, line: &str) {
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

/// Replaces the characters that `clean` removes with escapes (`\r`, `\u{200b}`). Servers' texts
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
