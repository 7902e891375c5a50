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
use crate::sys::Clock;

/// How long a token is handed out before the vault is read again, in seconds: a sign-out ends it.
const UNREAD: i64 = 30;
/// How long a refusal is repeated without asking again, in seconds.
const REFUSED: i64 = 5;
/// Most tokens in memory.
const MOST: usize = 512;
/// Most requests at a time for different tokens.
const FETCHES: usize = 8;

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
}

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
    /// The account.
    pub(super) fn source(&self) -> &Arc<Source> {
        &self.source
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
            let (step, fetches) = entry.step(self.clock.now(), began);
            if fetches {
                self.fetch(ask.clone(), entry.clone());
            }
            match step {
                Step::Answer(answer) => return answer,
                Step::Wait => changed.await,
            }
        }
    }

    /// A token of `ask` that memory does not serve: for a claims challenge, or newer than usual.
    pub(super) async fn get_special(
        &self,
        ask: Ask,
        claims: Option<String>,
        wanted: Wanted,
    ) -> Result<Arc<Held>, Refused> {
        let _permit = self.fetches.acquire().await;
        fetched(self.source.clone(), ask, claims, wanted).await.map(Arc::new)
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

/// Fetches a token in a thread, because reading the vault and asking Entra block. Not one of the
/// runtime's own threads: the runtime would wait for its end when the program has ended.
async fn fetched(
    source: Arc<Source>,
    ask: Ask,
    claims: Option<String>,
    wanted: Wanted,
) -> Result<Held, Refused> {
    let (sender, answer) = oneshot::channel();
    let thread = std::thread::Builder::new().name("fetch".to_owned());
    let started = thread.spawn(move || sender.send(source.fetch(&ask, claims, wanted)));
    let failed = |why: String| Err(Refused::new(Why::Transient, why));
    match started {
        Err(error) => failed(format!("No thread can be started: {error}.")),
        Ok(_) => answer.await.unwrap_or_else(|_| failed("azt failed.".to_owned())),
    }
}

impl Entry {
    /// What to do at `now`, and whether the caller starts a fetch. `began` is [`State::fetches`] of
    /// when the caller came.
    fn step(&self, now: i64, began: u64) -> (Step, bool) {
        let mut state = locked(&self.state);
        let refused =
            state.refused.clone().filter(|(_, at)| (0..REFUSED).contains(&now.saturating_sub(*at)));
        // Some services give tokens that are short from the start: the caller waited for this one.
        let is_new = state.fetches > began;
        let is_usable = |held: &Arc<Held>| is_new || held.expires_on.saturating_sub(now) >= MARGIN;
        let usable = state.held.clone().filter(is_usable);
        if let Some(held) = usable {
            let is_unread = !(0..UNREAD).contains(&now.saturating_sub(state.read_at));
            let is_due = now >= held.renew_from || is_unread;
            let fetches = is_due && !is_new && !state.is_fetching && refused.is_none();
            state.is_fetching |= fetches;
            return (Step::Answer(Ok(held)), fetches);
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
                if refused.why != Why::Transient {
                    state.held = None;
                }
                state.refused = Some((refused, now));
            }
        }
        drop(state);
        self.changed.notify_waiters();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
