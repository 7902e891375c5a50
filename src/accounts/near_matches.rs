//! Subscriptions whose names are nearly the one that was typed.

use crate::error::{Error, Kind};
use crate::near::near;
use crate::program::Program;
use crate::settings::Subscription;
use crate::sys::Words;

/// Most names in a message.
const NAMED: usize = 5;

/// True if none of `entries` has the id or the name `wanted`.
pub(crate) fn is_unknown<'p>(
    mut entries: impl Iterator<Item = &'p Subscription>,
    wanted: &str,
) -> bool {
    let lower = wanted.to_lowercase();
    !entries.any(|entry| entry.is_called(&lower))
}

/// Adds to `error` the names of `entries` that are nearly `wanted`, and the command that lists them
/// all, if none is called so. Under the name `az`, keeps `error`, az's message.
pub(crate) fn with_near_matches<'p>(
    error: Error,
    program: Program,
    entries: impl Iterator<Item = &'p Subscription> + Clone,
    wanted: &str,
) -> Error {
    let is_meant = program == Program::Azt && error.kind() == Kind::Failed;
    if !is_meant || !is_unknown(entries.clone(), wanted) {
        return error;
    }
    let mut near: Vec<&str> = Vec::new();
    for name in near_names(entries, wanted) {
        if !near.contains(&name) {
            near.push(name);
        }
    }
    let error = match near.as_slice() {
        [] => error,
        names => {
            let shown: Vec<String> = names.iter().take(NAMED).map(|it| format!("'{it}'")).collect();
            let more = match names.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(", and {more} more"),
            };
            error.remedy(format!("Similar: {}{more}.", shown.join(", ")))
        }
    };
    error.remedy(format!("All subscriptions: {program} account list"))
}

/// The names that contain the words of `wanted`; if there are none, those that it is a typo of.
fn near_names<'p>(entries: impl Iterator<Item = &'p Subscription>, wanted: &str) -> Vec<&'p str> {
    let lower = wanted.trim().to_lowercase();
    if lower.is_empty() {
        return Vec::new();
    }
    let words = Words::of(&lower);
    let names: Vec<&str> = entries.map(Subscription::name).collect();
    let mut found = names.clone();
    found.retain(|name| words.are_in(&name.to_lowercase()));
    if found.is_empty() { near(&lower, names) } else { found }
}
