//! Parses an argument vector into [`Cli`] with clap, following az's conventions.
//!
//! clap knows the commands, converts values and writes the help. This module adds command words in
//! any case, `@file`, help that takes precedence over errors, and argparse's error messages. The
//! module `argparse` classifies the words.

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fmt::Write as _;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Args, Command, FromArgMatches};

use super::argparse::{self, Word};
use super::at_file::expand;
use super::help::{help, help_on};
use super::tree::{self, ONLY_OF_AZT, leaf, tree};
use super::{Cli, Global, Topic, habits, hot};
use crate::error::{Error, Kind, Result};
use crate::foreign::Typed;
use crate::near::nearest;
use crate::program::Program;
use crate::sys::System;

/// The request of a command line.
pub(crate) enum Invocation {
    /// Run a command.
    Run(Box<Cli>),
    /// Print this help on standard output.
    Help(StyledStr),
    /// Print the page of this topic.
    Topic(Topic),
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
        let arg = match arg.to_str() {
            Some(arg) => arg,
            // For `exec`, which takes the words as they are.
            None if index > separator => "",
            None => return Err(Error::new(Kind::Usage, "An argument is not UTF-8 text.")),
        };
        // az reads files after the separator as well.
        let mut word = if index < separator || system.program == Program::Az {
            expand(system, arg, &mut doubts)?
        } else {
            Word { text: arg.to_owned(), is_value: false }
        };
        word.is_value |= index > separator;
        words.push(word);
    }
    let mut invocation = understood(system.program, words)?;
    if let Invocation::Run(cli) = &mut invocation
        && let Some(program) = command_line.get(separator + 1..).filter(|it| !it.is_empty())
    {
        match &mut cli.command {
            super::Command::Exec(exec) => exec.program = program.to_vec(),
            _ if program.iter().any(|word| word.to_str().is_none()) => {
                return Err(Error::new(Kind::Usage, "An argument is not UTF-8 text."));
            }
            _ => {}
        }
    }
    Ok(Parsed { invocation, doubts })
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
    let is_command_word = |word: &&Word| !word.text.starts_with('-');
    let typed = words.iter().take_while(is_command_word).map(|word| word.text.to_ascii_lowercase());
    let typed: Vec<String> = typed.collect();
    if let Some((word, group)) = tree::only_of_azt(&typed).filter(|_| program == Program::Az) {
        return Err(misspelled(word, None, &path(program, group, group.len()), program));
    }
    match words.first().map(|word| word.text.as_str()) {
        Some("--version" | "-v") => return Ok(Invocation::Version),
        Some("-V") if program == Program::Azt => return Ok(Invocation::Version),
        None => return help(program, &[]),
        Some(_) => {}
    }
    if typed.first().is_some_and(|word| word == "help") {
        if words.len() == 1 {
            return help(program, &[]);
        }
        if program == Program::Azt {
            return help_on(&typed);
        }
    }
    // The words that lead to a command; what follows is a value, or a mistake.
    let (root, depth, is_group) = if let Some(depth) = hot::depth(&typed) {
        (None, depth, false)
    } else {
        let root = tree(program, &typed);
        let (leaf, depth) = leaf(&root, &typed);
        let is_group = leaf.has_subcommands();
        (Some(root), depth, is_group)
    };
    // In a group the next word was meant as a command.
    let named = typed.get(..depth + usize::from(is_group)).unwrap_or(&typed);
    if words.iter().any(|word| !word.is_value && ["-h", "--help"].contains(&word.text.as_str())) {
        return help(program, named);
    }
    // As in gh and azd, this is no mistake: who types a group wants to know its commands.
    if program == Program::Azt && is_group && depth == words.len() {
        return help(program, &typed);
    }
    for (word, lower) in words.iter_mut().zip(named) {
        word.text.clone_from(lower);
    }
    // The leading options go before the others, because the last value of a repeated option counts.
    words.get_mut(depth..).unwrap_or_default().rotate_right(leading);
    let cli = match hot::parse(&words) {
        Some(cli) => cli,
        None => by_clap(program, &words, root.unwrap_or_else(|| tree(program, &typed)))?,
    };
    Ok(Invocation::Run(Box::new(cli)))
}

fn by_clap(program: Program, words: &[Word], mut root: Command) -> Result<Cli> {
    let is_command_word = |word: &&Word| !word.text.starts_with('-');
    let begin = || [program.name().to_owned()].into_iter();
    let command: Vec<String> =
        words.iter().take_while(is_command_word).map(|word| word.text.clone()).collect();
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
    let mut args: Vec<String> = command.into_iter().take(depth).collect();
    if placed.positionals.iter().any(|text| text.starts_with('-') && text != "-") {
        args.extend(placed.options);
        args.push("--".to_owned());
        args.extend(placed.positionals);
    } else {
        // Before the options: an option with any number of values takes the separator too.
        args.extend(placed.positionals);
        args.extend(placed.options);
    }
    let matches = root.try_get_matches_from_mut(begin().chain(args.iter().cloned()));
    let matches = matches.map_err(|error| explain(&error, &root, &args, program))?;
    if placed.unknown.is_empty() {
        return Cli::from_arg_matches(&matches)
            .map_err(|error| Error::new(Kind::Usage, error.to_string()));
    }
    // Like argparse, report unknown words only if there is no other error.
    Err(unrecognized(&root, &args, placed.unknown.iter().map(|word| word.text.as_str()), program))
}

/// The command path, such as `azt account show`.
fn path(program: Program, args: &[impl AsRef<str>], depth: usize) -> String {
    let words = args.iter().take(depth).map(AsRef::as_ref);
    [program.name()].into_iter().chain(words).collect::<Vec<_>>().join(" ")
}

fn unrecognized<'w>(
    root: &Command,
    args: &[String],
    words: impl IntoIterator<Item = &'w str>,
    program: Program,
) -> Error {
    let (leaf, depth) = leaf(root, args);
    let mut every = tree::root(program);
    every.build();
    let words: Vec<&str> = words.into_iter().collect();
    let shown = argparse::shown(&every, leaf, words.iter().copied());
    let error = usage(format!("unrecognized arguments: {shown}"), &path(program, args, depth));
    if program == Program::Az {
        return error;
    }
    if leaf.get_name() == "exec" {
        return error
            .remedy("The program's own arguments come after -- : azt exec -- PROGRAM ARGUMENTS");
    }
    let own: Vec<String> = leaf.get_arguments().filter_map(Arg::get_long).map(dashed).collect();
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    let meant = words.iter().filter(|word| word.starts_with("--")).filter_map(|word| {
        let name = word.split_once('=').map_or(*word, |(name, _)| name);
        habits::option(name, &own)
    });
    meant.fold(error, |error, meant| error.remedy(format!("Did you mean {meant}?")))
}

fn dashed(name: &str) -> String {
    format!("--{name}")
}

/// The error for a command that azt has under another name; `None` for one that nobody has.
fn of_habit(args: &[String], program: Program) -> Option<Error> {
    let (habit, own) = habits::command(args).filter(|_| program == Program::Azt)?;
    let error = Error::new(Kind::Usage, format!("azt has no '{habit}'. Run: {own}"));
    Some(if habits::is_cure(own) { error.command(own) } else { error })
}

/// Converts clap's error to argparse's message.
pub(super) fn explain(
    error: &clap::Error,
    root: &Command,
    args: &[String],
    program: Program,
) -> Error {
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
            if let Some(error) = of_habit(args, program) {
                return error;
            }
            // clap lists the best guess last.
            let guesses = match error.get(ContextKind::SuggestedSubcommand) {
                Some(ContextValue::Strings(guesses)) => guesses.as_slice(),
                _ => &[],
            };
            let mut guesses = guesses.iter().rev().map(String::as_str);
            let guess = match program {
                Program::Azt => guesses.next(),
                // az only guesses within a group.
                Program::Az if depth == 0 => None,
                Program::Az => {
                    let group = args.first().map_or("", String::as_str);
                    guesses.find(|guess| !ONLY_OF_AZT.contains(&[group, guess].as_slice()))
                }
            };
            return misspelled(&word, guess, &path, program);
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
                Some(ContextValue::Strings(values)) => values.as_slice(),
                _ => &[],
            };
            let option = arg.split(' ').next().unwrap_or_default();
            let mut message = format!(
                "{path}: '{value}' is not a valid value for '{option}'.",
                value = Typed(&value)
            );
            if !allowed.is_empty() {
                let _ = write!(message, " Allowed values: {}.", allowed.join(", "));
            }
            let guess = nearest(&value, allowed.iter().map(String::as_str));
            let guess = guess.filter(|_| program == Program::Azt);
            let guess = guess.map(|guess| format!("Did you mean '{guess}'?"));
            return usage_with(message, &path, guess.as_deref());
        }
        ErrorKind::UnknownArgument => {
            let arg = text(ContextKind::InvalidArg).unwrap_or_default();
            if leaf.has_subcommands() && !arg.starts_with('-') {
                if let Some(error) = of_habit(args, program) {
                    return error;
                }
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

/// A usage error of the command `path`.
pub(crate) fn usage(message: String, path: &str) -> Error {
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
