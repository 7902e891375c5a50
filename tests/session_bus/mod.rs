//! A session bus of its own and the keyring on it: gnome-keyring, or a false one.
//!
//! Needs `dbus-daemon`, `dbus-send` and `gnome-keyring-daemon` (Debian: dbus, gnome-keyring), and
//! python3-gi for the false one.

#![allow(unreachable_pub, reason = "two test programs have it")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// A bus that starts no services by itself.
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

/// A home with a bus and, perhaps, a keyring.
pub struct SessionBus {
    pub dir: TempDir,
    bus: Option<Daemon>,
    keyring: Option<Daemon>,
}

impl SessionBus {
    /// Nothing listens there.
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
        assert!(address.starts_with("unix:"), "the bus is up");
        session.bus = Some(bus);
        session
    }

    /// A bus with an empty, open keyring.
    pub fn with_keyring() -> Self {
        let mut session = Self::empty();
        session.start_keyring(true);
        session
    }

    /// The keyring of this home in place of what is there, open or locked.
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

    /// A service that does what no keyring should (`tests/peers/secret_service.py`), in place of
    /// what is there.
    pub fn start_false_keyring(&mut self, fault: &str) {
        self.stop_keyring();
        let mut command = Command::new("/usr/bin/python3");
        self.environment(&mut command);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/secret_service.py"));
        self.keyring = Some(start(command.arg(fault)));
        self.await_service(true);
    }

    /// The bus goes on without it.
    pub fn stop_keyring(&mut self) {
        self.keyring = None;
        if self.bus.is_some() {
            self.await_service(false);
        }
    }

    /// `-STOP` and `-CONT`: the keyring hangs, and goes on.
    pub fn signal_keyring(&self, signal: &str) {
        let id = self.keyring.as_ref().unwrap().0.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    fn await_service(&self, there: bool) {
        for _ in 0..1000 {
            if self.has_service() == there {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the keyring does not {}", if there { "come up" } else { "go" });
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

    /// What a D-Bus client looks at.
    pub fn address(&self) -> String {
        format!("unix:path={}", self.socket().display())
    }

    /// The variables of this home, and no others.
    pub fn environment(&self, command: &mut Command) {
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).env("HOME", self.dir.path());
        command.env("XDG_RUNTIME_DIR", self.dir.path());
        command.env("DBUS_SESSION_BUS_ADDRESS", self.address());
    }
}
