//! `--help` and `azt help`.

use clap::Command;
use clap::builder::StyledStr;
use clap::error::ErrorKind;

use super::Topic;
use super::parse::{Invocation, explain};
use super::tree::{EXAMPLES, HEADING, ONLY_OF_AZT, tree};
use crate::error::{Error, Kind, Result};
use crate::program::Program;

/// `azt help …`: a topic or a command.
pub(super) fn help_on(typed: &[String]) -> Result<Invocation> {
    let named = typed.get(1..).unwrap_or_default();
    let topic = named.first().filter(|_| named.len() == 1).and_then(|word| Topic::named(word));
    topic.map_or_else(|| help(Program::Azt, named), |topic| Ok(Invocation::Topic(topic)))
}

/// The help of `command`.
pub(super) fn help(program: Program, command: &[String]) -> Result<Invocation> {
    let mut root = tree(program, command);
    if program == Program::Az {
        // Only a built group has its commands.
        root.build();
        // `status` is an alias.
        for own in ONLY_OF_AZT.into_iter().filter(|own| *own != ["status"]) {
            root = without(root, own);
        }
    }
    let words = command.iter().map(String::as_str);
    let words = [program.name()].into_iter().chain(words).chain(["--help"]);
    match root.try_get_matches_from_mut(words) {
        // The help texts say azt; replace it by the name of the program.
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            let text = error.render().ansi().to_string().replace("azt", program.name());
            let text = text.replacen(EXAMPLES, &format!("{HEADING}{EXAMPLES}{HEADING:#}"), 1);
            Ok(Invocation::Help(StyledStr::from(text)))
        }
        Err(error) => Err(explain(&error, &root, command, program)),
        Ok(_) => Err(Error::new(Kind::Usage, "There is no help on this.")),
    }
}

/// `root`, whose help does not show the command `path`.
fn without(root: Command, path: &[&str]) -> Command {
    match path {
        [] => root.hide(true),
        [first, rest @ ..] => root.mut_subcommand(first, |it| without(it, rest)),
    }
}
