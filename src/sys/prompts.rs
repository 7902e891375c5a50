//! Prompts on the terminal.

use std::io;

use super::picker::{self, Choice, Picked};
use super::stream::stdin_line;
use super::timeout::aside;
use super::typed_line::{self, Echo};
use super::{System, Terminal};
use crate::error::{Error, Result};
use crate::secret::Secret;

impl Terminal {
    /// Asks for a password on the terminal, without echo.
    ///
    /// # Errors
    /// [`Kind::Cancelled`](crate::error::Kind::Cancelled) after Ctrl-C or Escape.
    pub(crate) fn read_password(&self, prompt: &str) -> Result<Secret> {
        self.read_typed(prompt, Echo::No)
    }

    /// Reads a line from standard input, with a prompt if it is a terminal. `None` at the end of
    /// input.
    ///
    /// # Errors
    /// Those of [`Terminal::read_password`]; standard input cannot be read.
    pub(crate) async fn read_line(&self, prompt: &str) -> Result<Option<Secret>> {
        if self.stdin_is_tty() {
            return self.read_typed(prompt, Echo::Yes).map(Some);
        }
        let line = aside(stdin_line).await.and_then(|read| read);
        let line = line.map(|line| (!line.is_empty()).then(|| Secret::new(line)));
        line.map_err(|error| Error::failed(format!("Cannot read standard input: {error}.")))
    }

    /// Reads a line from standard input without a prompt. `None` at the end of input.
    pub(crate) fn read_plain_line(&self) -> Result<Option<String>> {
        match stdin_line() {
            Ok(line) => Ok(Some(line).filter(|line| !line.is_empty())),
            Err(error) => Err(Error::failed(format!("Cannot read standard input: {error}."))),
        }
    }

    /// Asks a yes/no question; the default is no.
    pub(crate) fn confirm(&self, question: &str) -> Result<bool> {
        self.ask(&format!("{question} (y/N) "), false)
    }

    /// Drops what was typed before a question: it was meant for another one.
    pub(crate) fn forget_typed(&self) {
        #[cfg(unix)]
        let _ = rustix::termios::tcflush(std::io::stdin(), rustix::termios::QueueSelector::IFlush);
    }

    /// Asks a yes/no question; the default is yes.
    pub(crate) fn confirm_by_default(&self, question: &str) -> Result<bool> {
        self.ask(&format!("{question} (Y/n) "), true)
    }

    fn ask(&self, question: &str, default: bool) -> Result<bool> {
        loop {
            let answer = self.read_typed(question, Echo::Yes)?;
            match answer.expose().trim().to_lowercase().as_str() {
                "" => return Ok(default),
                "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                _ => self.plain("Type y or n."),
            }
        }
    }

    fn read_typed(&self, question: &str, echo: Echo) -> Result<Secret> {
        let line = typed_line::read(self, question, echo).map_err(no_prompt)?;
        line.map(|line| Secret::new(line.as_str())).ok_or_else(Error::cancelled)
    }
}

impl System {
    /// Lets the user pick one of `choices` by arrow keys or by typing parts of it. Returns the picked
    /// index, or `None` after Escape.
    ///
    /// # Errors
    /// [`Kind::Cancelled`](crate::error::Kind::Cancelled) after Ctrl-C.
    pub(crate) fn pick(&self, question: &str, choices: &[Choice]) -> Result<Option<usize>> {
        let screen = self.terminal.screen(&self.env);
        if !screen.cursor {
            return picker::pick_by_number(self, question, choices);
        }
        match picker::pick(question, choices, self.terminal.has_styles(), screen.ellipsis()) {
            Ok(Picked::Option(at)) => Ok(Some(at)),
            Ok(Picked::Nothing) => Ok(None),
            Ok(Picked::Interrupted) => Err(Error::cancelled()),
            Err(error) => Err(no_prompt(error)),
        }
    }
}

fn no_prompt(error: io::Error) -> Error {
    Error::failed(format!("Cannot show a prompt on this terminal: {error}.")).source(error)
}
