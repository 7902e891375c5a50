//! Prompts on the terminal.

use inquire::ui::RenderConfig;
use inquire::{Confirm, InquireError, Password, Text};

use super::Terminal;
use super::countdown::cancelled;
use super::picker::{self, Choice, Picked};
use super::stream::stdin_line;
use super::timeout::aside;
use crate::error::{Error, Result};
use crate::secret::Secret;

impl Terminal {
    /// Asks for a password on the terminal, without echo.
    ///
    /// # Errors
    /// [`Kind::Cancelled`](crate::error::Kind::Cancelled) after Ctrl-C or Escape.
    pub(crate) fn read_password(&self, prompt: &str) -> Result<Secret> {
        let password = Password::new(prompt).without_confirmation();
        password.with_render_config(RenderConfig::empty()).prompt().map(Secret::new).map_err(failed)
    }

    /// Reads a line from standard input, with a prompt if it is a terminal. `None` at the end of
    /// input.
    ///
    /// # Errors
    /// Those of [`Terminal::read_password`]; standard input cannot be read.
    pub(crate) async fn read_line(&self, prompt: &str) -> Result<Option<Secret>> {
        if self.stdin_is_tty() {
            let text = Text::new(prompt).with_render_config(RenderConfig::empty());
            return text.prompt().map(|line| Some(Secret::new(line))).map_err(failed);
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
        self.ask(question, false)
    }

    /// Asks a yes/no question; the default is yes.
    pub(crate) fn confirm_by_default(&self, question: &str) -> Result<bool> {
        self.ask(question, true)
    }

    fn ask(&self, question: &str, default: bool) -> Result<bool> {
        let mut confirm = Confirm::new(question).with_default(default);
        if !self.has_styles() {
            confirm = confirm.with_render_config(RenderConfig::empty());
        }
        confirm.prompt().map_err(failed)
    }

    /// Lets the user pick one of `choices` by arrow keys or by typing parts of it. Returns the picked
    /// index, or `None` after Escape.
    ///
    /// # Errors
    /// [`Kind::Cancelled`](crate::error::Kind::Cancelled) after Ctrl-C.
    pub(crate) fn pick(&self, question: &str, choices: &[Choice]) -> Result<Option<usize>> {
        if !self.moves_cursor.get() {
            return picker::pick_by_number(self, question, choices);
        }
        match picker::pick(question, choices, self.has_styles()) {
            Ok(Picked::Option(at)) => Ok(Some(at)),
            Ok(Picked::Nothing) => Ok(None),
            Ok(Picked::Interrupted) => Err(cancelled()),
            Err(error) => Err(no_prompt(error)),
        }
    }
}

fn failed(error: InquireError) -> Error {
    match error {
        InquireError::OperationCanceled | InquireError::OperationInterrupted => cancelled(),
        error => no_prompt(error),
    }
}

fn no_prompt(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::failed(format!("Cannot show a prompt on this terminal: {error}.")).source(error)
}
