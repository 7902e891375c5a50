//! The settings of `core` in azt and az, and their valid values.

use std::time::Duration;

use crate::accounts::Context;
use crate::broker;
use crate::error::{Error, Result};
use crate::foreign::Typed;
use crate::output::Format;
use crate::settings::{FALSE, TRUE};

/// Boolean settings: azt's own, then those shared with az 2.91.
pub(in crate::commands) const SWITCHES: [&str; 8] = [
    "only_show_errors",
    "no_color",
    "renew_ahead",
    "persist",
    "identity_from_env",
    "share_with_az",
    "remove_migrated",
    "login_experience_v2",
];

/// Settings with other values.
const OTHERS: [&str; 5] =
    ["output", "key_source", "key_cache_seconds", "login_timeout", "error_format"];

/// Settings of az 2.91 that azt ignores.
const OF_AZ: [&str; 17] = [
    "cache_ttl",
    "collect_telemetry",
    "disable_concurrent_ids",
    "disable_confirm_prompt",
    "disable_progress_bar",
    "display_region_identified",
    "enable_broker_on_mac",
    "enable_broker_on_windows",
    "encrypt_token_cache",
    "error_recommendation",
    "first_run",
    "instance_discovery",
    "name",
    "survey_message",
    "theme",
    "use_command_index",
    "use_msal_http_cache",
];

/// The settings of azt and az, without `core.`.
pub(in crate::commands) fn names() -> impl Iterator<Item = &'static str> + Clone {
    SWITCHES.into_iter().chain(OTHERS).chain(OF_AZ)
}

/// True for a setting of azt or az; `option` is lower-case.
pub(in crate::commands) fn is_known(option: &str) -> bool {
    names().any(|known| known == option)
}

/// The setting that `option` is probably a typo of.
pub(in crate::commands) fn nearest(option: &str) -> Option<&'static str> {
    let far = |known: &&str| distance(known, option);
    names().min_by_key(far).filter(|known| far(known) <= 1 + option.len() / 6)
}

/// The Levenshtein distance in bytes.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, a) in one.bytes().enumerate() {
        let mut diagonal = std::mem::replace(row.first_mut().unwrap_or(&mut 0), at + 1);
        let mut left = at + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(other.bytes()) {
            let changed = diagonal + usize::from(a != b);
            diagonal = *cell;
            *cell = changed.min(left + 1).min(diagonal + 1);
            left = *cell;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// Why `value` is invalid for the setting `option`; `None` if it is valid.
pub(in crate::commands) fn flaw_of_value(option: &str, value: &str) -> Option<Error> {
    let checked = match option {
        "output" => format_of(value).map(drop),
        "login_timeout" => time_limit_of(value).map(drop),
        "key_source" => broker::check_key_source(value),
        "key_cache_seconds" => broker::check_key_cache_seconds(value),
        option if SWITCHES.contains(&option) => switch(option, value),
        _ => Ok(()),
    };
    checked.err()
}

fn switch(option: &str, value: &str) -> Result<()> {
    let lower = value.to_lowercase();
    if TRUE.iter().chain(&FALSE).any(|word| *word == lower) {
        return Ok(());
    }
    let value = Typed(value);
    Err(Error::failed(format!("core.{option} is '{value}', which is neither on nor off."))
        .remedy(format!("Use one of {} or {}.", TRUE.join(", "), FALSE.join(", "))))
}

/// Parses the value of `core.output`.
fn format_of(value: &str) -> Result<Format> {
    value.parse().map_err(|_| {
        Error::failed(format!(
            "The setting core.output is '{}', which is not an output format.",
            Typed(value)
        ))
        .remedy("Use one of json, jsonc, yaml, yamlc, table, tsv, none.")
    })
}

/// Parses the value of `core.login_timeout`.
pub(in crate::commands) fn time_limit_of(value: &str) -> Result<Duration> {
    let seconds = value
        .trim()
        .parse()
        .map_err(|_| Error::failed("The setting core.login_timeout is not a number of seconds."))?;
    Ok(Duration::from_secs(seconds))
}

/// The default output format: `core.output`, else JSON.
pub(crate) fn default_format(context: &Context<'_>) -> Result<Format> {
    let name = context.config.get("core", "output")?;
    name.map_or(Ok(Format::Json), |name| format_of(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_its_setting() {
        for (typed, meant) in [
            ("outpt", Some("output")),
            ("no_colour", Some("no_color")),
            ("keysource", Some("key_source")),
            ("login_time_out", Some("login_timeout")),
            ("sharewithaz", Some("share_with_az")),
            ("persits", Some("persist")),
            ("mine", None),
            ("x", None),
        ] {
            assert_eq!(nearest(typed), meant, "{typed}");
        }
        assert_eq!(
            (distance("kitten", "sitting"), distance("", "abc"), distance("a", "")),
            (3, 3, 1)
        );
    }
}
