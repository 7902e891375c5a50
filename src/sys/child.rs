//! Runs the user's program in place of this one, or beside it with the terminal handed over.
#![allow(clippy::disallowed_methods, reason = "this module wraps the banned functions")]

use std::convert::Infallible;
use std::ffi::OsString;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::sync::oneshot;

use super::System;
use super::handover::is_executable;
use crate::error::{Error, Result};
use crate::secret::Secret;

/// The exit code of a program that was stopped at its time limit, as of timeout(1).
const TIMED_OUT: u8 = 124;
/// The exit codes of a program that cannot be run, and of one that does not exist, as of env(1).
const CANNOT_RUN: u8 = 126;
const NOT_FOUND: u8 = 127;
/// Time between the request to end and the kill.
const GRACE: Duration = Duration::from_secs(10);

/// A program of the user's with its environment.
pub(crate) struct UserProgram {
    /// Name or path, then the arguments.
    pub(crate) argv: Vec<OsString>,
    /// Variables that are set.
    pub(crate) set: Vec<(String, Secret)>,
    /// Variables that are removed.
    pub(crate) removed: Vec<&'static str>,
}

/// Why a program did not start.
pub(crate) struct NotStarted {
    /// The reason.
    pub(crate) error: Error,
    /// The exit code that says it.
    pub(crate) code: u8,
}

impl UserProgram {
    /// The program, found on PATH without entries that mean the working directory. It gets the PATH
    /// that this process was started with.
    fn command(&self, system: &System) -> Result<Command, NotStarted> {
        let (name, args) = self.argv.split_first().ok_or_else(|| not_found("no program"))?;
        let path = find(system, Path::new(name))
            .ok_or_else(|| not_found(&format!("there is no program {}", name.display())))?;
        let mut command = Command::new(path);
        command.args(args);
        #[cfg(unix)]
        std::os::unix::process::CommandExt::arg0(&mut command, name);
        system.env.restore_path(&mut command);
        for name in &self.removed {
            command.env_remove(name);
        }
        for (name, value) in &self.set {
            command.env(name, value.expose());
        }
        Ok(command)
    }

    /// Becomes the program: no process stays in between. Returns only if that fails; on Windows,
    /// which cannot do this, with its exit code.
    pub(crate) fn replace(&self, system: &System) -> Result<u8, NotStarted> {
        super::handover::exec(self.command(system)?).map_err(|error| self.cannot_run(&error))
    }

    /// Runs the program with `service` beside it and returns its exit code; 128 and the signal that
    /// ended it. Signals to this process are forwarded, except those that the terminal has sent to
    /// both. After `limit` the program is asked to end, then killed: exit code 124.
    pub(crate) async fn run_beside(
        &self,
        system: &System,
        service: impl Future<Output = Infallible>,
        limit: Option<Duration>,
    ) -> Result<u8, NotStarted> {
        let mut command = self.command(system)?;
        let signals = signals::Forwarded::prepare(&mut command);
        let child = command.spawn().map_err(|error| self.cannot_run(&error))?;
        let mut running =
            Running::start(child, signals).map_err(|error| self.cannot_run(&error))?;
        let mut service = pin!(service);
        if let Some(code) = running.ended_within(limit, &mut service).await {
            return Ok(code);
        }
        running.signals.end();
        if running.ended_within(Some(GRACE), &mut service).await.is_none() {
            running.signals.kill();
            running.ended_within(None, &mut service).await;
        }
        Ok(TIMED_OUT)
    }

    fn cannot_run(&self, error: &io::Error) -> NotStarted {
        let name = self.argv.first().map(PathBuf::from).unwrap_or_default();
        let is_missing = error.kind() == io::ErrorKind::NotFound;
        let error = Error::failed(format!("Cannot run {}: {error}.", name.display()));
        NotStarted { error, code: if is_missing { NOT_FOUND } else { CANNOT_RUN } }
    }
}

fn not_found(why: &str) -> NotStarted {
    NotStarted { error: Error::failed(format!("Cannot run it: {why}.")), code: NOT_FOUND }
}

/// The file of the program `name`.
fn find(system: &System, name: &Path) -> Option<PathBuf> {
    if name.components().count() > 1 || cfg!(windows) {
        return Some(name.to_owned());
    }
    let path = system.env.path("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    let folders = std::env::split_paths(&path).filter(|folder| folder.is_absolute());
    folders.map(|folder| folder.join(name)).find(|file| is_executable(file))
}

/// A program that runs.
struct Running {
    signals: signals::Forwarded,
    ended: oneshot::Receiver<ExitStatus>,
}

impl Running {
    /// Waits for `child` in a thread.
    fn start(mut child: Child, signals: signals::Forwarded) -> io::Result<Self> {
        signals.forward_to(&child)?;
        let (sender, ended) = oneshot::channel();
        let waiter = signals.clone();
        std::thread::Builder::new().name("wait".to_owned()).spawn(move || {
            waiter.until_ended(&child);
            if let Ok(status) = child.wait() {
                let _ = sender.send(status);
            }
        })?;
        Ok(Self { signals, ended })
    }

    /// The exit code, if the program ends within `limit`; meanwhile `service` runs.
    async fn ended_within(
        &mut self,
        limit: Option<Duration>,
        service: &mut (impl Future<Output = Infallible> + Unpin),
    ) -> Option<u8> {
        let ended = async { (&mut self.ended).await.map_or(1, code_of) };
        let ended = async {
            match limit {
                Some(limit) => tokio::time::timeout(limit, ended).await.ok(),
                None => Some(ended.await),
            }
        };
        match select(pin!(ended), service).await {
            Either::Left((code, _)) => code,
            Either::Right((never, _)) => match never {},
        }
    }
}

/// The wish that this process ends: Ctrl-C, SIGTERM or SIGHUP, from now on. A signal that this process
/// ignores, as under nohup(1) and behind a `&` of a script, stays ignored. Needs a running runtime.
///
/// # Errors
/// The signals cannot be received.
pub(crate) fn stop_requested() -> Result<impl Future<Output = ()>> {
    let cannot = |error: io::Error| Error::failed(format!("Cannot receive signals: {error}."));
    #[cfg(unix)]
    {
        use super::signal_action::SignalAction;
        use tokio::signal::unix::{SignalKind, signal};
        let mut all = Vec::new();
        for number in [libc::SIGINT, libc::SIGHUP, libc::SIGTERM] {
            if !SignalAction::now(number).is_some_and(|action| action.is_to_ignore()) {
                all.push(signal(SignalKind::from_raw(number)).map_err(cannot)?);
            }
        }
        Ok(async move {
            let received: Vec<_> = all.iter_mut().map(|it| Box::pin(it.recv())).collect();
            if received.is_empty() {
                return std::future::pending().await;
            }
            futures_util::future::select_all(received).await;
        })
    }
    #[cfg(not(unix))]
    {
        let mut interrupt = tokio::signal::windows::ctrl_c().map_err(cannot)?;
        Ok(async move {
            interrupt.recv().await;
        })
    }
}

/// Runs `service` until `stopped` is ready.
pub(crate) async fn until(
    stopped: impl Future<Output = ()>,
    service: impl Future<Output = Infallible>,
) {
    match select(pin!(stopped), pin!(service)).await {
        Either::Left(((), _)) => {}
        Either::Right((never, _)) => match never {},
    }
}

/// Closes standard output for its readers. Later output goes nowhere.
pub(crate) fn end_stdout() {
    #[cfg(unix)]
    if let Ok(nothing) = std::fs::OpenOptions::new().write(true).open("/dev/null") {
        let _ = rustix::stdio::dup2_stdout(nothing);
    }
}

#[cfg(unix)]
fn code_of(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

#[cfg(not(unix))]
fn code_of(status: ExitStatus) -> u8 {
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

#[cfg(unix)]
mod signals {
    //! Signals are blocked in this process and taken by a thread, which learns who sent each.

    use std::io;
    use std::mem::MaybeUninit;
    use std::process::{Child, Command};
    use std::sync::{Arc, Mutex, PoisonError};

    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

    /// Signals that a program may react to.
    const FORWARDED: [libc::c_int; 6] =
        [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGUSR1, libc::SIGUSR2];

    /// The signals of this process, on their way to a child.
    #[derive(Clone)]
    pub(super) struct Forwarded {
        /// The child until it has ended. It is not reaped before this is `None`, so that no signal
        /// reaches another process that got its id.
        child: Arc<Mutex<Option<Pid>>>,
    }

    impl Forwarded {
        /// Blocks the signals in this thread and those that it starts. `command` gets them back.
        pub(super) fn prepare(command: &mut Command) -> Self {
            let before = block();
            // SAFETY: pthread_sigmask(3) is async-signal-safe and reads the mask, which the closure
            // owns.
            unsafe {
                std::os::unix::process::CommandExt::pre_exec(command, move || {
                    libc::pthread_sigmask(
                        libc::SIG_SETMASK,
                        &raw const before,
                        std::ptr::null_mut(),
                    );
                    Ok(())
                });
            }
            Self { child: Arc::default() }
        }

        /// Forwards from now on, in a thread that lives as long as the process.
        pub(super) fn forward_to(&self, child: &Child) -> io::Result<()> {
            *self.child() = Some(Pid::from_child(child));
            let all = self.clone();
            let thread = std::thread::Builder::new().name("signals".to_owned());
            thread.spawn(move || {
                loop {
                    if let Some(signal) = next() {
                        all.send(signal);
                    }
                }
            })?;
            Ok(())
        }

        /// Waits until the child has ended, and stops forwarding. The caller reaps it.
        pub(super) fn until_ended(&self, child: &Child) {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while let Err(rustix::io::Errno::INTR) =
                waitid(WaitId::Pid(Pid::from_child(child)), options)
            {}
            *self.child() = None;
        }

        pub(super) fn end(&self) {
            self.send(Signal::TERM);
        }

        pub(super) fn kill(&self) {
            self.send(Signal::KILL);
        }

        fn send(&self, signal: Signal) {
            if let Some(child) = *self.child() {
                let _ = kill_process(child, signal);
            }
        }

        fn child(&self) -> std::sync::MutexGuard<'_, Option<Pid>> {
            self.child.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    fn set() -> libc::sigset_t {
        let mut set = MaybeUninit::uninit();
        // SAFETY: sigemptyset(3) initialises the set, sigaddset(3) then changes it.
        unsafe {
            libc::sigemptyset(set.as_mut_ptr());
            for signal in FORWARDED {
                libc::sigaddset(set.as_mut_ptr(), signal);
            }
            set.assume_init()
        }
    }

    /// Blocks the signals and returns the mask before.
    fn block() -> libc::sigset_t {
        let mut before = MaybeUninit::uninit();
        let set = set();
        // SAFETY: reads the new mask and initialises the former one; it cannot fail with SIG_BLOCK.
        unsafe {
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, before.as_mut_ptr());
            before.assume_init()
        }
    }

    /// Waits for a signal; `None` for one of the keyboard, which the whole group got.
    #[cfg(target_os = "linux")]
    fn next() -> Option<Signal> {
        let (set, mut info) = (set(), MaybeUninit::<libc::siginfo_t>::uninit());
        // SAFETY: reads the set, and initialises `info` if it returns a signal.
        let signal = unsafe { libc::sigwaitinfo(&raw const set, info.as_mut_ptr()) };
        if signal <= 0 {
            return None;
        }
        // SAFETY: initialised, since there was a signal.
        let is_of_kernel = unsafe { info.assume_init() }.si_code == libc::SI_KERNEL;
        // A closed terminal hangs up only who leads the session.
        let is_of_keyboard = is_of_kernel && [libc::SIGINT, libc::SIGQUIT].contains(&signal);
        Signal::from_named_raw(signal).filter(|_| !is_of_keyboard)
    }

    /// Other systems do not tell who sent it: Ctrl-C and Ctrl-\ reach the child by the terminal.
    #[cfg(not(target_os = "linux"))]
    fn next() -> Option<Signal> {
        let (set, mut signal) = (set(), 0);
        // SAFETY: reads the set and writes the signal.
        let failed = unsafe { libc::sigwait(&raw const set, &raw mut signal) };
        let is_of_keyboard = [libc::SIGINT, libc::SIGQUIT].contains(&signal);
        Signal::from_named_raw(signal).filter(|_| failed == 0 && !is_of_keyboard)
    }
}

#[cfg(not(unix))]
mod signals {
    //! Windows sends Ctrl-C to every process of the console; this one ignores it.

    use std::io;
    use std::process::{Child, Command};

    #[derive(Clone)]
    pub(super) struct Forwarded;

    impl Forwarded {
        pub(super) fn prepare(_command: &mut Command) -> Self {
            Self
        }

        #[allow(clippy::unnecessary_wraps, reason = "the function for Unix can fail")]
        pub(super) fn forward_to(&self, _child: &Child) -> io::Result<()> {
            // Once asked for, the signal no longer ends this process.
            drop(tokio::spawn(async { while tokio::signal::ctrl_c().await.is_ok() {} }));
            Ok(())
        }

        pub(super) fn until_ended(&self, _child: &Child) {}

        pub(super) fn end(&self) {}

        pub(super) fn kill(&self) {}
    }
}
