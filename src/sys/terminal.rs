//! Standard output, standard error and what is known of the terminal.

use std::cell::{Cell, RefCell};
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use inquire::ui::RenderConfig;
use inquire::{Confirm, InquireError, Password, Text};
use zeroize::Zeroizing;

use super::attended::cancelled;
use super::logging_commands;
use super::picker::{self, Choice};
use super::stream::{Patient, stdin_line};
use crate::error::{Error, Result};
use crate::foreign::{is_line_end, seen, told_apart};
use crate::secret::Secret;

/// How loud a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// A failure. Always shown.
    Error,
    /// What the person must read to go on, such as a device code. Shown even with
    /// `--only-show-errors`, without a level prefix, as az does.
    Notice,
    /// Something to know. Hidden by `--only-show-errors`.
    Warning,
    /// What is being done. Shown by `--verbose` and `--debug`.
    Info,
    /// How it is being done. Shown by `--debug`.
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

/// The two streams. Results go to standard output, everything else to standard error.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Terminal {
    out: RefCell<Box<dyn Write>>,
    err: RefCell<Box<dyn Write>>,
    stdin_is_tty: bool,
    stdout_is_tty: bool,
    stderr_is_tty: bool,
    verbosity: Cell<Verbosity>,
    colour: Cell<bool>,
    /// Whether a pipeline reads both streams for commands, which no text here may be.
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
            is_read_for_commands: logging_commands::are_read(),
        }
    }

    /// Streams that are no terminals and write to `out` and `err`.
    pub fn piped(out: Box<dyn Write>, err: Box<dyn Write>) -> Self {
        Self {
            out: RefCell::new(out),
            err: RefCell::new(err),
            stdin_is_tty: false,
            stdout_is_tty: false,
            stderr_is_tty: false,
            verbosity: Cell::default(),
            colour: Cell::new(false),
            is_read_for_commands: false,
        }
    }

    /// Sets which messages are shown from now on.
    pub(crate) fn set_verbosity(&self, verbosity: Verbosity) {
        self.verbosity.set(verbosity);
    }

    /// Allows colour, which is used only while both streams are terminals (az's rule).
    pub(crate) fn set_colour(&self, wanted: bool) {
        self.colour.set(wanted && self.stdout_is_tty && self.stderr_is_tty);
    }

    /// True when messages and results are coloured.
    pub fn colour(&self) -> bool {
        self.colour.get()
    }

    /// True when a person can be asked: standard input is a terminal.
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

    /// Writes `text`, a whole result, to standard output; on a terminal cleaned, as names in it
    /// are a server's, elsewhere to the byte, but that a pipeline finds no command in it.
    ///
    /// A reader that has gone is no failure (azure SDKs kill their shells, not us): the rest is
    /// dropped silently. Any other error is returned.
    pub(crate) fn result(&self, text: &str) -> Result<()> {
        self.write_result(text, logging_commands::broken)
    }

    /// [`Terminal::result`] of JSON, which means the same in a pipeline as elsewhere.
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

    /// [`Terminal::result`] with colours: every escape character in `text` is this program's own.
    pub(crate) fn coloured_result(&self, text: &str) -> Result<()> {
        self.write_coloured(text, logging_commands::broken)
    }

    /// [`Terminal::json_result`] with colours, as [`Terminal::coloured_result`].
    pub(crate) fn coloured_json_result(&self, text: &str) -> Result<()> {
        self.write_coloured(text, logging_commands::escaped)
    }

    fn write_coloured(&self, text: &str, without: fn(&str) -> Zeroizing<String>) -> Result<()> {
        let mut shown = Zeroizing::new(String::with_capacity(text.len()));
        for (at, part) in text.split('\x1b').enumerate() {
            shown.push_str(if at == 0 { "" } else { "\x1b" });
            shown.extend(seen(part).filter(|c| is_clean(*c)));
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

    /// Writes a message to standard error if its level is shown: `LEVEL: text`, or, with colour,
    /// the text in the level's colour without the prefix (az's rule). What is not seen is escaped.
    /// Errors of standard error are ignored: there is nowhere left to report them.
    pub(crate) fn message(&self, level: Level, text: &str) {
        if !self.shows(level) {
            return;
        }
        let text = escaped(text);
        let (prefix, colour) = match level {
            Level::Error => ("ERROR: ", "\x1b[91m"),
            Level::Notice => ("", "\x1b[93m"),
            Level::Warning => ("WARNING: ", "\x1b[93m"),
            Level::Info => ("INFO: ", "\x1b[32m"),
            Level::Debug => ("DEBUG: ", "\x1b[36m"),
        };
        let line = if self.colour() {
            format!("{colour}{text}\x1b[0m\n")
        } else {
            format!("{prefix}{text}\n")
        };
        self.write_error(&line);
    }

    /// Writes a bare line to standard error at every verbosity: a remedy that follows an error.
    pub(crate) fn plain(&self, text: &str) {
        self.write_error(&format!("{}\n", escaped(text)));
    }

    /// Writes a line of JSON, which has its end, to standard error. A terminal may be there all the
    /// same, and JSON leaves the second half of the control characters as they are.
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

    /// Tells the runner of GitHub Actions to hide `secret` from here on: the one command to a
    /// pipeline that this program gives.
    pub(crate) fn add_mask(&self, secret: &Secret) {
        let is_of_tokens = |c: &char| c.is_ascii_graphic() || *c == ' ';
        let secret: String = secret.expose().chars().filter(is_of_tokens).collect();
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

    /// Asks for a password on the terminal, without echo.
    ///
    /// # Errors
    /// [`Kind::Cancelled`](crate::error::Kind::Cancelled) after Ctrl-C or Escape.
    pub(crate) fn read_password(&self, prompt: &str) -> Result<Secret> {
        let password = Password::new(prompt).without_confirmation();
        password.with_render_config(RenderConfig::empty()).prompt().map(Secret::new).map_err(failed)
    }

    /// Asks for a line: on a terminal by a prompt, else from standard input as it comes. `None` at
    /// its end.
    ///
    /// # Errors
    /// As those of [`Terminal::read_password`].
    pub(crate) async fn read_line(&self, prompt: &str) -> Result<Option<Secret>> {
        if self.stdin_is_tty {
            let text = Text::new(prompt).with_render_config(RenderConfig::empty());
            return text.prompt().map(|line| Some(Secret::new(line))).map_err(failed);
        }
        let (sender, line) = tokio::sync::oneshot::channel();
        // Left behind when nobody waits any more, and goes with the process.
        let reader = move || {
            let read = stdin_line();
            let _ = sender.send(read.map(|line| (!line.is_empty()).then(|| Secret::new(line))));
        };
        let cannot =
            |error: io::Error| Error::failed(format!("Cannot read standard input: {error}."));
        std::thread::Builder::new().name("stdin".to_owned()).spawn(reader).map_err(cannot)?;
        line.await.unwrap_or(Ok(None)).map_err(cannot)
    }

    /// Reads a line from standard input with nothing but the terminal's own editing. `None` at its
    /// end.
    pub(crate) fn read_plain_line(&self) -> Result<Option<String>> {
        match stdin_line() {
            Ok(line) => Ok(Some(line).filter(|line| !line.is_empty())),
            Err(error) => Err(Error::failed(format!("Cannot read standard input: {error}."))),
        }
    }

    /// Asks a question that is answered by yes or no.
    pub(crate) fn confirm(&self, question: &str) -> Result<bool> {
        Confirm::new(question).with_default(false).prompt().map_err(failed)
    }

    /// Lets the person pick one of `choices` by arrow keys or by typing parts of it; `first` is where
    /// the cursor starts. `None` when they do not want to.
    pub(crate) fn pick(
        &self,
        prompt: &str,
        choices: &[Choice],
        first: usize,
    ) -> Result<Option<usize>> {
        picker::pick(prompt, choices, first, self.colour()).map_err(failed)
    }

    fn write_error(&self, text: &str) {
        if self.is_read_for_commands {
            self.write_bare(&logging_commands::broken(text));
        } else {
            self.write_bare(text);
        }
    }

    fn write_bare(&self, line: &str) {
        let mut err = self.err.borrow_mut();
        let _ = err.write_all(line.as_bytes()).and_then(|()| err.flush());
    }
}

/// True when there is no reader any more: of a pipe, or of a socket.
fn has_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}

fn failed(error: InquireError) -> Error {
    match error {
        InquireError::OperationCanceled | InquireError::OperationInterrupted => cancelled(),
        error => Error::failed(format!("Cannot ask on this terminal: {error}.")),
    }
}

/// `text` without control characters but line feed and tab, so that what a server sends cannot
/// drive the terminal, and without what is not seen: it can make a line read as another one.
fn clean(text: &str) -> String {
    // Never moved: it may be a whole result, with a token in it.
    let mut clean = String::with_capacity(text.len());
    clean.extend(seen(text).filter(|c| is_clean(*c)));
    clean
}

/// `text` with escapes (`\r`, `\u{200b}`) for what [`clean`] leaves out. What a server says has been
/// cleaned where it was parsed; what is left is the caller's own text, and what is not seen in that is
/// often what the message is about.
fn escaped(text: &str) -> String {
    with_escapes(text, |c, text| text.extend(c.escape_default()))
}

fn with_escapes(text: &str, escape: impl Fn(char, &mut String)) -> String {
    let mut shown = String::with_capacity(text.len());
    for (c, is_seen) in told_apart(text) {
        if is_seen && is_clean(c) {
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
    fn a_message_shows_what_is_not_seen() {
        assert_eq!(
            escaped("'a\r\u{200b}\u{1b}[2J\u{85}\u{e0041}\u{fe0f}' ☁\u{fe0f}\tb\nc"),
            "'a\\r\\u{200b}\\u{1b}[2J\\u{85}\\u{e0041}\\u{fe0f}' ☁\u{fe0f}\tb\nc"
        );
    }

    #[test]
    fn only_errors_still_shows_what_a_person_must_read() {
        let terminal = Terminal::piped(Box::new(io::sink()), Box::new(io::sink()));
        terminal.set_verbosity(Verbosity::OnlyErrors);
        assert!(terminal.shows(Level::Notice) && !terminal.shows(Level::Warning));
    }
}
