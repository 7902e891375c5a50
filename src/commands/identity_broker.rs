//! `identity-broker` (hidden): answers azt on the other side of WSL.

use super::Answer;
use crate::accounts::Context;
use crate::broker;
use crate::error::Result;

/// Reads one line and answers it with one line.
pub(super) fn run(context: &Context<'_>) -> Result<Answer> {
    let terminal = &context.system.terminal;
    let question = terminal.read_plain_line()?.unwrap_or_default();
    let answer = broker::answer_line(context.system, question.trim());
    terminal.result(answer.expose())?;
    terminal.result("\n")?;
    Ok(Answer::none())
}
