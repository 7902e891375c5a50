//! `completion`, and the hidden command that its scripts call.
//!
//! The scripts only pass the command line on and show the reply; what can follow is decided here,
//! once for all shells. A call builds clap's tree only for the names of commands and options:
//! values come from a table ([`value`]), because a user waits for each Tab.

mod bash;
mod reply;
mod value;

use std::ffi::OsString;

use super::Answer;
use crate::accounts::Context;
use crate::cli::{Completion, Shell};
use crate::error::Result;
use crate::exit::SUCCESS;
use crate::program::Program;
use crate::sys::System;

/// The word that the scripts call; az has no such command.
const COMPLETE: &str = "__complete";

/// Prints the script of a shell.
pub(super) fn run(request: &Completion, context: &Context<'_>) -> Result<Answer> {
    let script = match request.shell {
        Shell::Bash => include_str!("azt.bash"),
        Shell::Zsh => include_str!("azt.zsh"),
        Shell::Fish => include_str!("azt.fish"),
        Shell::Powershell => include_str!("azt.ps1"),
        Shell::Nushell => include_str!("azt.nu"),
    };
    context.system.terminal.result(script).map(|()| Answer::none())
}

/// Answers `azt __complete SHELL …`; `None` for any other command line. Never an error: the user is
/// typing.
pub(crate) fn complete(system: &System, argv: &[OsString]) -> Option<Result<u8>> {
    let [_, command, words @ ..] = argv else { return None };
    if system.program != Program::Azt || command != COMPLETE {
        return None;
    }
    let words: Option<Vec<&str>> = words.iter().map(|word| word.to_str()).collect();
    if let Some([shell, words @ ..]) = words.as_deref()
        && let Some(reply) = reply::reply(system, shell, words)
    {
        let _ = system.terminal.result(&reply);
    }
    Some(Ok(SUCCESS))
}
