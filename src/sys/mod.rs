//! The only access to the outside: environment, clock, files, terminal, network, randomness.
//!
//! `main` creates one [`System`] (a test creates one with fixed parts) and passes it by reference.
//! No other module uses `std::env`, `SystemTime`, processes, sockets or HTTP client builders;
//! clippy's `disallowed-methods` enforces this.

mod arc_agent;
#[cfg(unix)]
mod before_signals;
mod browser;
#[cfg(not(target_os = "macos"))]
mod call_failure;
mod certificate;
mod child;
mod clipboard;
mod clock;
mod command;
mod complaint;
mod countdown;
mod data_protection;
mod deadline;
mod detached;
mod endpoint_url;
mod env;
pub(crate) mod file;
mod folder;
#[cfg(unix)]
mod gssapi;
mod handover;
mod hardening;
mod host_name;
mod http;
mod http_server;
#[cfg(all(unix, not(target_os = "macos")))]
mod identity_broker;
mod journal;
mod kerberos;
mod keyring_item;
#[cfg(unix)]
mod keys;
#[cfg(not(unix))]
mod keys_of_windows;
pub mod keyutils;
mod lines;
mod lock_file;
mod logging_commands;
mod loopback;
mod msal_lock;
mod os_error;
#[cfg(unix)]
mod own_folder;
pub(crate) mod owner;
mod panics;
pub(crate) mod pem;
mod picker;
mod pinned;
mod prompts;
mod proxy;
mod random;
mod raw_mode;
mod request;
mod retry;
mod runtime;
mod screen;
mod sent;
#[cfg(all(unix, not(target_os = "macos")))]
mod session_bus;
#[cfg(unix)]
mod signal_action;
#[cfg(unix)]
mod size_limit;
#[cfg(unix)]
mod socket_client;
mod spinner;
#[cfg(windows)]
mod sspi;
mod stream;
mod terminal;
mod text;
mod timeout;
mod tls;
mod typed_line;
#[cfg(unix)]
mod unix_socket;
mod unreachable;
#[cfg(all(unix, not(target_os = "macos")))]
mod windows_side;
#[cfg(windows)]
mod work_accounts;
mod xml;

use std::path::PathBuf;

pub(crate) use arc_agent::{arc_agent_is_installed, read_arc_key};
pub(crate) use browser::{browser_failure, open_browser, why_no_browser};
#[cfg(not(target_os = "macos"))]
pub(crate) use call_failure::CallFailure;
pub(crate) use child::{NotStarted, UserProgram, end_stdout, stop_requested, until};
pub(crate) use clipboard::{Copied, copy};
pub use clock::Clock;
pub(crate) use clock::local_time;
pub(crate) use command::output_of;
pub(crate) use complaint::Complaint;
pub(crate) use countdown::{interruptible, with_countdown};
pub(crate) use data_protection::{protect, unprotect};
pub(crate) use deadline::Deadline;
pub(crate) use detached::{is_detached, repeat_detached};
pub(crate) use endpoint_url::EndpointUrl;
pub use env::Env;
pub(crate) use env::{BROKER, TRUSTED_DIR, VAULT_KEY};
pub(crate) use file::is_same_path;
pub(crate) use folder::stream_named;
pub(crate) use folder::{Concession, Links, Others, Stamp, TooOpen, concessions, writing_flaw};
pub use folder::{Folder, write_named};
pub(crate) use handover::{
    az_names, check_not_shared, every_az, hand_over, is_this_program, make_az, next_az, remove_az,
    this_program,
};
pub use hardening::harden;
pub(crate) use host_name::host_name;
pub use http::Http;
pub(crate) use http::{Response, Sink};
pub(crate) use http_server::{Call, Listener, Peer, Reply, connections_at_most};
#[cfg(all(unix, not(target_os = "macos")))]
pub(crate) use identity_broker::IdentityBus;
pub(crate) use journal::{Journal, append_only, program_of};
pub(crate) use kerberos::{kerberos_ticket, negotiate_token};
pub(crate) use keyring_item::{KeyringItem, ask_keyring};
#[cfg(unix)]
pub(crate) use keys::Keys;
#[cfg(not(unix))]
pub(crate) use keys_of_windows::Keys;
pub(crate) use lines::in_lines;
pub(crate) use lock_file::LockGuard;
pub(crate) use loopback::{Loopback, Page, Visit};
pub use msal_lock::MsalLock;
pub(crate) use msal_lock::sleep;
pub(crate) use panics::caught;
pub use panics::quiet_panics;
pub(crate) use picker::{Choice, Words};
pub(crate) use proxy::Way;
pub use random::fill_random;
pub(crate) use random::random_uuid;
pub(crate) use request::{Method, Request};
pub(crate) use retry::{mark_retryable, retried};
pub(crate) use runtime::block_on;
pub(crate) use screen::{Screen, cut};
#[cfg(unix)]
pub(crate) use socket_client::ask_socket;
pub(crate) use spinner::{Spinner, with_spinner};
pub use terminal::Terminal;
pub(crate) use terminal::{Level, PLAIN, Verbosity};
pub(crate) use text::decoded;
pub(crate) use timeout::aside;
pub use timeout::run_with_timeout;
pub(crate) use tls::extra_authorities;
#[cfg(unix)]
pub(crate) use unix_socket::Socket;
#[cfg(all(unix, not(target_os = "macos")))]
pub(crate) use windows_side::{azt_of_windows, exchange_line};
#[cfg(windows)]
pub(crate) use work_accounts::{
    Denial, DenialReason, WorkAccount, WorkToken, WorkTokenRequest, find_work_accounts,
    work_accounts, work_token,
};
pub(crate) use xml::escape_xml;

use crate::program::Program;

/// Everything outside this process that the program reads or changes.
pub struct System {
    /// The name under which this process was started.
    pub program: Program,
    /// Environment variables and the working directory.
    pub env: Env,
    /// The wall clock.
    pub clock: Clock,
    /// Standard output, standard error and the properties of the terminal.
    pub terminal: Terminal,
    /// The HTTP client, built on first use.
    pub http: Http,
}

/// What another thread of this process makes its own [`System`] of.
#[derive(Clone)]
pub(crate) struct Origin {
    program: Program,
    env: Env,
    clock: Clock,
    verbosity: Option<Verbosity>,
}

impl Origin {
    /// The terminal of this process, for a question in this thread.
    pub(crate) fn terminal(&self) -> Terminal {
        Terminal::real()
    }

    /// A system without standard output and without a terminal. Its messages are shown only under
    /// `--verbose` and `--debug`.
    pub(crate) fn system(&self) -> System {
        let terminal = Terminal::of_thread(self.verbosity);
        let (env, clock) = (self.env.clone(), self.clock.clone());
        System { program: self.program, env, clock, terminal, http: Http::default() }
    }
}

impl System {
    /// What another thread makes its own system of.
    pub(crate) fn origin(&self) -> Origin {
        let verbosity = self.terminal.verbosity();
        Origin {
            program: self.program,
            env: self.env.clone(),
            clock: self.clock.clone(),
            verbosity: Some(verbosity).filter(|it| *it > Verbosity::Normal),
        }
    }

    /// The system of this process.
    pub fn real(program: Program) -> Self {
        Self {
            program,
            env: Env::process(),
            clock: Clock::System,
            terminal: Terminal::real(),
            http: Http::default(),
        }
    }

    /// True if azt, under its own name, writes to a person at a terminal.
    pub(crate) fn is_watched(&self) -> bool {
        self.program == Program::Azt && self.terminal.stderr_is_tty()
    }

    /// True if a person can answer a question: both ends of it are a terminal. Under the name `az`,
    /// standard input is one (az's rule).
    pub(crate) fn can_ask(&self) -> bool {
        self.terminal.stdin_is_tty()
            && (self.program == Program::Az || self.terminal.stderr_is_tty())
    }

    /// Tells a person at the terminal what was done, on standard error, unless only errors are shown.
    /// Programs are not told, because some take any text there for a failure.
    pub(crate) fn tell(&self, text: &str) {
        if self.is_watched() && self.terminal.shows(Level::Warning) {
            self.terminal.plain(text);
        }
    }

    /// Says on standard error what was done, on a terminal or in a log, unless only errors are shown.
    /// Nothing under the name `az`, which is silent.
    pub(crate) fn say(&self, text: &str) {
        if self.program == Program::Azt && self.terminal.shows(Level::Warning) {
            self.terminal.plain(text);
        }
    }

    /// Allows colour, as far as the environment does.
    pub(crate) fn set_colour(&self, wanted: bool) {
        self.terminal.set_colour(wanted, self.program, &self.env);
    }

    /// Prints useful information that az does not print. Under the name `az` it appears only with
    /// verbose output, because callers of az take any text on standard error for a failure.
    pub(crate) fn remark(&self, text: &str) {
        match self.program {
            Program::Azt => self.terminal.warn(text),
            Program::Az => self.terminal.info(text),
        }
    }

    /// The user's home folder: `HOME`, else the entry of the account database, so that it is found
    /// in a stripped environment. `None` if neither has one.
    pub(crate) fn home(&self) -> Option<PathBuf> {
        match self.env.path("HOME") {
            Some(home) => Some(home),
            None if self.env.is_process() => dirs::home_dir(),
            None => None,
        }
    }
}
