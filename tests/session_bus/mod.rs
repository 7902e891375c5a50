//! Starts a private session bus with a keyring: gnome-keyring, or a fake one that misbehaves.
//!
//! Needs `dbus-daemon`, `dbus-send` and `gnome-keyring-daemon` (Debian: dbus, gnome-keyring), and
//! python3-gi for the fake one.

#![allow(unreachable_pub, reason = "two test programs include this module")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// Configuration of a bus that starts no services by itself.
const BUS: &str = r#"<busconfig><type>session</type><listen>unix:path=@</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/></policy></busconfig>"#;

struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(command: &mut Command) -> Daemon {
    let name = command.get_program().to_owned();
    Daemon(command.spawn().unwrap_or_else(|error| {
        panic!(
            "cannot start {}: {error}; this test needs the packages dbus and gnome-keyring",
            name.display()
        )
    }))
}

/// A home folder with an optional bus and an optional keyring.
pub struct SessionBus {
    pub dir: TempDir,
    bus: Option<Daemon>,
    keyring: Option<Daemon>,
}

impl SessionBus {
    /// Without a bus.
    pub fn none() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), bus: None, keyring: None }
    }

    /// A bus without a keyring.
    pub fn empty() -> Self {
        let mut session = Self::none();
        let config = session.dir.path().join("bus.conf");
        fs::write(&config, BUS.replace('@', session.socket().to_str().unwrap())).unwrap();
        let mut bus = start(
            Command::new("dbus-daemon")
                .arg(format!("--config-file={}", config.display()))
                .args(["--nofork", "--print-address"])
                .stdout(Stdio::piped())
                .stderr(Stdio::null()),
        );
        let mut address = String::new();
        BufReader::new(bus.0.stdout.take().unwrap()).read_line(&mut address).unwrap();
        assert!(address.starts_with("unix:"), "the bus has started");
        session.bus = Some(bus);
        session
    }

    /// A bus with an empty, unlocked keyring.
    pub fn with_keyring() -> Self {
        let mut session = Self::empty();
        session.start_keyring(true);
        session
    }

    /// Replaces the running keyring with gnome-keyring, unlocked or locked.
    pub fn start_keyring(&mut self, unlock: bool) {
        self.stop_keyring();
        let mut command = Command::new("gnome-keyring-daemon");
        self.environment(&mut command);
        command.args(["--foreground", "--components=secrets"]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        if unlock {
            command.arg("--unlock");
        }
        let mut keyring = start(&mut command);
        keyring.0.stdin.take().unwrap().write_all(b"password").unwrap();
        self.keyring = Some(keyring);
        self.await_service(true);
    }

    /// Replaces the running keyring with a fake one that has this `fault`
    /// (`tests/peers/secret_service.py`).
    pub fn start_false_keyring(&mut self, fault: &str) {
        self.stop_keyring();
        let mut command = Command::new("/usr/bin/python3");
        self.environment(&mut command);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/secret_service.py"));
        self.keyring = Some(start(command.arg(fault)));
        self.await_service(true);
    }

    /// Stops the keyring; the bus keeps running.
    pub fn stop_keyring(&mut self) {
        self.keyring = None;
        if self.bus.is_some() {
            self.await_service(false);
        }
    }

    /// Sends `signal` to the keyring: `-STOP` makes it hang, `-CONT` continues it.
    pub fn signal_keyring(&self, signal: &str) {
        let id = self.keyring.as_ref().unwrap().0.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    fn await_service(&self, is_expected: bool) {
        for _ in 0..1000 {
            if self.has_service() == is_expected {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the keyring does not {}", if is_expected { "start" } else { "stop" });
    }

    fn has_service(&self) -> bool {
        let mut command = Command::new("dbus-send");
        self.environment(&mut command);
        command.args(["--session", "--print-reply=literal", "--dest=org.freedesktop.DBus", "/"]);
        command.args(["org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"]);
        let answer = command.output().unwrap();
        String::from_utf8_lossy(&answer.stdout).contains("true")
    }

    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("bus")
    }

    /// The bus address for `DBUS_SESSION_BUS_ADDRESS`.
    pub fn address(&self) -> String {
        format!("unix:path={}", self.socket().display())
    }

    /// Replaces the environment of `command` with the variables of this home and PATH.
    pub fn environment(&self, command: &mut Command) {
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).env("HOME", self.dir.path());
        command.env("XDG_RUNTIME_DIR", self.dir.path());
        command.env("DBUS_SESSION_BUS_ADDRESS", self.address());
    }
}
