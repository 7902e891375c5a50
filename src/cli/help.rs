//! `--help` and `azt help`.

use clap::builder::StyledStr;
use clap::error::ErrorKind;

use super::argparse::Word;
use super::parse::{Invocation, explain};
use super::tree::{EXAMPLES, HEADING, ONLY_OF_AZT, tree};
use super::{OURS, Topic};
use crate::error::{Error, Kind, Result};
use crate::program::Program;

/// `azt help …`: a topic or a command.
pub(super) fn help_on(words: &[Word]) -> Result<Invocation> {
    let named = words.iter().skip(1).map(|word| word.text.as_str());
    let named: Vec<&str> = named.filter(|word| !word.starts_with('-')).collect();
    let topic = named.first().filter(|_| named.len() == 1).and_then(|word| Topic::named(word));
    topic.map_or_else(|| help(Program::Azt, &named), |topic| Ok(Invocation::Topic(topic)))
}

/// The help of `command`.
pub(super) fn help(program: Program, command: &[&str]) -> Result<Invocation> {
    let mut root = tree(program, command);
    if program == Program::Az {
        // Only a built group has its commands.
        root.build();
        for command in OURS.into_iter().filter(|name| *name != "status") {
            root = root.mut_subcommand(command, |it| it.hide(true));
        }
        for [group, command] in ONLY_OF_AZT {
            root = root.mut_subcommand(group, |it| it.mut_subcommand(command, |it| it.hide(true)));
        }
    }
    let words = [program.name()].into_iter().chain(command.iter().copied()).chain(["--help"]);
    match root.try_get_matches_from_mut(words) {
        // The help texts say azt; replace it by the name of the program.
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            let text = error.render().ansi().to_string().replace("azt", program.name());
            let text = text.replacen(EXAMPLES, &format!("{HEADING}{EXAMPLES}{HEADING:#}"), 1);
            Ok(Invocation::Help(StyledStr::from(text)))
        }
        Err(error) => {
            let words: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
            Err(explain(&error, &root, &words, program))
        }
        Ok(_) => Err(Error::new(Kind::Usage, "There is no help on this.")),
    }
}
