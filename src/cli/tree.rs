//! clap's tree of commands.

use anstyle::{AnsiColor, Style};
use clap::builder::Styles;
use clap::{Command, CommandFactory};

use super::{AccountSet, Cli, Topic};
use crate::program::Program;

/// The commands that az does not have, where they would not be taken for az's.
pub(super) const ONLY_OF_AZT: [&[&str]; 10] = [
    &["ci"],
    &["completion"],
    &["config", "list"],
    &["exec"],
    &["hosts"],
    &["serve"],
    &["status"],
    &["switch"],
    &["token"],
    &["whoami"],
];

/// Colours of help that are readable on a dark and on a light background.
const STYLES: Styles = Styles::plain()
    .header(HEADING)
    .usage(HEADING)
    .literal(AnsiColor::Cyan.on_default())
    .placeholder(Style::new().dimmed());
pub(super) const HEADING: Style = Style::new().bold();

/// The line before the examples of a command.
pub(crate) const EXAMPLES: &str = "Examples:";

/// The root of the commands.
pub(super) fn root(program: Program) -> Command {
    let root = Cli::command().name(program.name()).bin_name(program.name()).styles(STYLES);
    match root.get_after_help() {
        Some(after) if program == Program::Azt => {
            let topics = Topic::ALL.map(|topic| format!("`azt help {}`", topic.name())).join(", ");
            let after = format!("{after}\nMore help: {topics}.");
            root.after_help(after)
        }
        _ => root,
    }
}

/// The command tree, with the arguments of `command` as `program` has them.
pub(super) fn tree(program: Program, command: &[impl AsRef<str>]) -> Command {
    let mut root = root(program);
    let words = command.iter().map(AsRef::as_ref);
    let line = || [program.name()].into_iter().chain(words.clone());
    // clap builds a command's arguments only when it parses the command. Errors are ignored: the
    // arguments are not placed yet.
    let _ = root.try_get_matches_from_mut(line());
    if program == Program::Az && words.clone().take(2).eq(["account", "set"]) {
        // A new command, because a change of a built one confuses clap.
        let of_az = |account: Command| account.mut_subcommand("set", |_| AccountSet::of_az());
        root = root.mut_subcommand("account", of_az);
        let _ = root.try_get_matches_from_mut(line());
    }
    root
}

/// The command that `args` select, with the number of its words.
pub(super) fn leaf<'c>(root: &'c Command, args: &[String]) -> (&'c Command, usize) {
    let mut leaf = root;
    let mut depth = 0;
    while let Some(next) = args.get(depth).and_then(|word| leaf.find_subcommand(word)) {
        leaf = next;
        depth += 1;
    }
    (leaf, depth)
}

/// The command of [`ONLY_OF_AZT`] that `typed` begins with: its last word, and those before.
pub(super) fn only_of_azt(
    typed: &[String],
) -> Option<(&'static &'static str, &'static [&'static str])> {
    let begins = |own: &&&[&str]| typed.get(..own.len()).is_some_and(|typed| typed == **own);
    ONLY_OF_AZT.iter().find(begins)?.split_last()
}

/// Every command of azt with its arguments, for man pages.
pub(crate) fn all_commands() -> Command {
    let mut root = root(Program::Azt);
    root.build();
    root
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::argparse::Word;
    use crate::cli::parse::{Invocation, understood};

    /// The paths of all commands that help shows, groups included.
    fn paths(command: &Command, path: &[String]) -> Vec<Vec<String>> {
        let shown = command.get_subcommands().filter(|command| !command.is_hide_set());
        let below = shown.flat_map(|command| {
            let path = [path, &[command.get_name().to_owned()]].concat();
            [vec![path.clone()], paths(command, &path)].concat()
        });
        below.collect()
    }

    fn every_path() -> Vec<Vec<String>> {
        let paths = paths(&all_commands(), &[]);
        assert!(paths.len() > 40, "the test finds the commands: {}", paths.len());
        paths
    }

    /// The examples in the help of the command `path`, without what is said about them.
    fn examples(path: &[String]) -> Vec<String> {
        let root = tree(Program::Azt, path);
        let after = leaf(&root, path).0.get_after_help().map(ToString::to_string);
        let after = after.unwrap_or_default();
        let Some((_, examples)) = after.split_once(EXAMPLES) else { return Vec::new() };
        let lines = examples.lines().skip(1).take_while(|line| !line.is_empty());
        lines.map(|line| line.trim().split("  ").next().unwrap().to_owned()).collect()
    }

    #[test]
    fn every_command_has_examples_that_are_right() {
        for path in every_path() {
            if leaf(&tree(Program::Azt, &path), &path).0.has_subcommands() {
                continue;
            }
            let examples = examples(&path);
            assert!(!examples.is_empty(), "{path:?} has no example in its help");
            for example in examples {
                let own = example.split(" | ").find(|part| part.starts_with("azt "));
                let own = own.unwrap_or_else(|| panic!("{path:?}: {example}"));
                let own = own.split(" >").next().unwrap();
                let words: Vec<String> = shlex::split(own).unwrap().drain(1..).collect();
                assert!(words.starts_with(&path), "{path:?}: {example}");
                // Files that examples name are not there.
                let word = |text: String| Word { text, is_value: false };
                let read = understood(Program::Azt, words.into_iter().map(word).collect());
                let failure = read.as_ref().err().map(|error| error.message().to_owned());
                assert!(matches!(read, Ok(Invocation::Run(_))), "{example}: {failure:?}");
            }
        }
    }

    #[test]
    fn a_command_has_one_title_in_the_list_and_on_its_page() {
        for path in every_path() {
            let (own, above) = (tree(Program::Azt, &path), &path[..path.len() - 1]);
            let list = tree(Program::Azt, above);
            let listed = leaf(&list, above).0.find_subcommand(path.last().unwrap()).unwrap();
            let title = leaf(&own, &path).0.get_about().map(ToString::to_string);
            assert_eq!(listed.get_about().map(ToString::to_string), title, "{path:?}");
        }
    }

    #[test]
    fn the_default_format_is_json_only_where_it_is() {
        let format = |words: &[&str]| {
            let path: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let root = tree(Program::Azt, &path);
            let (leaf, _) = leaf(&root, &path);
            let output = leaf.get_arguments().find(|arg| arg.get_long() == Some("output")).unwrap();
            output.get_help().unwrap().to_string()
        };
        for words in [&["doctor"][..], &["whoami"], &["token"], &["ci"], &["completion"]] {
            assert!(format(words).ends_with("[default: text]"), "{words:?}");
        }
        assert!(format(&["account", "show"]).ends_with("[default: json]"));
    }
}
