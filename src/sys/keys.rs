//! Single keys, while something else is waited for.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::Poll;

use futures_util::future::{Either, select};
use rustix::process::{Signal, getpgrp, getpid, kill_process};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

use super::System;
use super::signal_action::SignalAction;

/// The signals before and after which the terminal's mode is changed. SIGINT is not one of them: it
/// only cancels the work (`countdown.rs`).
const SIGNALS: [Signal; 5] = [Signal::HUP, Signal::QUIT, Signal::TERM, Signal::TSTP, Signal::CONT];

/// The terminal in a mode that passes on each key at once and shows none. Ctrl-C and Ctrl-Z still
/// send their signals. The former mode returns on drop, before this process stops, and before a
/// signal ends it.
pub(crate) struct Keys {
    input: AsyncFd<io::Stdin>,
    mode: Mode,
    heard: Vec<Heard>,
}

/// A signal that is listened for.
struct Heard {
    signal: Signal,
    stream: Stream,
    /// Kept for its drop.
    _before: SignalAction,
}

impl Keys {
    /// Starts to read keys. `None` if nobody can press one: standard input is no terminal, or this
    /// process is in the background. Call it within the runtime.
    pub(crate) fn read(system: &System) -> Option<Self> {
        if !system.is_watched() || !system.can_ask() || !is_in_foreground() {
            return None;
        }
        // SAFETY: nothing closes standard input while the process runs.
        let input =
            unsafe { AsyncFd::register_with_interest(io::stdin(), Interest::READABLE) }.ok()?;
        let before = tcgetattr(io::stdin()).ok()?;
        let heard = SIGNALS.into_iter().filter_map(Heard::new).collect();
        let mut mode = Mode { before, is_changed: false };
        mode.change();
        Some(Self { input, mode, heard })
    }

    /// The next key. Waits for ever if no more can come.
    pub(crate) async fn next(&mut self) -> char {
        loop {
            let signal =
                match select(pin!(key(&self.input)), pin!(next_signal(&mut self.heard))).await {
                    Either::Left((key, _)) => return key,
                    Either::Right((signal, _)) => signal,
                };
            self.obey(signal);
        }
    }

    /// Does what `signal` does without a handler, with the terminal in its former mode.
    fn obey(&mut self, signal: Signal) {
        if signal == Signal::CONT {
            return self.mode.change();
        }
        self.mode.restore();
        let signal = if signal == Signal::TSTP {
            // The handler stays, so SIGTSTP itself would not stop the process.
            Signal::STOP
        } else {
            self.heard.retain(|it| it.signal != signal);
            signal
        };
        // Only a process that is gone cannot be signalled.
        let _ = kill_process(getpid(), signal);
    }
}

impl Heard {
    /// `None` if the signal is ignored, as SIGHUP is under nohup.
    fn new(wanted: Signal) -> Option<Self> {
        let before = SignalAction::now(wanted.as_raw())?;
        if before.is_to_ignore() {
            return None;
        }
        let stream = signal(SignalKind::from_raw(wanted.as_raw())).ok()?;
        Some(Self { signal: wanted, stream, _before: before })
    }
}

async fn next_signal(heard: &mut [Heard]) -> Signal {
    poll_fn(|context| {
        for it in heard.iter_mut() {
            if it.stream.poll_recv(context).is_ready() {
                return Poll::Ready(it.signal);
            }
        }
        Poll::Pending
    })
    .await
}

/// A byte that is read alone: several at once are the sequence of an arrow key, or pasted.
async fn key(input: &AsyncFd<io::Stdin>) -> char {
    loop {
        let Ok(mut ready) = input.readable().await else { break };
        let mut bytes = [0; 64];
        // Reading in the background would stop the process.
        let read = is_in_foreground().then(|| rustix::io::read(input.get_ref(), &mut bytes));
        ready.clear_ready();
        match (read, bytes) {
            (Some(Ok(1)), [key, ..]) => return char::from(key),
            // The terminal is gone.
            (Some(Ok(0) | Err(_)), _) => break,
            _ => {}
        }
    }
    std::future::pending().await
}

/// The terminal's mode.
struct Mode {
    before: Termios,
    is_changed: bool,
}

impl Mode {
    fn change(&mut self) {
        let mut mode = self.before.clone();
        mode.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        // A read returns at once, whoever else has taken the key.
        mode.special_codes[SpecialCodeIndex::VMIN] = 0;
        mode.special_codes[SpecialCodeIndex::VTIME] = 0;
        self.is_changed |= set(&mode);
    }

    fn restore(&mut self) {
        if self.is_changed {
            self.is_changed = !set(&self.before);
        }
    }
}

impl Drop for Mode {
    fn drop(&mut self) {
        self.restore();
    }
}

/// Sets the terminal's mode; false if that failed. In the background the call would stop the
/// process, and the terminal is another job's.
fn set(mode: &Termios) -> bool {
    is_in_foreground() && tcsetattr(io::stdin(), OptionalActions::Now, mode).is_ok()
}

fn is_in_foreground() -> bool {
    tcgetpgrp(io::stdin()).is_ok_and(|group| group == getpgrp())
}
