//! From an argument vector to [`Cli`], with az's habits laid over clap.
//!
//! What clap gives by settings: unambiguous prefixes of long options, the last of repeated options,
//! values attached or apart. What is done here: command words in any case, `@file`, help that wins
//! over every other error, and argparse's sentences for mistakes.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory, FromArgMatches};

use super::{Cli, hot};
use crate::error::{Error, Kind, Result};
use crate::program::Program;
use crate::sys::{System, decoded, file};

/// Options that az does not have. A shortened option means one of az's first: what works there must
/// not become ambiguous here.
const OUR_OPTIONS: [&str; 14] = [
    "allow_foreign_audience",
    "add_mask",
    "certificate_password",
    "claims",
    "federated_token_audience",
    "federated_token_command",
    "federated_token_file",
    "federated_token_from",
    "identity_from_env",
    "no_browser",
    "service_connection_id",
    "user_assertion",
    "account",
    "error_format",
];

/// What a command line asks for.
pub enum Invocation {
    /// A command.
    Run(Box<Cli>),
    /// This text, on standard output.
    Print(String),
    /// `--version`.
    Version,
}

/// Understands `command_line`, argv\[0\] included.
///
/// # Errors
/// [`Kind::Usage`] with argparse's sentence, as az prints it.
pub fn parse(
    system: &System,
    command_line: impl IntoIterator<Item = OsString>,
) -> Result<Invocation> {
    let program = system.program.name();
    let mut args = Vec::new();
    for arg in command_line.into_iter().skip(1) {
        let arg = arg
            .into_string()
            .map_err(|_| Error::new(Kind::Usage, "An argument is not UTF-8 text."))?;
        args.push(expand(system, arg)?);
    }
    // Command words are at most three deep; `config` takes values from the third on.
    let depth =
        if args.first().is_some_and(|word| word.eq_ignore_ascii_case("account")) { 3 } else { 2 };
    for word in args.iter_mut().take_while(|arg| !arg.starts_with('-')).take(depth) {
        word.make_ascii_lowercase();
    }
    match args.first().map(String::as_str) {
        Some("--version" | "-v") => return Ok(Invocation::Version),
        Some("help") if args.len() == 1 => args = vec!["--help".to_owned()],
        None => args.push("--help".to_owned()),
        Some(_) => {}
    }
    if args.iter().any(|arg| arg == "-h" || arg == "--help") {
        args.truncate(args.iter().take_while(|arg| !arg.starts_with('-')).take(depth).count());
        args.push("--help".to_owned());
    }

    match hot::parse(&args) {
        Some(cli) => Ok(Invocation::Run(Box::new(cli))),
        None => parse_expanded(program, &args),
    }
}

fn parse_expanded(program: &'static str, args: &[String]) -> Result<Invocation> {
    let mut command = Cli::command().name(program).bin_name(program);
    let words = std::iter::once(program.to_owned()).chain(args.iter().cloned());
    match command.try_get_matches_from_mut(words) {
        Ok(matches) => match Cli::from_arg_matches(&matches) {
            Ok(cli) => Ok(Invocation::Run(Box::new(cli))),
            Err(error) => Err(Error::new(Kind::Usage, error.to_string())),
        },
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            // The texts name azt; under another name they speak of that.
            Ok(Invocation::Print(error.to_string().replace("azt", program)))
        }
        Err(error) => match meant_by_az(&error, &command, args) {
            Some(args) => parse_expanded(program, &args),
            None => Err(explain(&error, &command, args, program)),
        },
    }
}

/// The command line with a shortened option written out, where it is ambiguous only because of
/// options that az does not have: `--federated` is `--federated-token`.
fn meant_by_az(error: &clap::Error, root: &Command, args: &[String]) -> Option<Vec<String>> {
    let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let leaf = args.iter().try_fold(root, |leaf, word| leaf.find_subcommand(word).ok_or(leaf));
    let matching = begun_with(leaf.unwrap_or_else(|leaf| leaf), option);
    let [only] = matching.as_slice() else { return None };
    let is_it = |arg: &str| arg == option.as_str() && arg != only;
    let written_out = |arg: &String| match arg.split_once('=') {
        Some((name, value)) if is_it(name) => format!("{only}={value}"),
        None if is_it(arg) => only.clone(),
        _ => arg.clone(),
    };
    let written: Vec<String> = args.iter().map(written_out).collect();
    (written != args).then_some(written)
}

/// The options of az that begin with `option`.
fn begun_with(command: &Command, option: &str) -> Vec<String> {
    command
        .get_arguments()
        .filter(|arg| !OUR_OPTIONS.contains(&arg.get_id().as_str()))
        .flat_map(long_names)
        .map(|name| format!("--{name}"))
        .filter(|name| option.len() > 2 && name.starts_with(option))
        .collect()
}

/// `@file`, `--option=@file` and `name=@file` become the content of the file, without its last line
/// ends; `@-` reads standard input. What cannot be opened stays as typed, as in az.
fn expand(system: &System, arg: String) -> Result<String> {
    let (head, path) = match arg.split_once('=') {
        // A command line that is one argument has blanks.
        Some((name, value)) if value.starts_with('@') && !name.contains(' ') => {
            (format!("{name}="), value)
        }
        _ => (String::new(), arg.as_str()),
    };
    let Some(path) = path.strip_prefix('@').filter(|path| !path.is_empty()) else { return Ok(arg) };
    let bytes = if path == "-" {
        file::read_stdin()?
    } else {
        let path = match (path.strip_prefix("~/"), system.home()) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(path),
        };
        match file::read_named(&path) {
            Ok(Some(bytes)) => bytes,
            // az takes it for what was meant, and so for the secret.
            Err(error) if is_there(&error) && system.program == Program::Azt => {
                return Err(file::cannot("read", &path, error));
            }
            _ => return Ok(arg),
        }
    };
    let text = decoded(&bytes).ok_or_else(|| {
        Error::new(Kind::Usage, format!("The content of {path} is neither UTF-8 nor UTF-16 text."))
    })?;
    Ok(head + text.trim_end_matches(['\r', '\n']))
}

/// True when a file is there all the same: text that begins with `@` for another reason names none.
fn is_there(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::FileTooLarge)
}

/// clap's error in argparse's words.
fn explain(error: &clap::Error, root: &Command, args: &[String], program: &str) -> Error {
    let mut leaf = root;
    let mut path = program.to_owned();
    for word in args {
        let Some(next) = leaf.find_subcommand(word) else { break };
        leaf = next;
        path = format!("{path} {word}");
    }
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => texts.first().cloned(),
        _ => None,
    };
    let names = |shown: &str| option_names(leaf, shown);
    let message = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let word = text(ContextKind::InvalidSubcommand).unwrap_or_default();
            // clap lists the likeliest last.
            let guess = match error.get(ContextKind::SuggestedSubcommand) {
                Some(ContextValue::Strings(guesses)) => guesses.last(),
                _ => None,
            };
            // az guesses within a group only.
            let guess = guess.filter(|_| program != "az" || path != program);
            let hint = guess.map(|guess| format!("\nDid you mean '{guess}' ?")).unwrap_or_default();
            format!("'{word}' is misspelled or not recognized by the system.{hint}")
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let what = if path == program { "_command_package" } else { "_subcommand" };
            format!("the following arguments are required: {what}")
        }
        ErrorKind::MissingRequiredArgument => {
            let missing = match error.get(ContextKind::InvalidArg) {
                Some(ContextValue::Strings(all)) => {
                    all.iter().map(|arg| names(arg)).collect::<Vec<_>>().join(", ")
                }
                _ => String::new(),
            };
            format!("the following arguments are required: {missing}")
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let arg = text(ContextKind::InvalidArg).unwrap_or_default();
            match text(ContextKind::InvalidValue).filter(|value| !value.is_empty()) {
                None => format!("argument {}: expected one argument", names(&arg)),
                Some(value) => {
                    let allowed = match error.get(ContextKind::ValidValue) {
                        Some(ContextValue::Strings(values)) => values.join(", "),
                        _ => String::new(),
                    };
                    let option = arg.split(' ').next().unwrap_or_default();
                    format!(
                        "{path}: '{value}' is not a valid value for '{option}'. Allowed values: {allowed}."
                    )
                }
            }
        }
        ErrorKind::UnknownArgument => {
            let arg = text(ContextKind::InvalidArg).unwrap_or_default();
            let matching = begun_with(leaf, &arg);
            if matching.len() > 1 {
                format!("ambiguous option: {arg} could match {}", matching.join(", "))
            } else if leaf.has_subcommands() && !arg.starts_with('-') {
                format!("'{arg}' is misspelled or not recognized by the system.")
            } else {
                // argparse goes on, and lists what it could not place.
                let rest = args.iter().skip_while(|it| *it != &arg).skip(1);
                let values = rest.take_while(|it| arg.starts_with('-') && !it.starts_with('-'));
                let all: Vec<&str> =
                    std::iter::once(arg.as_str()).chain(values.map(String::as_str)).collect();
                format!("unrecognized arguments: {}", all.join(" "))
            }
        }
        _ => {
            let shown = error.to_string();
            let first = shown.lines().next().unwrap_or_default();
            first.strip_prefix("error: ").unwrap_or(first).to_owned()
        }
    };
    let unknown = message.contains("is misspelled or not recognized");
    let mut error = Error::new(Kind::Usage, message);
    if unknown && program == "az" {
        error = error.remedy("There is no other az on PATH that could know it.");
    }
    if program == "az" {
        error
            .remedy("")
            .remedy("https://aka.ms/cli_ref")
            .remedy("Read more about the command in reference docs")
    } else {
        error.remedy(format!("Run '{path} --help' for what it takes."))
    }
}

/// All names of the option that clap shows as `--subscription <SUBSCRIPTION>`, as argparse joins
/// them: `--subscription/-s/--name/-n`. A positional shows as its value's name.
fn option_names(command: &Command, shown: &str) -> String {
    let long = shown.split([' ', '=']).next().unwrap_or(shown).trim_start_matches("--");
    let found = command.get_arguments().find(|arg| arg.get_long() == Some(long));
    let Some(arg) = found else { return shown.trim_matches('.').to_owned() };
    let mut names = Vec::new();
    let mut shorts =
        arg.get_short().into_iter().chain(arg.get_all_short_aliases().unwrap_or_default());
    for long in long_names(arg) {
        names.push(format!("--{long}"));
        names.extend(shorts.next().map(|short| format!("-{short}")));
    }
    names.join("/")
}

fn long_names(arg: &Arg) -> impl Iterator<Item = String> {
    arg.get_long()
        .into_iter()
        .chain(arg.get_all_aliases().unwrap_or_default())
        .map(str::to_owned)
        .collect::<Vec<_>>()
        .into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every option with the values that programs send, in every order of two, and what is beside
    /// the way: empty values, repeated options, abbreviations, mistakes.
    const PIECES: [&[&str]; 38] = [
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
        &["--claims", "{\"a\":\"=b\"}"],
        &["--user-assertion", "e.y.j"],
        &["--identity-from-env"],
        &["--only-show-errors"],
        &["--debug", "--verbose"],
        &["extra"],
        &["--subscr", "x"],
    ];

    fn by_clap(args: &[String]) -> Option<String> {
        let words = std::iter::once("az".to_owned()).chain(args.iter().cloned());
        let matches = Cli::command().try_get_matches_from(words).ok()?;
        Cli::from_arg_matches(&matches).ok().map(|cli| format!("{cli:?}"))
    }

    #[test]
    fn the_short_way_says_what_clap_says() {
        let mut understood = 0;
        for (first, second) in PIECES.iter().flat_map(|a| PIECES.iter().map(move |b| (a, b))) {
            let words = ["account", "get-access-token"].iter().chain(*first).chain(*second);
            let args: Vec<String> = words.map(|word| (*word).to_owned()).collect();
            if let Some(cli) = hot::parse(&args) {
                understood += 1;
                assert_eq!(Some(format!("{cli:?}")), by_clap(&args), "{args:?}");
            }
        }
        assert!(understood > 400, "it is the way that is taken: {understood}");
    }

    #[test]
    fn the_short_way_takes_what_sdks_send() {
        for line in [
            "account get-access-token",
            "account get-access-token --output json --resource https://management.azure.com",
            "account get-access-token -o json --scope https://storage.azure.com/.default --tenant t",
            "account get-access-token --scope https://management.azure.com/.default --subscription s -o=json",
            "account get-access-token --query accessToken -o tsv",
        ] {
            let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert!(hot::parse(&args).is_some(), "{line}");
        }
    }
}
