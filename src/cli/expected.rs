//! What may stand at the end of an unfinished command line, by clap's tree.

use clap::builder::StyledStr;
use clap::{Arg, ArgAction, Command, CommandFactory};

use super::Cli;

/// What the next word can be.
pub(crate) enum Expected {
    /// One of these words, each with its help.
    Words(Vec<(String, String)>),
    /// A value of this command's positional argument.
    Positional,
    /// Any value of an option, such as a file.
    Value,
}

/// What can follow `words`, which are whole and do not include the program. `current` is the start
/// of the next word.
pub(crate) fn expected(words: &[String], current: &str) -> Expected {
    let mut root = Cli::command();
    // clap builds a command's arguments only when it parses the command. The line is unfinished, so
    // it does not parse.
    let commands = words.iter().take_while(|word| !word.starts_with('-'));
    let path: Vec<String> = commands.map(|word| word.to_ascii_lowercase()).collect();
    let _ = root.try_get_matches_from_mut(["azt".to_owned()].into_iter().chain(path.clone()));
    let mut leaf = &root;
    for word in &path {
        let Some(next) = leaf.find_subcommand(word) else { break };
        leaf = next;
    }
    if let Some(option) = words.last().and_then(|word| option(leaf, word))
        && takes_value(option)
    {
        return values(option).map_or(Expected::Value, Expected::Words);
    }
    if current.starts_with('-') {
        return Expected::Words(options(leaf));
    }
    if leaf.has_subcommands() {
        let shown = leaf.get_subcommands().filter(|command| !command.is_hide_set());
        let row = |command: &Command| (command.get_name().to_owned(), line(command.get_about()));
        return Expected::Words(shown.map(row).collect());
    }
    match leaf.get_positionals().next() {
        Some(positional) => values(positional).map_or(Expected::Positional, Expected::Words),
        None => Expected::Words(options(leaf)),
    }
}

/// The values of the option `name` of the command that `words` start with; `None` if they are not a
/// list.
pub(crate) fn values_of(words: &[String], name: &str) -> Option<Vec<(String, String)>> {
    let commands = words.iter().take_while(|word| !word.starts_with('-')).cloned();
    match expected(&commands.chain([name.to_owned()]).collect::<Vec<_>>(), "") {
        Expected::Words(words) if words.iter().all(|(word, _)| !word.starts_with('-')) => {
            Some(words)
        }
        _ => None,
    }
}

fn option<'c>(command: &'c Command, word: &str) -> Option<&'c Arg> {
    let (long, short) = (word.strip_prefix("--"), word.strip_prefix('-'));
    command.get_arguments().find(|arg| {
        let longs = arg.get_long_and_visible_aliases().unwrap_or_default();
        let hidden = arg.get_all_aliases().unwrap_or_default();
        let shorts = arg.get_short_and_visible_aliases().unwrap_or_default();
        let hidden_shorts = arg.get_all_short_aliases().unwrap_or_default();
        long.is_some_and(|long| longs.contains(&long) || hidden.contains(&long))
            || short.is_some_and(|short| {
                shorts.iter().chain(&hidden_shorts).any(|it| it.to_string() == short)
            })
    })
}

fn takes_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}

fn values(arg: &Arg) -> Option<Vec<(String, String)>> {
    let values = arg.get_possible_values();
    let row = |value: &clap::builder::PossibleValue| {
        (value.get_name().to_owned(), line(value.get_help()))
    };
    (!values.is_empty()).then(|| values.iter().map(row).collect())
}

fn options(command: &Command) -> Vec<(String, String)> {
    let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
    let row = |arg: &Arg| Some((format!("--{}", arg.get_long()?), line(arg.get_help())));
    shown.filter_map(row).collect()
}

/// The first line of a help.
fn line(help: Option<&StyledStr>) -> String {
    let help = help.map(ToString::to_string).unwrap_or_default();
    help.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected_after(line: &str, current: &str) -> Vec<String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        match expected(&words, current) {
            Expected::Words(words) => words.into_iter().map(|(word, _)| word).collect(),
            Expected::Positional => vec!["a positional".to_owned()],
            Expected::Value => vec!["a value".to_owned()],
        }
    }

    #[test]
    fn what_may_follow() {
        let commands = expected_after("", "");
        assert!(commands.contains(&"account".to_owned()), "{commands:?}");
        assert!(!commands.contains(&"identity-broker".to_owned()), "hidden");
        assert_eq!(expected_after("account tenant", ""), ["list"]);
        assert_eq!(expected_after("ACCOUNT Tenant", ""), ["list"]);
        let options = expected_after("account show --subscription x", "--");
        assert!(
            options.contains(&"--account".to_owned()) && options.contains(&"--help".to_owned())
        );
        assert!(!options.contains(&"--acquire-policy-token".to_owned()), "hidden");
        assert_eq!(expected_after("account show -o", "")[..2], ["json", "jsonc"]);
        assert_eq!(expected_after("login --certificate", ""), ["a value"]);
        assert_eq!(expected_after("account show -n", ""), ["a value"]);
        assert_eq!(expected_after("login --use-device-code", "-")[0], "--username");
        assert_eq!(expected_after("config get", ""), ["a positional"]);
        assert_eq!(
            expected_after("completion", ""),
            ["bash", "zsh", "fish", "powershell", "nushell"]
        );
        assert!(expected_after("nonsense", "").contains(&"account".to_owned()));
    }
}
