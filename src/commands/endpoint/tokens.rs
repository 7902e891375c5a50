//! Tokens in memory: a thousand callers of one token are one request, and a token is renewed while
//! it is still handed out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, Semaphore, oneshot};

use super::refused::{Refused, Why};
use super::source::Source;
use crate::broker::{MARGIN, Wanted};
use crate::entra::Scopes;
use crate::secret::Secret;
use crate::settings::ServedFiles;
use crate::sys::Clock;

/// How long a token is handed out before the vault is read again, in seconds: a sign-out ends it.
const UNREAD: i64 = 30;
/// How long a refusal is repeated without asking again, in seconds.
const REFUSED: i64 = 5;
/// Most tokens in memory.
const MOST: usize = 512;
/// Most requests at a time for different tokens.
const FETCHES: usize = 32;

/// Which token is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Ask {
    pub(super) scopes: Scopes,
    /// Another tenant than the account's own.
    pub(super) tenant: Option<String>,
}

/// A token in memory.
pub(super) struct Held {
    pub(super) secret: Secret,
    /// When it was fetched: seconds since 1970-01-01 UTC.
    pub(super) cached_at: i64,
    /// When it expires.
    pub(super) expires_on: i64,
    /// When it is due for a renewal.
    pub(super) renew_from: i64,
    /// The client that it was issued to.
    pub(super) client_id: String,
    /// The name of its account.
    pub(super) account: String,
    /// Its tenant.
    pub(super) tenant: String,
}

/// The tokens of one account.
pub(super) struct Tokens {
    source: Arc<Source>,
    clock: Clock,
    all: Mutex<HashMap<Ask, Arc<Entry>>>,
    fetches: Arc<Semaphore>,
}

/// A token, the last refusal, and who waits for either.
#[derive(Default)]
struct Entry {
    state: Mutex<State>,
    changed: Notify,
    /// What the last special token was for, and [`State::fetches`] when its fetch began.
    special: tokio::sync::Mutex<Option<(u64, Special)>>,
}

/// What is asked for besides scopes and tenant: the claims challenge, and how new it must be.
type Special = (Option<String>, Wanted);

#[derive(Default)]
struct State {
    held: Option<Arc<Held>>,
    /// The last refusal and its time.
    refused: Option<(Refused, i64)>,
    /// When the vault was read last.
    read_at: i64,
    is_fetching: bool,
    /// How many fetches have ended.
    fetches: u64,
}

/// What to do with a request.
enum Step {
    Answer(Result<Arc<Held>, Refused>),
    Wait,
}

impl Tokens {
    /// The name of the account.
    pub(super) fn account(&self) -> &str {
        self.source.account()
    }

    /// [`Source::settings`].
    pub(super) async fn settings(&self) -> Result<(String, ServedFiles), Refused> {
        let source = self.source.clone();
        in_thread(move || source.settings()).await
    }

    pub(super) fn new(source: Source, clock: Clock) -> Self {
        Self {
            source: Arc::new(source),
            clock,
            all: Mutex::default(),
            fetches: Arc::new(Semaphore::new(FETCHES)),
        }
    }

    /// The token of `ask`: from memory while it is usable, else from the vault or Entra, by one
    /// fetch for all who wait.
    pub(super) async fn get(&self, ask: &Ask) -> Result<Arc<Held>, Refused> {
        let entry = self.entry(ask);
        let began = locked(&entry.state).fetches;
        loop {
            let changed = entry.changed.notified();
            let (step, fetches) = entry.step(self.clock.now(), began, self.source.is_stored());
            if fetches {
                self.fetch(ask.clone(), entry.clone());
            }
            match step {
                Step::Answer(answer) => return answer,
                Step::Wait => changed.await,
            }
        }
    }

    /// A token of `ask` that memory does not serve: for a claims challenge, or newer than usual. It
    /// replaces the one in memory. Callers that wait for the same one share it.
    pub(super) async fn get_special(
        &self,
        ask: Ask,
        claims: Option<String>,
        wanted: Wanted,
    ) -> Result<Arc<Held>, Refused> {
        let entry = self.entry(&ask);
        let came = locked(&entry.state).fetches;
        let mut last = entry.special.lock().await;
        if let Some((began, of)) = &*last
            && *began >= came
            && *of == (claims.clone(), wanted)
            && let Some(held) = locked(&entry.state).held.clone()
        {
            return Ok(held);
        }
        let began = locked(&entry.state).fetches;
        let _permit = self.fetches.acquire().await;
        let outcome = fetched(self.source.clone(), ask, claims.clone(), wanted).await;
        if outcome.is_ok() {
            *last = Some((began, (claims, wanted)));
        }
        entry.finish_special(outcome, self.clock.now())
    }

    fn entry(&self, ask: &Ask) -> Arc<Entry> {
        let mut all = locked(&self.all);
        if let Some(entry) = all.get(ask) {
            return entry.clone();
        }
        if all.len() >= MOST {
            all.retain(|_, entry| locked(&entry.state).is_fetching);
        }
        all.entry(ask.clone()).or_default().clone()
    }

    /// Fetches the token for all who wait at `entry`.
    fn fetch(&self, ask: Ask, entry: Arc<Entry>) {
        let (source, fetches, clock) =
            (self.source.clone(), self.fetches.clone(), self.clock.clone());
        tokio::spawn(async move {
            // Fails only if the semaphore is closed, which never happens.
            let _permit = fetches.acquire().await;
            let outcome = fetched(source, ask, None, Wanted::Usable).await;
            entry.finish(outcome, clock.now());
        });
    }
}

async fn fetched(
    source: Arc<Source>,
    ask: Ask,
    claims: Option<String>,
    wanted: Wanted,
) -> Result<Held, Refused> {
    in_thread(move || source.fetch(&ask, claims, wanted)).await
}

/// Runs `work` in a thread, because reading the vault and asking Entra block. Not one of the
/// runtime's own threads: the runtime would wait for its end when the program has ended.
async fn in_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refused> {
    let (sender, answer) = oneshot::channel();
    let thread = std::thread::Builder::new().name("fetch".to_owned());
    let started = thread.spawn(move || sender.send(work()));
    let failed = |why: String| Err(Refused::new(Why::Transient, why));
    match started {
        Err(error) => failed(format!("No thread can be started: {error}.")),
        Ok(_) => answer.await.unwrap_or_else(|_| failed("azt failed.".to_owned())),
    }
}

impl Entry {
    /// What to do at `now`, and whether the caller starts a fetch. `began` is [`State::fetches`] of
    /// when the caller came. Tokens that are not `stored` are not read again: that would be a request.
    fn step(&self, now: i64, began: u64, is_stored: bool) -> (Step, bool) {
        let mut state = locked(&self.state);
        let refused =
            state.refused.clone().filter(|(_, at)| (0..REFUSED).contains(&now.saturating_sub(*at)));
        // Some services give tokens that are short from the start: the caller waited for this one.
        let is_new = state.fetches > began;
        let is_usable = |held: &Arc<Held>| is_new || held.expires_on.saturating_sub(now) >= MARGIN;
        let usable = state.held.clone().filter(is_usable);
        if let Some(held) = usable {
            let is_unread = is_stored && !(0..UNREAD).contains(&now.saturating_sub(state.read_at));
            let is_due = now >= held.renew_from;
            let needs = (is_due || is_unread) && !is_new && refused.is_none();
            let fetches = needs && !state.is_fetching;
            state.is_fetching |= fetches;
            // The vault is read in no time; a renewal may take its time.
            let waits = needs && is_unread && !is_due;
            return (if waits { Step::Wait } else { Step::Answer(Ok(held)) }, fetches);
        }
        if let Some((refused, _)) = refused {
            return (Step::Answer(Err(refused)), false);
        }
        let fetches = !state.is_fetching;
        state.is_fetching = true;
        (Step::Wait, fetches)
    }

    fn finish(&self, fetched: Result<Held, Refused>, now: i64) {
        let mut state = locked(&self.state);
        state.is_fetching = false;
        state.fetches += 1;
        match fetched {
            Ok(held) => {
                state.held = Some(Arc::new(held));
                state.refused = None;
                state.read_at = now;
            }
            Err(refused) => {
                // Somebody signed out, or the sign-in has ended: the token must not outlive it.
                if refused.ends_sign_in() {
                    state.held = None;
                }
                state.refused = Some((refused, now));
            }
        }
        drop(state);
        self.changed.notify_waiters();
    }
}

impl Entry {
    /// Stores a special token. A failure leaves what is in memory.
    fn finish_special(
        &self,
        fetched: Result<Held, Refused>,
        now: i64,
    ) -> Result<Arc<Held>, Refused> {
        let held = Arc::new(fetched?);
        let mut state = locked(&self.state);
        state.fetches += 1;
        state.held = Some(held.clone());
        state.refused = None;
        state.read_at = now;
        drop(state);
        self.changed.notify_waiters();
        Ok(held)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(expires_on: i64, renew_from: i64) -> Held {
        Held {
            secret: Secret::new("t"),
            cached_at: 0,
            expires_on,
            renew_from,
            client_id: String::new(),
            account: String::new(),
            tenant: String::new(),
        }
    }

    /// `token`, `wait` or the refusal, and whether a fetch starts.
    fn step(entry: &Entry, now: i64, began: u64, is_stored: bool) -> (&'static str, bool) {
        let (step, fetches) = entry.step(now, began, is_stored);
        let what = match step {
            Step::Answer(Ok(_)) => "token",
            Step::Answer(Err(_)) => "refused",
            Step::Wait => "wait",
        };
        (what, fetches)
    }

    fn refused(kind: crate::error::Kind) -> Refused {
        Refused::from(crate::error::Error::new(kind, "x"))
    }

    #[test]
    fn one_caller_fetches_and_all_get_it() {
        let entry = Entry::default();
        assert_eq!(step(&entry, 0, 0, true), ("wait", true));
        assert_eq!(step(&entry, 0, 0, true), ("wait", false));
        entry.finish(Ok(held(3600, 3000)), 0);
        assert_eq!(step(&entry, 1, 1, true), ("token", false));
    }

    #[test]
    fn a_token_is_renewed_by_one_caller_while_it_is_handed_out() {
        let entry = Entry::default();
        entry.finish(Ok(held(3600, 3000)), 2990);
        assert_eq!(step(&entry, 2999, 1, true), ("token", false));
        assert_eq!(step(&entry, 3000, 1, true), ("token", true));
        assert_eq!(step(&entry, 3000, 1, true), ("token", false));
        // The service is down: the token in hand is good until its last five minutes.
        entry.finish(Err(refused(crate::error::Kind::Service)), 3001);
        assert_eq!(step(&entry, 3002, 2, true), ("token", false));
        assert_eq!(step(&entry, 3006, 2, true), ("token", true));
        entry.finish(Err(refused(crate::error::Kind::Service)), 3299);
        assert_eq!(step(&entry, 3301, 3, true), ("refused", false));
        assert_eq!(step(&entry, 3304, 3, true), ("wait", true));
    }

    #[test]
    fn the_vault_is_read_again_so_that_a_sign_out_ends_a_token() {
        let entry = Entry::default();
        entry.finish(Ok(held(3600, 3000)), 0);
        assert_eq!(step(&entry, 29, 1, true), ("token", false));
        assert_eq!(step(&entry, 30, 1, false), ("token", false), "nothing is stored");
        assert_eq!(step(&entry, 30, 1, true), ("wait", true));
        assert_eq!(step(&entry, 30, 1, true), ("wait", false));
        entry.finish(Err(refused(crate::error::Kind::Vault)), 31);
        assert_eq!(step(&entry, 32, 2, true), ("token", false), "a busy keyring ends nothing");
        entry.finish(Err(refused(crate::error::Kind::NotSignedIn)), 32);
        assert_eq!(step(&entry, 33, 3, true), ("refused", false));
        assert_eq!(step(&entry, 37, 3, true), ("wait", true));
    }

    #[test]
    fn a_token_that_is_short_from_the_start_is_given_to_those_who_waited() {
        let entry = Entry::default();
        assert_eq!(step(&entry, 0, 0, true), ("wait", true));
        entry.finish(Ok(held(200, 0)), 0);
        assert_eq!(step(&entry, 0, 0, true), ("token", false));
        assert_eq!(step(&entry, 0, 1, true), ("wait", true), "who comes later waits for the next");
    }
}
