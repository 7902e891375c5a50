//! Faults, case by case (`tests/cases/faults.json`): message, exit code, and nothing stored is lost.
//!
//! `AZT_RECORD_FAULTS=1 cargo test --test it faults` records the current messages in that file;
//! read the difference before you commit it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use entra_emulator::{Action, Fault};
use regex::Regex;
use serde::{Deserialize, Serialize};

#[cfg(target_os = "linux")]
use crate::session_bus::SessionBus;
use crate::support::*;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/faults.json");

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// `warm`: a cached token; `renew`: a refresh; `app`: the application's token;
    /// `refresh`: `account list --refresh`; `login`: the application's; `move SOURCE`: `vault move --to SOURCE`.
    run: String,
    /// The state of the keyring that holds the key: see [`keyring_that_is`]. Without it the key is in
    /// a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keyring: Option<String>,
    /// A system call and the error injected: `keyctl EPERM`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kernel: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    faults: Vec<Fault>,
    /// Files in az's folder; null removes one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    files: BTreeMap<String, Option<String>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dirs: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    modes: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    env: BTreeMap<String, String>,
    /// Seconds by which the clock is ahead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    later: Option<i64>,
    #[serde(default)]
    exit: i32,
    #[serde(default)]
    stderr: Vec<String>,
}

/// A machine with Alice and the application; each case starts from a copy of its folder.
struct Machine {
    sandbox: Sandbox,
    /// With the key in a file.
    original: PathBuf,
    #[cfg(target_os = "linux")]
    keyring: Keyring,
}

impl Machine {
    fn new() -> Self {
        let mut sandbox = Sandbox::signed_in_as_alice();
        sandbox.login_app().success();
        drop(sandbox.azt(["account", "get-access-token", "--account", ALICE]).quiet());
        let original = sandbox.root().join("original");
        copy(&sandbox.config_dir(), &original);
        Self {
            #[cfg(target_os = "linux")]
            keyring: Keyring::new(&mut sandbox),
            sandbox,
            original,
        }
    }

    /// The folder's files before each case.
    fn original(&self, case: &Case) -> &Path {
        #[cfg(target_os = "linux")]
        if case.keyring.is_some() {
            return &self.keyring.original;
        }
        &self.original
    }

    /// Restores the folder, then applies the case's files.
    fn set_up(&mut self, case: &Case) {
        std::fs::remove_dir_all(self.sandbox.config_dir()).unwrap();
        copy(self.original(case), &self.sandbox.config_dir());
        #[cfg(target_os = "linux")]
        self.keyring.set_up(&mut self.sandbox, case.keyring.as_deref());
        for (name, text) in &case.files {
            let path = self.sandbox.file(name);
            match text {
                Some(text) => std::fs::write(path, text).unwrap(),
                None if path.is_dir() => std::fs::remove_dir_all(path).unwrap(),
                None => std::fs::remove_file(path).unwrap(),
            }
        }
        for name in &case.dirs {
            std::fs::create_dir(self.sandbox.file(name)).unwrap();
        }
        #[cfg(unix)]
        for (name, mode) in &case.modes {
            use std::os::unix::fs::PermissionsExt;
            let mode = u32::from_str_radix(mode, 8).unwrap();
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(self.sandbox.file(name), mode).unwrap();
        }
        let faults = self.sandbox.emulator.faults();
        faults.clear();
        for fault in &case.faults {
            let mut fault = fault.clone();
            if let Action::Answer { body, .. } = &mut fault.action
                && body == "@17MB@"
            {
                *body = "x".repeat(17 * 1024 * 1024);
            }
            faults.push(fault);
        }
    }

    fn run(&self, case: &Case) -> Run {
        let alice = ["account", "get-access-token", "--account", ALICE];
        let other = ["--resource", "https://vault.azure.net"];
        let args = match case.run.as_str() {
            "warm" => alice.to_vec(),
            "renew" => [&alice[..], &other].concat(),
            "app" => [&["account", "get-access-token", "--account", APP][..], &other].concat(),
            "refresh" => vec!["account", "list", "--refresh", "-o", "none"],
            "login" => LOGIN_APP.to_vec(),
            run => match run.split_once(' ') {
                Some(("move", source)) => vec!["vault", "move", "--to", source],
                _ => panic!("{run}"),
            },
        };
        if let Some(seconds) = case.later {
            return self.sandbox.azt_later(seconds, args);
        }
        let mut command = self.sandbox.command(args);
        if let Some((call, error)) = case.kernel.as_deref().and_then(|it| it.split_once(' ')) {
            command = refused(&command, call, error);
        }
        let home = self.sandbox.root().join("home");
        for (name, value) in &case.env {
            command.env(name, value.replace("@HOME@", home.to_str().unwrap()));
        }
        Run::of(&mut command)
    }

    /// Asserts exit code and message, and that nothing stored is lost.
    fn play(&mut self, case: &Case) -> (i32, Vec<String>) {
        self.set_up(case);
        let before = self.sandbox.all_files();
        let run = self.run(case);
        assert!(!run.stderr.contains('\u{1b}'), "{}: {run:?}", case.name);
        assert!(!run.stderr.contains("panicked"), "{}: {run:?}", case.name);
        // Files that the case damaged stay as they are.
        for name in case.files.iter().filter_map(|(name, text)| text.as_ref().map(|_| name)) {
            let path = self.sandbox.file(name);
            let kept = before.iter().find(|(it, _)| *it == path).map(|(_, content)| content);
            let is_ours = name == "azt/found.json";
            assert!(is_ours || kept == std::fs::read(&path).ok().as_ref(), "{}: {name}", case.name);
        }
        self.mend(case);
        for account in [ALICE, APP] {
            let token = ["account", "get-access-token", "--account", account];
            let args = [&token[..], &["--resource", "https://graph.microsoft.com"]].concat();
            let after = self.sandbox.azt(args);
            assert_eq!(after.code, Some(0), "after {}: {after:?}", case.name);
        }
        (run.code.unwrap(), self.normal(&run))
    }

    /// Restores the files that the case damaged.
    fn mend(&mut self, case: &Case) {
        self.sandbox.emulator.faults().clear();
        #[cfg(target_os = "linux")]
        if case.keyring.is_some() {
            self.keyring.mend(&mut self.sandbox);
        }
        for name in case.files.keys().chain(&case.dirs).chain(case.modes.keys()) {
            let (kept, path) = (self.original(case).join(name), self.sandbox.file(name));
            if kept.is_dir() {
                let _ = std::fs::remove_dir_all(&path);
                copy(&kept, &path);
            } else if kept.exists() {
                std::fs::copy(kept, path).unwrap();
            }
        }
    }

    /// Standard error without paths and other parts that vary.
    fn normal(&self, run: &Run) -> Vec<String> {
        let mut text = run.stderr.replace(self.sandbox.root().to_str().unwrap(), "@");
        for (pattern, name) in [
            (r"localhost:\d+", "localhost"),
            (r"Trace ID: \S+", "Trace ID: …"),
            (r"Correlation ID: \S+", "Correlation ID: …"),
            (r"Timestamp: \S+ \S+", "Timestamp: …"),
            (r"-[0-9a-f]{32}", "-<name>"),
            (r"[0-9a-f]{16}\b", "<key id>"),
        ] {
            text = Regex::new(pattern).unwrap().replace_all(&text, name).into_owned();
        }
        text.lines().map(str::to_owned).collect()
    }
}

/// The command with `error` injected into `calls` by strace.
fn refused(command: &Command, calls: &str, error: &str) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e"]).arg(format!("trace={calls}"));
    strace.arg("-e").arg(format!("inject={calls}:error={error}"));
    strace.arg(command.get_program()).args(command.get_args()).env_clear();
    strace.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    strace.current_dir(command.get_current_dir().unwrap());
    strace
}

/// A keyring that holds the vault's key.
#[cfg(target_os = "linux")]
struct Keyring {
    bus: SessionBus,
    /// The machine's folder, with its key in this keyring.
    original: PathBuf,
}

#[cfg(target_os = "linux")]
impl Keyring {
    fn new(sandbox: &mut Sandbox) -> Self {
        let original = sandbox.root().join("original-of-keyring");
        let keyring = Self { bus: SessionBus::with_keyring(), original };
        keyring.offer(sandbox, &keyring.bus.address());
        sandbox.azt(["vault", "move", "--to", "keyring"]).success();
        copy(&sandbox.config_dir(), &keyring.original);
        keyring
    }

    fn offer(&self, sandbox: &mut Sandbox, address: &str) {
        sandbox.unset("AZURE_CORE_KEY_SOURCE");
        // A copy in the kernel's keyring would hide the fault and outlive the test.
        sandbox.set("AZURE_CORE_KEY_CACHE_SECONDS", "0");
        sandbox.set("DBUS_SESSION_BUS_ADDRESS", address);
    }

    /// `open`, `locked`, `hung`; `closed`: the prompt is dismissed; `dying`: it exits when asked;
    /// `away`: not on its bus; `nowhere`: no bus; `empty`: without the key. None: it is not asked.
    fn set_up(&mut self, sandbox: &mut Sandbox, state: Option<&str>) {
        let Some(state) = state else {
            sandbox.set("AZURE_CORE_KEY_SOURCE", "file");
            sandbox.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus");
            return;
        };
        self.offer(sandbox, &self.bus.address());
        let keyrings = self.bus.dir.path().join(".local/share/keyrings");
        match state {
            "open" => self.bus.start_keyring(true),
            "locked" => self.bus.start_keyring(false),
            "hung" => {
                self.bus.start_keyring(true);
                self.bus.signal_keyring("-STOP");
            }
            "closed" => self.bus.start_false_keyring("dismiss"),
            "dying" => self.bus.start_false_keyring("die"),
            "away" => self.bus.stop_keyring(),
            "nowhere" => sandbox.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus"),
            "empty" => {
                self.bus.stop_keyring();
                std::fs::rename(&keyrings, keyrings.with_extension("away")).unwrap();
                self.bus.start_keyring(true);
            }
            _ => panic!("{state}"),
        }
    }

    /// Open, with the key in it.
    fn mend(&mut self, sandbox: &mut Sandbox) {
        self.bus.stop_keyring();
        let keyrings = self.bus.dir.path().join(".local/share/keyrings");
        let away = keyrings.with_extension("away");
        if away.exists() {
            std::fs::remove_dir_all(&keyrings).unwrap();
            std::fs::rename(away, keyrings).unwrap();
        }
        self.set_up(sandbox, Some("open"));
    }
}

pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// All cases run at once, since most of them wait.
const MACHINES: usize = 4;

#[test]
fn each_fault_has_its_message_and_exit_code_and_loses_nothing() {
    let mut cases: Vec<Case> =
        serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap();
    assert!(cases.len() >= 60);
    let records = std::env::var_os("AZT_RECORD_FAULTS").is_some();
    let wrong = Mutex::new(Vec::new());
    let queue = Mutex::new(cases.iter_mut());
    std::thread::scope(|scope| {
        for _ in 0..MACHINES {
            scope.spawn(|| {
                let mut machine = Machine::new();
                let next = || queue.lock().unwrap().next();
                while let Some(case) = next() {
                    if !cfg!(target_os = "linux")
                        && (case.keyring.is_some() || case.kernel.is_some())
                    {
                        continue;
                    }
                    let (exit, stderr) = machine.play(case);
                    if records {
                        (case.exit, case.stderr) = (exit, stderr);
                    } else if (exit, &stderr) != (case.exit, &case.stderr) {
                        wrong.lock().unwrap().push(format!("{}: {exit} {stderr:#?}", case.name));
                    }
                }
            });
        }
    });
    if records {
        std::fs::write(FILE, serde_json::to_string_pretty(&cases).unwrap() + "\n").unwrap();
    }
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
