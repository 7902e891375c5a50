//! Parses an argument vector into [`Cli`] with clap, following az's conventions.
//!
//! clap knows the commands, converts values and writes the help. This module adds command words in
//! any case, `@file`, help that takes precedence over errors, and argparse's error messages. The
//! module `argparse` classifies the words.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, Command, CommandFactory, FromArgMatches};

use super::argparse::{self, Word};
use super::at_file::expand;
use super::{Cli, Global, hot};
use crate::error::{Error, Kind, Result};
use crate::foreign::Typed;
use crate::program::Program;
use crate::sys::System;

/// The request of a command line.
pub(crate) enum Invocation {
    /// Run a command.
    Run(Box<Cli>),
    /// Print this text on standard output.
    Print(String),
    /// Print the version.
    Version,
}

/// A parsed command line.
pub(crate) struct Parsed {
    /// The request.
    pub(crate) invocation: Invocation,
    /// Possible mistakes to report if the command fails, one sentence each, such as missing files.
    pub(crate) doubts: Vec<String>,
}

/// Parses `command_line`, including argv\[0\].
///
/// # Errors
/// [`Kind::Usage`] with argparse's message, as az prints it.
pub(crate) fn parse(system: &System, command_line: &[OsString]) -> Result<Parsed> {
    let mut doubts = Vec::new();
    let mut words = Vec::new();
    let separator = before_separator(command_line).len();
    for (index, arg) in command_line.iter().enumerate().skip(1) {
        let arg = arg
            .to_str()
            .ok_or_else(|| Error::new(Kind::Usage, "An argument is not UTF-8 text."))?;
        // az reads files after the separator as well.
        let mut word = if index < separator || system.program == Program::Az {
            expand(system, arg, &mut doubts)?
        } else {
            Word { text: arg.to_owned(), is_value: false }
        };
        word.is_value |= index > separator;
        words.push(word);
    }
    Ok(Parsed { invocation: understood(system.program, words)?, doubts })
}

/// Returns the words of `argv` before `--`. The rest is data, so code that reads `argv` before it is
/// parsed reads only these.
pub(crate) fn before_separator(argv: &[OsString]) -> &[OsString] {
    argv.split(|word| word == "--").next().unwrap_or_default()
}

/// Parses the words, after `@file` expansion.
pub(super) fn understood(program: Program, mut words: Vec<Word>) -> Result<Invocation> {
    let mut leading = 0;
    // az rejects options before the command.
    if program == Program::Azt && words.first().is_some_and(|word| word.text.starts_with('-')) {
        leading = argparse::leading(&Global::augment_args(Command::new("")), &words);
        words.rotate_left(leading);
    }
    // Command words are at most three deep; `config` takes values from the third on.
    let is_first = |word: &str| words.first().is_some_and(|it| it.text.eq_ignore_ascii_case(word));
    let depth = if is_first("account") { 3 } else { 2 };
    let is_command_word = |word: &&Word| !word.text.starts_with('-');
    let depth = words.iter().take_while(is_command_word).take(depth).count();
    for word in words.iter_mut().take(depth) {
        word.text.make_ascii_lowercase();
    }
    match words.first().map(|word| word.text.as_str()) {
        Some("--version" | "-v") => return Ok(Invocation::Version),
        Some("help") if words.len() == 1 => return help(program, &[]),
        None => return help(program, &[]),
        Some(_) => {}
    }
    if words.iter().any(|word| !word.is_value && ["-h", "--help"].contains(&word.text.as_str())) {
        let command: Vec<&str> = words.iter().take(depth).map(|word| word.text.as_str()).collect();
        return help(program, &command);
    }
    // The leading options go before the others, because the last value of a repeated option counts.
    words.get_mut(depth..).unwrap_or_default().rotate_right(leading);
    match hot::parse(&words) {
        Some(cli) => Ok(Invocation::Run(Box::new(cli))),
        None => by_clap(program, &words).map(|cli| Invocation::Run(Box::new(cli))),
    }
}

fn help(program: Program, command: &[&str]) -> Result<Invocation> {
    let mut root = root(program);
    let words = [program.name()].into_iter().chain(command.iter().copied()).chain(["--help"]);
    match root.try_get_matches_from_mut(words) {
        // The help texts say azt; replace it by the name of the program.
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            Ok(Invocation::Print(error.to_string().replace("azt", program.name())))
        }
        Err(error) => {
            let words: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
            Err(explain(&error, &root, &words, program))
        }
        Ok(_) => Err(Error::new(Kind::Usage, "There is no help on this.")),
    }
}

fn root(program: Program) -> Command {
    Cli::command().name(program.name()).bin_name(program.name())
}

fn by_clap(program: Program, words: &[Word]) -> Result<Cli> {
    let mut root = root(program);
    let is_command_word = |word: &&Word| !word.text.starts_with('-');
    let begin = || [program.name().to_owned()].into_iter();
    let command: Vec<String> =
        words.iter().take_while(is_command_word).map(|word| word.text.clone()).collect();
    // clap builds a command's arguments only when it parses the command. Errors are ignored: the
    // arguments are not placed yet.
    let _ = root.try_get_matches_from_mut(begin().chain(command.iter().cloned()));
    let (leaf, depth) = leaf(&root, &command);
    if leaf.has_subcommands() {
        let all: Vec<String> = words.iter().map(|word| word.text.clone()).collect();
        let error = root.try_get_matches_from_mut(begin().chain(all.iter().cloned())).err();
        return Err(match error {
            Some(error) => explain(&error, &root, &all, program),
            None => Error::new(Kind::Usage, "There is no such command."),
        });
    }
    let placed = argparse::place(leaf, words.get(depth..).unwrap_or_default(), program);
    let placed = placed.map_err(|message| {
        let is_missing = message.ends_with(argparse::MISSING) && program == Program::Azt;
        let names = message.strip_prefix("argument ").unwrap_or_default();
        let name = names.split(['/', ':']).next().unwrap_or_default();
        let how = format!(
            "A value that begins with - must follow = ({name}=VALUE), or come from a file (@FILE)."
        );
        usage_with(message, &path(program, &command, depth), is_missing.then_some(how.as_str()))
    })?;
    let end = (!placed.positionals.is_empty()).then(|| "--".to_owned());
    let args: Vec<String> = command
        .into_iter()
        .take(depth)
        .chain(placed.options)
        .chain(end)
        .chain(placed.positionals)
        .collect();
    let matches = root.try_get_matches_from_mut(begin().chain(args.iter().cloned()));
    let matches = matches.map_err(|error| explain(&error, &root, &args, program))?;
    if placed.unknown.is_empty() {
        return Cli::from_arg_matches(&matches)
            .map_err(|error| Error::new(Kind::Usage, error.to_string()));
    }
    // Like argparse, report unknown words only if there is no other error.
    Err(unrecognized(&root, &args, placed.unknown.iter().map(|word| word.text.as_str()), program))
}

/// The command that `args` select, with the number of its words.
fn leaf<'c>(root: &'c Command, args: &[String]) -> (&'c Command, usize) {
    let mut leaf = root;
    let mut depth = 0;
    while let Some(next) = args.get(depth).and_then(|word| leaf.find_subcommand(word)) {
        leaf = next;
        depth += 1;
    }
    (leaf, depth)
}

/// The command path, such as `azt account show`.
fn path(program: Program, args: &[String], depth: usize) -> String {
    let words = args.iter().take(depth).map(String::as_str);
    [program.name()].into_iter().chain(words).collect::<Vec<_>>().join(" ")
}

fn unrecognized<'w>(
    root: &Command,
    args: &[String],
    words: impl IntoIterator<Item = &'w str>,
    program: Program,
) -> Error {
    let (leaf, depth) = leaf(root, args);
    let mut every = self::root(program);
    every.build();
    let shown = argparse::shown(&every, leaf, words);
    usage(format!("unrecognized arguments: {shown}"), &path(program, args, depth))
}

/// Converts clap's error to argparse's message.
fn explain(error: &clap::Error, root: &Command, args: &[String], program: Program) -> Error {
    let (leaf, depth) = leaf(root, args);
    let path = path(program, args, depth);
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => texts.first().cloned(),
        _ => None,
    };
    let message = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let word = text(ContextKind::InvalidSubcommand).unwrap_or_default();
            // clap lists the best guess last.
            let guess = match error.get(ContextKind::SuggestedSubcommand) {
                Some(ContextValue::Strings(guesses)) => guesses.last(),
                _ => None,
            };
            // az only guesses within a group.
            let guess = guess.filter(|_| program == Program::Azt || depth > 0);
            return misspelled(&word, guess.map(String::as_str), &path, program);
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let what = match program {
                Program::Azt => {
                    let shown = leaf.get_subcommands().filter(|it| !it.is_hide_set());
                    &format!(
                        "one of {}",
                        shown.map(Command::get_name).collect::<Vec<_>>().join(", ")
                    )
                }
                Program::Az if depth == 0 => "_command_package",
                Program::Az => "_subcommand",
            };
            format!("the following arguments are required: {what}")
        }
        ErrorKind::MissingRequiredArgument => {
            let missing = match error.get(ContextKind::InvalidArg) {
                Some(ContextValue::Strings(all)) => {
                    all.iter().map(|arg| option_names(leaf, arg)).collect::<Vec<_>>().join(", ")
                }
                _ => String::new(),
            };
            format!("the following arguments are required: {missing}")
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let arg = text(ContextKind::InvalidArg).unwrap_or_default();
            let value = text(ContextKind::InvalidValue).unwrap_or_default();
            let allowed = match error.get(ContextKind::ValidValue) {
                Some(ContextValue::Strings(values)) => values.join(", "),
                _ => String::new(),
            };
            let option = arg.split(' ').next().unwrap_or_default();
            format!(
                "{path}: '{value}' is not a valid value for '{option}'. Allowed values: {allowed}.",
                value = Typed(&value)
            )
        }
        ErrorKind::UnknownArgument => {
            let arg = text(ContextKind::InvalidArg).unwrap_or_default();
            if leaf.has_subcommands() && !arg.starts_with('-') {
                return misspelled(&arg, None, &path, program);
            }
            let unknown = args.iter().skip(depth).skip_while(|it| !it.starts_with(&arg));
            return unrecognized(root, args, unknown.map(String::as_str), program);
        }
        _ => {
            let shown = error.to_string();
            let first = shown.lines().next().unwrap_or_default();
            first.strip_prefix("error: ").unwrap_or(first).to_owned()
        }
    };
    usage(message, &path)
}

fn misspelled(word: &str, guess: Option<&str>, path: &str, program: Program) -> Error {
    let blank = if program == Program::Az { " " } else { "" };
    let hint = guess.map(|guess| format!("\nDid you mean '{guess}'{blank}?")).unwrap_or_default();
    let message = format!(
        "'{word}' is misspelled or not recognized by the system.{hint}",
        word = Typed(word)
    );
    if program == Program::Az {
        let why = "There is no other az on PATH that could know it.";
        return usage_with(message, path, Some(why));
    }
    usage(message, path)
}

fn usage(message: String, path: &str) -> Error {
    usage_with(message, path, None)
}

/// A usage error of the command `path`, in az's format.
fn usage_with(message: String, path: &str, remedy: Option<&str>) -> Error {
    let error = remedy.into_iter().fold(Error::new(Kind::Usage, message), Error::remedy);
    if path.split(' ').next() == Some("az") {
        error
            .remedy("")
            .remedy("https://aka.ms/cli_ref")
            .remedy("Read more about the command in reference docs")
    } else {
        error.remedy(format!("See '{path} --help'."))
    }
}

/// argparse's name of the option that clap shows as `--subscription <SUBSCRIPTION>`. A positional
/// keeps its value name.
fn option_names(command: &Command, shown: &str) -> String {
    let long = shown.split([' ', '=']).next().unwrap_or(shown).trim_start_matches("--");
    match command.get_arguments().find(|arg| arg.get_long() == Some(long)) {
        Some(arg) => argparse::names(arg),
        None => shown.trim_matches('.').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tests combine every two of these: all options with typical values, empty values,
    /// repeated options, abbreviations, mistakes.
    const PIECES: [&[&str]; 40] = [
        &[],
        &["-o", "json"],
        &["-ojson"],
        &["-o=tsv"],
        &["--output=table"],
        &["--output", "JSON"],
        &["--output", "nonsense"],
        &["-o"],
        &["--query", "accessToken"],
        &["--query=a.b"],
        &["--query", ""],
        &["--resource", "https://graph.microsoft.com/"],
        &["--resource", ""],
        &["--resource="],
        &["--resource"],
        &["--scope", "a/.default"],
        &["--scope", "a", "b", "c"],
        &["--scope=a"],
        &["--scope=a", "b"],
        &["--scope"],
        &["--scope", "a", ""],
        &["--tenant", "t"],
        &["-t", "t"],
        &["-t=t"],
        &["-tt"],
        &["--subscription", "My Sub"],
        &["-s", "x"],
        &["--name=x"],
        &["-n", "x"],
        &["--resource-type", "arm"],
        &["--account", "a@b"],
        &["--client-id", "c"],
        &["--authority=https://a"],
        &["--claims", "{\"a\":\"=b\"}"],
        &["--user-assertion", "e.y.j"],
        &["--identity-from-env"],
        &["--only-show-errors"],
        &["--debug", "--verbose"],
        &["extra"],
        &["--subscr", "x"],
    ];

    fn words<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<Word> {
        let word = |text: &str| Word { text: text.to_owned(), is_value: false };
        texts.into_iter().map(word).collect()
    }

    #[test]
    fn the_fast_parser_agrees_with_clap() {
        let mut understood = 0;
        for (first, second) in PIECES.iter().flat_map(|a| PIECES.iter().map(move |b| (a, b))) {
            let line: Vec<&str> = ["account", "get-access-token"]
                .iter()
                .chain(*first)
                .chain(*second)
                .copied()
                .collect();
            let words = words(line.iter().copied());
            if let Some(cli) = hot::parse(&words) {
                understood += 1;
                let other = by_clap(Program::Az, &words).unwrap();
                assert_eq!(format!("{cli:?}"), format!("{other:?}"), "{line:?}");
            }
        }
        assert!(understood > 400, "the fast parser accepted only {understood}");
    }

    #[test]
    fn the_fast_parser_accepts_sdk_calls() {
        for line in [
            "account get-access-token",
            "account get-access-token --output json --resource https://management.azure.com",
            "account get-access-token -o json --scope https://storage.azure.com/.default --tenant t",
            "account get-access-token --scope https://management.azure.com/.default --subscription s -o=json",
            "account get-access-token --query accessToken -o tsv",
        ] {
            assert!(hot::parse(&words(line.split(' '))).is_some(), "{line}");
        }
    }
}
