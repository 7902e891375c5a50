//! Classifies the words of a command line by argparse's rules: option, value, or neither.
//!
//! clap has different rules and quotes unexpected words in errors, so a secret that begins with `-`
//! could end in a log. Therefore this module places the words, and clap gets each value attached to
//! its option.

use clap::{Arg, ArgAction, Command};

use crate::foreign::Typed;
use crate::program::Program;
use crate::secret::Secret;

/// Options that az does not have. An abbreviation prefers az's options, so that abbreviations that
/// work with az do not become ambiguous.
const OUR_OPTIONS: [&str; 18] = [
    "authority",
    "allow_foreign_audience",
    "add_mask",
    "certificate_password",
    "claims",
    "federated_token_audience",
    "federated_token_command",
    "federated_token_file",
    "federated_token_from",
    "identity_from_env",
    "integrated",
    "no_browser",
    "redirect_uri",
    "service_connection_id",
    "use_broker",
    "user_assertion",
    "account",
    "error_format",
];

/// Options that az ignores when their value is empty, such as `-p "$SECRET"` with an unset
/// variable. An empty value of any other option is an error, because its meaning is unclear.
const NOT_GIVEN_IF_EMPTY: [&str; 15] = [
    "body",
    "certificate",
    "change_reference",
    "claims_challenge",
    "client_id",
    "federated_token",
    "name",
    "object_id",
    "output_file",
    "password",
    "resource",
    "resource_id",
    "subscription",
    "tenant",
    "username",
];

/// Replaces possible secrets in messages.
const HIDDEN: &str = "***";

/// One word of the command line.
pub(super) struct Word {
    pub(super) text: String,
    /// True for the content of a file, which is a value even if it begins with `-`.
    pub(super) is_value: bool,
}

/// The number of words at the start of `words` that are options of `command` with their values.
pub(super) fn leading(command: &Command, words: &[Word]) -> usize {
    let mut count = 0;
    while let Some(Ok(Look::Option(arg, attached))) = words.get(count).map(|it| look(command, it)) {
        let takes_next = arity(arg) == Arity::One && attached.is_none();
        count += if takes_next { 2 } else { 1 };
    }
    count.min(words.len())
}

/// The classified words of one command.
#[derive(Default)]
pub(super) struct Placed<'w> {
    /// The options in clap's spelling. A repeated option appears once, with its last value, unless it
    /// takes all of them.
    pub(super) options: Vec<String>,
    /// Values without an option.
    pub(super) positionals: Vec<String>,
    /// Words that the command does not accept.
    pub(super) unknown: Vec<&'w Word>,
}

/// The class of a word.
enum Look<'c> {
    Value,
    Option(&'c Arg, Option<String>),
    Unknown,
}

/// The number of values of an option.
#[derive(PartialEq)]
enum Arity {
    None,
    Optional,
    One,
    Many,
}

/// Assigns `words` to the arguments of `command`.
///
/// # Errors
/// argparse's message, without values that may be secrets.
pub(super) fn place<'w, 'c>(
    command: &'c Command,
    words: &'w [Word],
    program: Program,
) -> Result<Placed<'w>, String> {
    // Hidden ones are azt's own, in a command of az.
    let has_positionals = command.get_positionals().any(|arg| !arg.is_hide_set());
    let mut placed = Placed::default();
    let mut given: Vec<(&Arg, Vec<String>)> = Vec::new();
    let mut give = |arg: &'c Arg, values: Vec<String>| {
        // Of an option with many values argparse takes the last.
        if matches!(arg.get_action(), ArgAction::Append)
            && arity(arg) != Arity::Many
            && let Some((_, all)) = given.iter_mut().find(|(it, _)| it.get_id() == arg.get_id())
        {
            return all.extend(values);
        }
        given.retain(|(earlier, _)| earlier.get_id() != arg.get_id());
        given.push((arg, values));
    };
    let mut words = words.iter().peekable();
    let mut options_end = false;
    while let Some(word) = words.next() {
        let is_end = word.text == "--" && !word.is_value && !options_end;
        options_end |= is_end;
        let mut looks = if options_end { Look::Value } else { look(command, word)? };
        // `-ip` is `-i -p`.
        while let Look::Option(flag, Some(rest)) = &looks
            && arity(flag) == Arity::None
            && !word.text.starts_with("--")
        {
            let further = Word { text: format!("-{rest}"), is_value: false };
            let Ok(option @ Look::Option(..)) = look(command, &further) else { break };
            give(flag, Vec::new());
            looks = option;
        }
        let (arg, attached) = match looks {
            Look::Value if has_positionals && is_end => continue,
            Look::Value if has_positionals => {
                placed.positionals.push(word.text.clone());
                continue;
            }
            Look::Value | Look::Unknown => {
                placed.unknown.push(word);
                continue;
            }
            Look::Option(arg, attached) => (arg, attached),
        };
        let mut next_value = || {
            let is_value = |next: &&Word| matches!(look(command, next), Ok(Look::Value));
            words.next_if(is_value).map(|next| next.text.clone())
        };
        let values = match (arity(arg), attached) {
            (Arity::None, None) => Vec::new(),
            (Arity::None, Some(attached)) => {
                let shown = if takes_secrets(command) { HIDDEN } else { attached.as_str() };
                return Err(format!(
                    "argument {}: ignored explicit argument '{shown}'",
                    names(arg)
                ));
            }
            (_, Some(attached)) => vec![attached],
            (Arity::One, None) => {
                vec![next_value().ok_or_else(|| format!("argument {}: {MISSING}", names(arg)))?]
            }
            (Arity::Optional, None) => next_value().into_iter().collect(),
            (Arity::Many, None) => {
                let values: Vec<String> = std::iter::from_fn(next_value).collect();
                if values.is_empty() && needs_value(arg) {
                    return Err(format!("argument {}: expected at least one argument", names(arg)));
                }
                values
            }
        };
        give(arg, values);
    }
    // An option with many values must come last; such commands have no positionals.
    given.sort_by_key(|(arg, _)| arity(arg) == Arity::Many);
    for (arg, values) in given {
        if let Some(values) = without_empty(arg, values, program)? {
            write(arg, values, &mut placed.options);
        }
    }
    Ok(placed)
}

/// argparse's message about an option without its value.
pub(super) const MISSING: &str = "expected one argument";

/// Removes or rejects empty values; `None` when the option counts as not given.
fn without_empty(
    arg: &Arg,
    mut values: Vec<String>,
    program: Program,
) -> Result<Option<Vec<String>>, String> {
    if !values.iter().any(String::is_empty) {
        return Ok(Some(values));
    }
    let id = arg.get_id().as_str();
    // One of several limits that is missing would widen what is allowed.
    if matches!(arg.get_action(), ArgAction::Append) {
        return Err(format!("argument {}: its value is empty", names(arg)));
    }
    // As azt the option may name the user's own client: without it, az's would be used.
    let is_own_client = id == "client_id" && program == Program::Azt;
    if NOT_GIVEN_IF_EMPTY.contains(&id) && !arg.is_required_set() && !is_own_client {
        return Ok(None);
    }
    // The command reports the empty value itself, or it clears a member of a cloud.
    let accepts_empty = arg.is_required_set()
        || !arg.get_possible_values().is_empty()
        || ["query", "cloud_config", "wanted"].contains(&id)
        || ["endpoint_", "suffix_"].iter().any(|of_cloud| id.starts_with(of_cloud));
    if accepts_empty {
        return Ok(Some(values));
    }
    values.retain(|value| !value.is_empty());
    if values.is_empty() {
        return Err(format!("argument {}: its value is empty", names(arg)));
    }
    Ok(Some(values))
}

fn write(arg: &Arg, values: Vec<String>, options: &mut Vec<String>) {
    let long = arg.get_long().unwrap_or_default();
    match values.as_slice() {
        values if arity(arg) == Arity::One || matches!(arg.get_action(), ArgAction::Append) => {
            options.extend(values.iter().map(|value| format!("--{long}={value}")));
        }
        [value] if arity(arg) != Arity::Many => options.push(format!("--{long}={value}")),
        _ => options.extend([format!("--{long}")].into_iter().chain(values)),
    }
}

/// Classifies a word, like argparse's `_parse_optional`.
fn look<'c>(command: &'c Command, word: &Word) -> Result<Look<'c>, String> {
    let text = word.text.as_str();
    if word.is_value || !text.starts_with('-') || text.len() == 1 {
        return Ok(Look::Value);
    }
    let options = || command.get_arguments().filter(|arg| !arg.is_positional());
    let called = |name: &str| options().find(|arg| spellings(arg).any(|it| it == name));
    if let Some(arg) = called(text) {
        return Ok(Look::Option(arg, None));
    }
    let (name, attached) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (text, None),
    };
    if let Some(arg) = called(name).filter(|_| attached.is_some()) {
        return Ok(Look::Option(arg, attached));
    }
    if !text.starts_with("--") {
        let (short, rest) = short(text);
        let option = called(short).map(|arg| Look::Option(arg, Some(rest.to_owned())));
        return Ok(option.unwrap_or_else(|| unplaced(text)));
    }
    let begun = |arg: &&Arg| spellings(arg).any(|it| it.starts_with(name));
    let ours = |arg: &&Arg| OUR_OPTIONS.contains(&arg.get_id().as_str());
    let mut begun: Vec<&Arg> = options().filter(begun).collect();
    if !begun.iter().all(ours) {
        begun.retain(|arg| !ours(arg));
    }
    match begun.as_slice() {
        [] => Ok(unplaced(text)),
        [arg] => Ok(Look::Option(arg, attached)),
        several => {
            let names = several.iter().flat_map(|arg| spellings(arg));
            let names: Vec<String> = names.filter(|it| it.starts_with(name)).collect();
            Err(format!("ambiguous option: {name} could match {}", names.join(", ")))
        }
    }
}

/// Splits `-psecret` into `-p` and `secret`.
fn short(text: &str) -> (&str, &str) {
    text.split_at(text.char_indices().nth(2).map_or(text.len(), |(at, _)| at))
}

/// Classifies a word that begins with `-` and is not an option: a negative number or a text with a
/// space is a value.
fn unplaced(text: &str) -> Look<'static> {
    let is_digits = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
    let number = text.get(1..).unwrap_or_default();
    let is_number = match number.split_once('.') {
        Some((whole, part)) => is_digits(whole) && is_digits(part) && !part.is_empty(),
        None => is_digits(number),
    };
    if is_number || text.contains(' ') { Look::Value } else { Look::Unknown }
}

fn needs_value(arg: &Arg) -> bool {
    arg.get_num_args().is_some_and(|range| range.min_values() > 0)
}

fn arity(arg: &Arg) -> Arity {
    if !matches!(arg.get_action(), ArgAction::Set | ArgAction::Append) {
        return Arity::None;
    }
    match arg.get_num_args() {
        Some(range) if range.max_values() > 1 => Arity::Many,
        Some(range) if range.min_values() == 0 => Arity::Optional,
        _ => Arity::One,
    }
}

/// All spellings of an option in argparse's order: `--subscription`, `-s`, `--name`, `-n`. A short one
/// stands behind the long ones that begin with its letter: `--url`, `--uri`, `-u`.
fn spellings(arg: &Arg) -> impl Iterator<Item = String> {
    let aliases = arg.get_all_aliases().unwrap_or_default();
    let shorts = arg.get_short().into_iter().chain(arg.get_all_short_aliases().unwrap_or_default());
    let mut names: Vec<String> =
        arg.get_long().into_iter().chain(aliases).map(|long| format!("--{long}")).collect();
    for short in shorts {
        let begins = |name: &String| name.starts_with(&format!("--{short}"));
        let at = names.iter().rposition(begins).map_or(names.len(), |at| at + 1);
        names.insert(at, format!("-{short}"));
    }
    names.into_iter()
}

/// argparse's name of the option: `--subscription/-s/--name/-n`.
pub(super) fn names(arg: &Arg) -> String {
    spellings(arg).collect::<Vec<_>>().join("/")
}

/// Formats `words`, which `command` does not accept, for messages. Hides possible secrets: values
/// of unknown options, and all values if the command has secret options.
pub(super) fn shown<'w>(
    root: &Command,
    command: &Command,
    words: impl IntoIterator<Item = &'w str>,
) -> String {
    let is_secret_place = takes_secrets(command);
    let mut hides = is_secret_place;
    let mut shown = Vec::new();
    for word in words {
        if !word.starts_with('-') || word.len() == 1 {
            shown.push(if hides { HIDDEN.to_owned() } else { word.to_owned() });
            continue;
        }
        let name = match word.split_once('=') {
            _ if !word.starts_with("--") => short(word).0,
            Some((name, _)) => name,
            None => word,
        };
        hides = is_secret_place || !is_known(root, name);
        shown.push(match word.strip_prefix(name) {
            Some("") | None => name.to_owned(),
            Some(rest) if hides && rest.starts_with('=') => format!("{name}={HIDDEN}"),
            Some(_) if hides => format!("{name}{HIDDEN}"),
            Some(_) => word.to_owned(),
        });
    }
    Typed(&shown.join(" ")).to_string()
}

/// True when `name` is an option of a command below `root`, and its value is never a secret.
fn is_known(root: &Command, name: &str) -> bool {
    fn all(command: &Command) -> Vec<&Arg> {
        let below = command.get_subcommands().flat_map(all);
        command.get_arguments().chain(below).collect()
    }
    let mut called = all(root).into_iter().filter(|arg| spellings(arg).any(|it| it == name));
    called.next().is_some_and(|arg| !is_secret(arg)) && !called.any(is_secret)
}

fn takes_secrets(command: &Command) -> bool {
    command.get_arguments().any(is_secret)
}

fn is_secret(arg: &Arg) -> bool {
    arg.get_value_parser().type_id() == std::any::TypeId::of::<Secret>()
}
