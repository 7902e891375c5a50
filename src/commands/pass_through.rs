//! Passes az commands that azt does not serve to the real az.

use std::ffi::{OsStr, OsString};

use crate::cli::before_separator;
use crate::error::Result;
use crate::program::Program;
use crate::sys::{System, hand_over, next_az};

/// The served groups with their commands; a group without commands is a command itself.
const SERVED: [(&str, &[&str]); 7] = [
    ("account", &["clear", "get-access-token", "list", "list-locations", "set", "show", "tenant"]),
    ("cloud", &["list", "list-profiles", "register", "set", "show", "unregister", "update"]),
    ("config", &["get", "set", "unset"]),
    ("login", &[]),
    ("logout", &[]),
    ("rest", &[]),
    ("version", &[]),
];

/// Under the name `az`, runs the next az on PATH if the command line is not served; on Unix this
/// does not return. `None` when azt serves the command line or there is no other az.
pub(crate) fn pass_through(system: &System, command_line: &[OsString]) -> Option<Result<u8>> {
    if system.program != Program::Az {
        return None;
    }
    let args = command_line.get(1..).unwrap_or_default();
    if is_served(args) {
        return None;
    }
    let program = next_az(system)?;
    Some(hand_over(system, &program, args))
}

fn is_served(args: &[OsString]) -> bool {
    let lower = |arg: &OsString| arg.to_str().unwrap_or_default().to_ascii_lowercase();
    let is_option = |arg: &&OsString| arg.to_str().is_none_or(|arg| arg.starts_with('-'));
    let words: Vec<String> =
        args.iter().take_while(|arg| !is_option(arg)).take(2).map(lower).collect();
    let asks_for_help = before_separator(args)
        .iter()
        .any(|arg| arg == OsStr::new("-h") || arg == OsStr::new("--help"));
    let mut words = words.iter().map(String::as_str);
    let Some(group) = words.next() else {
        // azt prints the version; the real az handles other options.
        return args.first().is_some_and(|first| first == "--version" || first == "-v");
    };
    let Some((_, commands)) = SERVED.iter().find(|(name, _)| *name == group) else { return false };
    match words.next() {
        _ if commands.is_empty() => true,
        Some(command) => commands.contains(&command),
        None => !asks_for_help,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn served_and_passed_commands() {
        let served = |line: &str| {
            is_served(&line.split_whitespace().map(OsString::from).collect::<Vec<_>>())
        };
        for line in [
            "account show",
            "Account SHOW -o json",
            "account",
            "account show -h",
            "login --help",
            "logout x",
            "account get-access-token --resource x",
            "config set a.b=1",
            "--version",
            "-v",
            "version",
            "rest --url /subscriptions",
            "rest -h",
        ] {
            assert!(served(line), "{line}");
        }
        for line in [
            "switch x",
            "",
            "--help",
            "-h",
            "help",
            "vm list",
            "vm --help",
            "account lock list",
            "account management-group list",
            "account -h",
            "account nonsense",
            "-o table account show",
            "find x",
        ] {
            assert!(!served(line), "{line}");
        }
    }
}
