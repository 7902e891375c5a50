//! Removes circular advice: a remedy that suggests the command line that has just failed.

use std::ffi::OsString;

use super::argparse::Word;
use super::parse::{Invocation, understood};
use crate::error::Error;
use crate::program::Program;

/// Removes remedies from `error` that suggest its own command line `argv`. Under the name `az` they
/// stay, because they are az's.
pub(crate) fn without_circle(error: Error, program: Program, argv: &[OsString]) -> Error {
    let words = argv.iter().skip(1).map(|word| word.to_str().map(str::to_owned));
    let Some(words) = words.collect::<Option<Vec<String>>>() else { return error };
    let Some(call) = meaning(program, words).filter(|_| program == Program::Azt) else {
        return error;
    };
    // A line that names another command as well still helps.
    let is_call = |line: &str| {
        let named = commands(program, line);
        !named.is_empty() && named.iter().all(|it| *it == call)
    };
    error.without_remedy(is_call)
}

/// A canonical form of a command line, independent of the spelling and order of options. Global
/// options such as `-o` are ignored.
fn meaning(program: Program, words: Vec<String>) -> Option<String> {
    let word = |text| Word { text, is_value: false };
    match understood(program, words.into_iter().map(word).collect()) {
        Ok(Invocation::Run(cli)) => {
            let global = format!("{:?}", cli.command.global());
            Some(format!("{cli:?}").replace(&global, ""))
        }
        _ => None,
    }
}

/// The command lines of `program` in a line of text: quoted, or up to the end of the line.
fn commands(program: Program, line: &str) -> Vec<String> {
    let name = format!("{program} ");
    let command = |(at, _): (usize, &str)| {
        let (before, rest) = line.split_at_checked(at)?;
        let quote = before.chars().next_back().filter(|c| ['`', '\''].contains(c));
        let command = quote.and_then(|quote| rest.split(quote).next()).unwrap_or(rest);
        let words = shlex::split(command.strip_prefix(&name)?.trim_end_matches('.'))?;
        meaning(program, words)
    };
    line.match_indices(&name).filter_map(command).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    fn left(argv: &[&str], error: Error) -> (Vec<String>, bool) {
        let argv: Vec<OsString> = argv.iter().map(OsString::from).collect();
        let error = without_circle(error, Program::Azt, &argv);
        (error.remedy_lines().to_vec(), error.curing_command().is_some())
    }

    #[test]
    fn advice_to_repeat_the_command_is_removed() {
        let error = || Error::new(Kind::Failed, "No.");
        let again =
            || error().remedy("Sign in again:").cured_by("azt login -t \"a b\" --scope \"s\"");
        for call in [
            &["azt", "login", "--tenant", "a b", "--scope", "s"][..],
            &["azt", "LOGIN", "--scope=s", "-ta b", "-o", "json", "--verbose"],
            &["azt", "--debug", "login", "--ten", "x", "-t=a b", "--scope", "s"],
        ] {
            assert_eq!(left(call, again()), (vec![], false), "{call:?}");
        }
        for call in [
            &["azt", "login"][..],
            &["azt", "login", "-t", "a b"],
            &["azt", "login", "-t", "other", "--scope", "s"],
            &["azt", "account", "show"],
            &["azt", "login", "-t", "a b", "--scope", "s", "--use-device-code"],
        ] {
            assert_eq!(left(call, again()).0.len(), 2, "{call:?}");
        }
        for line in [
            "From a session where the keyring is unlocked, run 'azt vault move --to file' (or kernel, or env).",
            "Run: azt vault move --to file",
            "Use `azt vault move --to=file`.",
            "azt vault move --to file.",
        ] {
            let error = error().remedy(line).remedy("Or wait.");
            let call = ["azt", "vault", "move", "--to", "file"];
            assert_eq!(left(&call, error), (vec!["Or wait.".to_owned()], false), "{line}");
        }
    }
}
