//! The subscriptions to choose a default from: in a list, or by words.

use std::collections::{BTreeSet, HashMap};

use super::Context;
use crate::error::{Error, Result};
use crate::foreign::Typed;
use crate::settings::{Recent, Subscription};
use crate::sys::{Choice, Words};

/// Most subscriptions in an error.
const NAMED: usize = 10;

/// Subscriptions in the order of the list: the default, those that were the default lately, the
/// others by name.
pub(crate) struct Candidates<'p> {
    /// What stands between two names.
    dot: &'static str,
    entries: Vec<&'p Subscription>,
}

impl<'p> Candidates<'p> {
    /// The candidates `entries`, all of the active cloud.
    pub(crate) fn new(
        context: &Context<'_>,
        entries: impl Iterator<Item = &'p Subscription>,
    ) -> Self {
        let recent = Recent::load(&context.dir);
        let recent = recent.of(&context.cloud().name).iter().enumerate();
        let ranks: HashMap<&str, usize> = recent.map(|(at, id)| (id.as_str(), at + 1)).collect();
        let rank = |entry: &Subscription| {
            let rank = || ranks.get(entry.id()).copied().unwrap_or(usize::MAX);
            if entry.is_default() { 0 } else { rank() }
        };
        let mut entries: Vec<&Subscription> = entries.collect();
        entries.sort_by_cached_key(|entry| (rank(entry), entry.name().to_lowercase()));
        let dot = context.system.terminal.screen(&context.system.env).dot();
        Self { dot, entries }
    }

    /// Lets the user choose on the terminal. `None` if the user keeps the default. One candidate is
    /// no question.
    ///
    /// # Errors
    /// [`Kind::Cancelled`](crate::error::Kind::Cancelled) after Ctrl-C.
    pub(crate) fn pick(&self, context: &Context<'_>) -> Result<Option<&'p Subscription>> {
        if let [only] = self.entries.as_slice() {
            return Ok(Some(*only));
        }
        let picked = context.system.pick("Subscription to use:", &self.choices())?;
        Ok(picked.and_then(|at| self.entries.get(at).copied()))
    }

    /// The candidate with the id or the name `wanted`, else the one that contains its words.
    /// `None` if there is none.
    ///
    /// # Errors
    /// There are several.
    pub(crate) fn called(&self, wanted: &str) -> Result<Option<&'p Subscription>> {
        let lower = wanted.to_lowercase();
        let mut found: Vec<&Subscription> =
            self.entries.iter().copied().filter(|entry| entry.is_called(&lower)).collect();
        if found.is_empty() {
            let words = Words::of(wanted);
            let choices = self.choices();
            let all = self.entries.iter().copied().zip(&choices);
            found =
                all.filter(|(_, it)| words.are_in(&it.text())).map(|(entry, _)| entry).collect();
        }
        match found.as_slice() {
            [] => Ok(None),
            [only] => Ok(Some(*only)),
            several => Err(ambiguous(wanted, several, self.dot)),
        }
    }

    fn choices(&self) -> Vec<Choice> {
        let users: BTreeSet<&str> = self.entries.iter().map(|entry| entry.user_name()).collect();
        let choice = |entry: &&Subscription| Choice {
            name: entry.name().to_owned(),
            note: match (entry.is_default(), entry.flaw()) {
                (true, None) => "default".to_owned(),
                (true, Some(flaw)) => format!("default, {flaw}"),
                (false, flaw) => flaw.unwrap_or_default(),
            },
            owner: match entry.tenant_name() {
                tenant if users.len() > 1 => format!("{tenant} ({})", entry.user_name()),
                tenant => tenant.to_owned(),
            },
            id: entry.id().to_owned(),
        };
        self.entries.iter().map(choice).collect()
    }
}

fn ambiguous(wanted: &str, several: &[&Subscription], dot: &str) -> Error {
    let count = several.len();
    let text =
        format!("'{}' matches {count} subscriptions. Add a word, or use an id:", Typed(wanted));
    let error = several.iter().take(NAMED).fold(Error::failed(text), |error, entry| {
        let (id, name, tenant) = (entry.id(), entry.name(), entry.tenant_name());
        error.remedy(format!("{id}  {name} {dot} {tenant} ({})", entry.user_name()))
    });
    match count.saturating_sub(NAMED) {
        0 => error,
        more => error.remedy(format!("and {more} more")),
    }
}
