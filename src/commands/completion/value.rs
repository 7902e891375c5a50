//! The values of options and arguments: names in local files.
//!
//! From files alone, without the vault: a Tab must not ask for a key, wait for a server or fail.

use crate::accounts::{Context, DamagedSettings};
use crate::hosts::Service;
use crate::settings::{ConfigDir, ProfileNames, known};
use crate::sys::System;

/// What a value names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Account,
    Cloud,
    /// A name of `hosts`: `graph`.
    Service,
    Setting,
    /// `section.name=`, to which a value is added; or with a value, where they are a list.
    Assignment,
    /// A place of the vault's key.
    KeySource,
    Subscription,
    Tenant,
}

/// Options with such values: the group of commands (empty for all), the names, the kind.
const OPTIONS: [(&str, &[&str], Kind); 11] = [
    ("", &["--subscription", "-s"], Kind::Subscription),
    ("account", &["--name", "-n"], Kind::Subscription),
    ("cloud", &["--name", "-n"], Kind::Cloud),
    ("cache", &["--cloud"], Kind::Cloud),
    ("vault", &["--to"], Kind::KeySource),
    ("", &["--account"], Kind::Account),
    ("", &["--username", "-u"], Kind::Account),
    ("", &["--tenant", "-t"], Kind::Tenant),
    ("token", &["--for"], Kind::Service),
    ("exec", &["--for", "--resource"], Kind::Service),
    ("serve", &["--resource"], Kind::Service),
];

/// Commands whose arguments have such values.
const ARGUMENTS: [(&str, Kind); 6] = [
    ("config get", Kind::Setting),
    ("config set", Kind::Assignment),
    ("config unset", Kind::Setting),
    ("account set", Kind::Subscription),
    ("switch", Kind::Subscription),
    ("token", Kind::Service),
];

/// A value, and what else is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) text: String,
    pub(super) about: String,
}

/// How the start of a word selects values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// Values that start with it; in any case if none does.
    Start,
    /// Values that contain it, in any case: the shell ranks them.
    Anywhere,
}

impl Match {
    fn with_case(self, text: &str, typed: &str) -> bool {
        self == Self::Start && text.starts_with(typed)
    }

    fn in_any_case(self, text: &str, lower: &str) -> bool {
        match self {
            Self::Start => text.to_lowercase().starts_with(lower),
            Self::Anywhere => text.to_lowercase().contains(lower),
        }
    }

    /// The `rows` whose text matches `typed`.
    pub(super) fn select<'r>(
        self,
        rows: impl Iterator<Item = (&'r str, &'r str)> + Clone,
        typed: &str,
    ) -> Vec<Value> {
        let value =
            |(text, about): (&str, &str)| Value { text: text.to_owned(), about: about.to_owned() };
        let exact = rows.clone().filter(|(text, _)| self.with_case(text, typed));
        let found: Vec<Value> = exact.map(value).collect();
        if !found.is_empty() {
            return found;
        }
        let lower = typed.to_lowercase();
        rows.filter(|(text, _)| self.in_any_case(text, &lower)).map(value).collect()
    }
}

impl Kind {
    /// The kind of the value of `option` in the command that starts with `words`.
    pub(super) fn of_option(words: &[String], option: &str) -> Option<Self> {
        let group = words.first().map(|word| word.to_ascii_lowercase()).unwrap_or_default();
        let is_it = |(of, names, _): &&(&str, &[&str], Kind)| {
            names.contains(&option) && (of.is_empty() || *of == group)
        };
        OPTIONS.iter().find(is_it).map(|(_, _, kind)| *kind)
    }

    /// The kind of the arguments of the command that starts with `words`.
    pub(super) fn of_argument(words: &[String]) -> Option<Self> {
        let commands = words.iter().take_while(|word| !word.starts_with('-'));
        let line = commands.map(|word| word.to_ascii_lowercase()).collect::<Vec<_>>().join(" ");
        let starts =
            |of: &str| line.strip_prefix(of).is_some_and(|it| it.is_empty() || it.starts_with(' '));
        ARGUMENTS.iter().find(|(of, _)| starts(of)).map(|(_, kind)| *kind)
    }

    /// The values that match `typed`.
    pub(super) fn values(self, system: &System, typed: &str, how: Match) -> Vec<Value> {
        match self {
            Self::Account => how.select(names(system).accounts(), typed),
            Self::Tenant => {
                let names = names(system);
                // Either is a tenant to az.
                let domains = names.tenants().map(|(id, domain)| (domain, id));
                let domains = domains.filter(|(domain, _)| !domain.is_empty());
                let found = how.select(domains, typed);
                if found.is_empty() { how.select(names.tenants(), typed) } else { found }
            }
            Self::Subscription => {
                let names = names(system);
                let cloud = settings(system).map(|context| context.cloud().name.clone());
                let seen = names
                    .subscriptions()
                    .filter(|it| cloud.as_ref().is_none_or(|cloud| it.cloud == cloud));
                let found = how.select(seen.clone().map(|it| (it.name, it.id)), typed);
                // Ids only for who types one: beside the names they say the same again.
                if typed.is_empty() || !found.is_empty() {
                    return found;
                }
                how.select(seen.map(|it| (it.id, it.name)), typed)
            }
            Self::Cloud => {
                let clouds = settings(system).and_then(|context| context.clouds.list().ok());
                let clouds = clouds.unwrap_or_default();
                how.select(clouds.iter().map(|cloud| (cloud.name.as_str(), "")), typed)
            }
            Self::Service => how.select(Service::names().map(|name| (name, "")), typed),
            Self::KeySource => {
                let all = known::KEY_SOURCE.words().into_iter().filter(|it| *it != "auto");
                how.select(all.map(|it| (it, "")).collect::<Vec<_>>().into_iter(), typed)
            }
            Self::Assignment if typed.contains('=') => assigned(system, typed, how),
            Self::Setting | Self::Assignment => {
                let end = if self == Self::Assignment { "=" } else { "" };
                let all = known::ALL.iter().map(|it| format!("{}.{}{end}", it.section, it.name));
                let of_az = known::OF_AZ.iter().map(|name| format!("core.{name}{end}"));
                let all: Vec<String> = all.chain(of_az).collect();
                how.select(all.iter().map(|name| (name.as_str(), "")), typed)
            }
        }
    }
}

/// `section.name=value` for each value of the setting.
fn assigned(system: &System, typed: &str, how: Match) -> Vec<Value> {
    let Some((key, value)) = typed.split_once('=') else { return Vec::new() };
    let setting = key.split_once('.').and_then(|(section, name)| known::find(section, name));
    let found = match setting {
        Some(setting) if setting.key() == known::CLOUD_NAME.key() => {
            Kind::Cloud.values(system, value, how)
        }
        Some(setting) => how.select(setting.words().iter().map(|it| (*it, "")), value),
        None => Vec::new(),
    };
    let whole = |it: Value| Value { text: format!("{key}={}", it.text), about: it.about };
    found.into_iter().map(whole).collect()
}

fn names(system: &System) -> ProfileNames {
    ProfileNames::load(&ConfigDir::find(system), system.clock.now())
}

fn settings(system: &System) -> Option<Context<'_>> {
    Context::load(system, DamagedSettings::Ignore).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Expected, expected};

    /// The table repeats names of clap's tree, which would cost more than the rest of a call.
    #[test]
    fn the_tables_name_options_and_arguments_that_exist() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let commands = |group: &str| match expected(&words(group), "") {
            Expected::Words(found) => {
                found.into_iter().map(|(name, _)| format!("{group} {name}")).collect()
            }
            _ => Vec::new(),
        };
        for (group, names, kind) in OPTIONS {
            let groups =
                if group.is_empty() { vec!["account", "logout", "login"] } else { vec![group] };
            for name in names {
                let takes = |command: &str| {
                    let line = [words(command), words(name)].concat();
                    matches!(expected(&line, ""), Expected::Value)
                        && Kind::of_option(&line, name) == Some(kind)
                };
                let mut all = groups
                    .iter()
                    .flat_map(|group| [vec![(*group).to_owned()], commands(group)].concat());
                assert!(all.any(|command| takes(&command)), "{group} {name}");
            }
        }
        for (command, kind) in ARGUMENTS {
            assert!(matches!(expected(&words(command), ""), Expected::Positional), "{command}");
            assert_eq!(Kind::of_argument(&words(command)), Some(kind));
        }
    }

    #[test]
    fn case_decides_only_if_it_finds_something() {
        let found = |typed, how: Match| {
            let rows = [("Prod", ""), ("prod 2", ""), ("Test Prod", "")].into_iter();
            how.select(rows, typed).into_iter().map(|it| it.text).collect::<Vec<_>>()
        };
        assert_eq!(found("Pr", Match::Start), ["Prod"]);
        assert_eq!(found("PR", Match::Start), ["Prod", "prod 2"]);
        assert_eq!(found("PR", Match::Anywhere), ["Prod", "prod 2", "Test Prod"]);
        assert_eq!(found("", Match::Start).len(), 3);
        assert!(found("x", Match::Anywhere).is_empty());
    }
}
