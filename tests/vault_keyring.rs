//! The vault key in a real Secret Service: gnome-keyring on a private D-Bus.
//!
//! The keyring crate reads the environment of the process. So each call to the vault runs in a
//! child process: this test program again, with only the variables of the case.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "a test of processes and their environment")]

use std::fs;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use azt::internals::error::Kind;
use azt::internals::program::Program;
use azt::internals::sys::{System, keyutils, run_with_timeout};
use azt::internals::vault::{self, Account, Options, Record, Vault};
use serde_json::{Value, json};

mod session_bus;
use session_bus::SessionBus;

/// A child that takes longer hangs.
const WATCHDOG: Duration = Duration::from_mins(5);

/// A home folder with vaults, an optional bus and an optional keyring.
struct Session(SessionBus);

impl Session {
    fn azt(&self, name: &str) -> std::path::PathBuf {
        self.0.dir.path().join(name)
    }

    /// The result of `role` for the vault `name`, from a child with this session's variables.
    fn run(&self, role: &str, name: &str) -> Value {
        self.child(self.program(), role, name)
    }

    /// [`Session::run`] with azt's own time limit for the keyring.
    fn run_with_short_limit(&self, role: &str, name: &str) -> Value {
        let mut command = self.program();
        command.env("AZT_TEST_SHORT_LIMIT", "1");
        self.child(command, role, name)
    }

    /// [`Session::run`] with the kernel's `call` failing with `error`, which may end in strace's
    /// `:when=`.
    fn run_failing(&self, call: &str, error: &str, role: &str, name: &str) -> Value {
        let mut command = Command::new("strace");
        self.0.environment(&mut command);
        command.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=keyctl,add_key"]);
        command.arg("-e").arg(format!("inject={call}:error={error}"));
        command.arg(std::env::current_exe().unwrap());
        self.child(command, role, name)
    }

    fn program(&self) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        self.0.environment(&mut command);
        command
    }

    /// [`Session::run`] without any variables.
    fn run_without_variables(&self, role: &str, name: &str) -> Value {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env_clear();
        self.child(command, role, name)
    }

    fn child(&self, mut command: Command, role: &str, name: &str) -> Value {
        let answer = self.0.dir.path().join("answer");
        let _ = fs::remove_file(&answer);
        command.args(["--exact", "the_child_of_the_other_tests"]).stdin(Stdio::null());
        command.env("AZT_TEST_ROLE", role).env("AZT_TEST_VAULT", self.azt(name));
        command.env("AZT_TEST_ANSWER", &answer);
        let output = run_with_timeout(WATCHDOG, move || command.output()).unwrap().unwrap();
        let text = fs::read(&answer).unwrap_or_else(|_| panic!("no answer: {output:?}"));
        serde_json::from_slice(&text).unwrap()
    }

    fn key_id(&self, name: &str) -> String {
        let text = fs::read(self.azt(name).join("vault.json")).unwrap();
        serde_json::from_slice::<Value>(&text).unwrap()["key_id"].as_str().unwrap().to_owned()
    }
}

fn ann() -> Account {
    serde_json::from_value(json!({
        "home_account_id": "u.t", "environment": "e", "realm": "t", "local_account_id": "o",
        "username": "ann@example.org", "authority_type": "MSSTS" }))
    .unwrap()
}

/// Plays the role that the variables name, and writes the answer to the file that they name.
/// Without the variables this is not a child process, and the test does nothing.
#[test]
fn the_child_of_the_other_tests() {
    let Some(role) = std::env::var_os("AZT_TEST_ROLE") else { return };
    let dir = std::env::var_os("AZT_TEST_VAULT").unwrap();
    let answer = play(role.to_str().unwrap(), Path::new(&dir)).unwrap_or_else(|error| {
        assert_eq!(error.kind(), Kind::Vault);
        json!({ "error": error.message(), "remedy": error.remedy_lines() })
    });
    fs::write(std::env::var_os("AZT_TEST_ANSWER").unwrap(), answer.to_string()).unwrap();
}

/// Roles:
/// - `has <key id>`: returns whether the keyring has the key
/// - `read`, `sign-in <source>`: each with ` copying` to use the kernel's copy of the key
/// - `clear`
/// - `entry <text>`: replaces the keyring's entry, or removes it if the text is empty
/// - `twin <text>`: adds an entry with the same name
fn play(role: &str, dir: &Path) -> azt::internals::error::Result<Value> {
    let system = System::real(Program::Azt);
    let mut words = role.split(' ');
    let verb = words.next().unwrap();
    let mut options = Options { key_cache_seconds: 0, ..Options::default() };
    if std::env::var_os("AZT_TEST_SHORT_LIMIT").is_none() {
        // A busy machine must not fail these tests.
        options.keyring_limit = WATCHDOG;
    }
    if role.ends_with(" copying") {
        options.key_cache_seconds = 3600;
    }
    match verb {
        "sign-in" => {
            options.key_source = words.next().unwrap().parse()?;
            let vault = Vault::open_or_create(&system, dir, options)?;
            vault.put(&ann())?;
            let (source, notice) = (vault.key_source().to_string(), vault.choice_notice());
            Ok(json!({ "source": source, "notice": notice }))
        }
        "read" => {
            let vault = Vault::open(&system, dir, options)?.unwrap();
            assert_eq!(vault.get(&ann().key())?, Some(ann()));
            Ok(json!("found"))
        }
        "has" => {
            let entry = keyring::Entry::new("azt", words.next().unwrap()).unwrap();
            Ok(json!(entry.get_secret().is_ok()))
        }
        "clear" => vault::clear(&system, dir).map(|()| json!("cleared")),
        "entry" | "twin" => {
            let text = fs::read(dir.join("vault.json")).unwrap();
            let manifest: Value = serde_json::from_slice(&text).unwrap();
            let id = manifest["key_id"].as_str().unwrap();
            if verb == "twin" {
                add_twin(id, words.next().unwrap());
                return Ok(json!("done"));
            }
            let entry = keyring::Entry::new("azt", id).unwrap();
            match words.next() {
                Some(text) if !text.is_empty() => entry.set_secret(text.as_bytes()).unwrap(),
                _ => entry.delete_credential().unwrap(),
            }
            Ok(json!("done"))
        }
        _ => panic!("no such role: {role}"),
    }
}

/// Adds an entry with the same name, as in a keyring merged from two.
fn add_twin(id: &str, text: &str) {
    use secret_service::{EncryptionType, blocking::SecretService};
    let service = SecretService::connect(EncryptionType::Dh).unwrap();
    let attributes = [("service", "azt"), ("username", id), ("twin", text)].into_iter().collect();
    let collection = service.get_default_collection().unwrap();
    collection.create_item("twin", attributes, text.as_bytes(), false, "text/plain").unwrap();
}

fn error(answer: &Value) -> &str {
    answer["error"].as_str().unwrap_or_else(|| panic!("no error but {answer}"))
}

/// Checks that `auto` used the file and said so in one line, without the reason: `doctor` has it.
fn assert_used_the_file(answer: &Value) {
    assert_eq!(answer["source"], "file", "{answer}");
    let notice = answer["notice"].as_str().unwrap();
    assert!(
        notice.ends_with("no keyring here accepts it (azt doctor has the details)."),
        "{notice}"
    );
}

#[test]
fn the_key_goes_to_the_keyring_and_every_vault_has_its_own() {
    let session = Session(SessionBus::with_keyring());
    let answer = session.run("sign-in auto", "one");
    assert_eq!(answer["source"], "keyring", "{answer}");
    assert_eq!(answer["notice"], Value::Null, "the keyring needs no notice");
    assert!(!session.azt("one").join("vault.key").exists());
    assert_eq!(session.run("sign-in keyring", "two")["source"], "keyring");
    assert_ne!(session.key_id("one"), session.key_id("two"));
    assert_eq!(session.run("read", "one"), "found");
    assert_eq!(session.run("read", "two"), "found");
    let id = session.key_id("one");
    assert_eq!(session.run(&format!("has {id}"), "one"), true);
    assert_eq!(session.run("clear", "one"), "cleared");
    assert_eq!(session.run(&format!("has {id}"), "one"), false, "removed with its vault");
    assert_eq!(session.run("read", "two"), "found");
}

#[test]
fn a_lost_vault_json_is_found_again_by_the_keyrings_entry() {
    let session = Session(SessionBus::with_keyring());
    session.run("sign-in keyring", "one");
    let path = session.azt("one").join("vault.json");
    let before = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert_eq!(session.run("read", "one"), "found");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_missing_or_invalid_entry_is_reported_and_not_replaced() {
    let session = Session(SessionBus::with_keyring());
    session.run("sign-in keyring", "one");
    session.run("entry hunter2", "one");
    let answer = session.run("sign-in auto", "one");
    assert!(error(&answer).contains("is not a vault key"), "{answer}");
    session.run("entry ", "one");
    for role in ["read", "sign-in auto"] {
        let answer = session.run(role, "one");
        assert!(error(&answer).contains("is no longer in the keyring"), "{answer}");
        assert!(answer["remedy"].to_string().contains("azt account clear"), "{answer}");
    }
}

#[test]
fn a_locked_keyring_is_reported_and_not_replaced() {
    let mut session = Session(SessionBus::with_keyring());
    session.run("sign-in keyring", "one");
    session.0.stop_keyring();
    session.0.start_keyring(false);
    for role in ["read", "sign-in auto", "sign-in keyring"] {
        let answer = session.run(role, "one");
        assert!(error(&answer).contains("The keyring is locked"), "{answer}");
        assert!(answer["remedy"].to_string().contains("Unlock it"), "{answer}");
    }
    assert_used_the_file(&session.run("sign-in auto", "new"));
    session.0.stop_keyring();
    session.0.start_keyring(true);
    assert_eq!(session.run("read", "one"), "found");
}

#[test]
fn a_bus_without_a_keyring_is_reported() {
    let mut session = Session(SessionBus::with_keyring());
    session.run("sign-in keyring", "one");
    session.0.stop_keyring();
    let answer = session.run("read", "one");
    assert!(error(&answer).contains("There is no keyring service"), "{answer}");
    assert!(answer["remedy"].to_string().contains("azt vault move --to file"), "{answer}");
    assert_used_the_file(&session.run("sign-in auto", "new"));
}

#[test]
fn a_missing_bus_is_reported() {
    let session = Session(SessionBus::none());
    let answer = session.run("sign-in keyring", "one");
    assert!(error(&answer).contains("There is no keyring service"), "{answer}");
    assert!(!session.azt("one").join("vault.json").exists());
    assert_used_the_file(&session.run("sign-in auto", "one"));
    assert_eq!(session.run("read", "one"), "found");
}

#[test]
fn a_bus_that_never_answers_times_out() {
    let session = Session(SessionBus::none());
    let _silent = UnixListener::bind(session.0.socket()).unwrap();
    let answer = session.run_with_short_limit("sign-in keyring", "one");
    assert!(error(&answer).contains("did not answer within 3 s"), "{answer}");
    assert_used_the_file(&session.run_with_short_limit("sign-in auto", "one"));
}

#[test]
fn the_kernels_copy_works_without_bus_and_variables_until_it_expires() {
    let mut session = Session(SessionBus::with_keyring());
    session.run("sign-in keyring copying", "one");
    session.run("sign-in keyring", "two");
    let copy = |name: &str| format!("azt:vault-key-copy:{}", session.key_id(name));
    let (copy, none) = (copy("one"), copy("two"));
    session.0.stop_keyring();
    let answer = session.run("read", "one");
    assert!(error(&answer).contains("There is no keyring service"), "it used a copy: {answer}");
    let answer = session.run_without_variables("read copying", "one");
    if keyutils::find("azt:test:probe").is_err() {
        // Without a kernel keyring (an old kernel, a container) there is no copy.
        assert!(error(&answer).contains("There is no keyring service"), "{answer}");
        return;
    }
    assert_eq!(answer, "found");
    assert!(keyutils::find(&none).unwrap().is_none(), "0 seconds make no copy");
    let keys = fs::read_to_string("/proc/keys").unwrap();
    let line = keys.lines().find(|line| line.contains(&copy)).unwrap();
    assert!(!line.contains("perm"), "the copy expires: {line}");
    session.run("clear", "one");
    assert!(keyutils::find(&copy).unwrap().is_none(), "removed with the vault");
}

#[test]
fn of_two_entries_the_vaults_own_is_used() {
    let session = Session(SessionBus::with_keyring());
    session.run("sign-in keyring", "one");
    session.run(&format!("twin {}", "ab".repeat(32)), "one");
    assert_eq!(session.run("read", "one"), "found");
    session.run("twin nonsense", "one");
    assert_eq!(session.run("read", "one"), "found");
    assert_eq!(session.run("clear", "one"), "cleared");
}

#[test]
fn two_entries_of_other_vaults_are_reported() {
    let session = Session(SessionBus::with_keyring());
    session.run("sign-in keyring", "one");
    session.run("entry ", "one");
    session.run(&format!("twin {}", "ab".repeat(32)), "one");
    session.run(&format!("twin {}", "cd".repeat(32)), "one");
    let answer = session.run("read", "one");
    assert!(error(&answer).contains("is not the one that the vault was sealed with"), "{answer}");
    assert!(answer["remedy"].to_string().contains("Put the old key back"), "{answer}");
}

#[test]
fn a_dismissed_prompt_counts_as_a_locked_keyring() {
    let mut session = Session(SessionBus::empty());
    session.0.start_false_keyring("dismiss");
    let answer = session.run_with_short_limit("sign-in keyring", "one");
    assert!(error(&answer).contains("The keyring is locked"), "{answer}");
    assert!(answer["remedy"].to_string().contains("Unlock it"), "{answer}");
    assert_used_the_file(&session.run_with_short_limit("sign-in auto", "one"));
}

#[test]
fn a_keyring_that_dies_during_a_request_is_reported() {
    for role in ["sign-in keyring", "sign-in auto"] {
        let mut session = Session(SessionBus::empty());
        session.0.start_false_keyring("die");
        let answer = session.run_with_short_limit(role, "one");
        if role == "sign-in auto" {
            assert_used_the_file(&answer);
        } else {
            assert!(error(&answer).contains("The keyring failed"), "{answer}");
            assert!(answer["remedy"].to_string().contains("Try again"), "{answer}");
        }
    }
}

#[test]
fn a_hanging_keyring_times_out_and_works_again_later() {
    let session = Session(SessionBus::with_keyring());
    session.run("sign-in keyring", "one");
    session.0.signal_keyring("-STOP");
    let answer = session.run_with_short_limit("read", "one");
    assert!(error(&answer).contains("did not answer within 3 s"), "{answer}");
    assert!(answer["remedy"].to_string().contains("unlock it"), "{answer}");
    session.0.signal_keyring("-CONT");
    assert_eq!(session.run("read", "one"), "found");
}

/// As under sudo: the variables belong to one user, the process to another.
#[test]
fn the_keyring_of_another_user_is_refused() {
    use std::os::unix::fs::{PermissionsExt, chown};
    use std::os::unix::process::CommandExt;
    let session = Session(SessionBus::with_keyring());
    session.run("sign-in keyring", "one");
    for path in [session.0.dir.path().to_owned(), session.azt("one")] {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        if chown(&path, Some(65_534), None).is_err() {
            // Only root can become another user.
            return;
        }
    }
    for entry in fs::read_dir(session.azt("one")).unwrap().flatten() {
        chown(entry.path(), Some(65_534), None).unwrap();
    }
    let copy = session.0.dir.path().join("program");
    fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    let mut command = Command::new(copy);
    session.0.environment(&mut command);
    command.uid(65_534).gid(65_534).current_dir("/");
    let answer = session.child(command, "read", "one");
    assert!(error(&answer).contains("belongs to another user"), "{answer}");
    assert!(answer["remedy"].to_string().contains("without sudo"), "{answer}");
}

#[test]
fn a_kernel_without_keyrings_is_reported_and_needs_no_copy() {
    let session = Session(SessionBus::with_keyring());
    for (call, refusal, message) in [
        ("keyctl", "EPERM", "the sandbox or container forbids it"),
        ("add_key", "EPERM", "the sandbox or container forbids it"),
        ("keyctl", "ENOSYS", "built without keyrings"),
        ("add_key", "EDQUOT", "is full"),
        ("add_key", "ENOMEM", "cannot be used: "),
    ] {
        let name = format!("vault-{call}-{refusal}");
        let answer = session.run_failing(call, refusal, "sign-in kernel", &name);
        assert!(error(&answer).contains(message), "{answer}");
        assert!(answer["remedy"].to_string().contains("Choose another key source"), "{answer}");
        let answer = session.run_failing(call, refusal, "sign-in keyring copying", &name);
        assert_eq!(answer["source"], "keyring", "{answer}");
        assert_eq!(session.run_failing(call, refusal, "read copying", &name), "found");
    }
}

#[test]
fn a_key_expired_in_the_kernel_is_reported_and_its_copy_made_again() {
    if keyutils::find("azt:test:probe").is_err() {
        return;
    }
    let session = Session(SessionBus::with_keyring());
    session.run("sign-in kernel", "kernel");
    session.run("sign-in keyring copying", "keyring");
    // The second call of keyctl searches, the third reads.
    for call in ["2", "3"] {
        let when = format!("EKEYEXPIRED:when={call}");
        let answer = session.run_failing("keyctl", &when, "read", "kernel");
        assert!(error(&answer).contains("emptied when the machine restarts"), "{answer}");
        assert!(answer["remedy"].to_string().contains("azt account clear"), "{answer}");
        assert_eq!(session.run_failing("keyctl", &when, "read copying", "keyring"), "found");
    }
    let copy = format!("azt:vault-key-copy:{}", session.key_id("keyring"));
    assert!(keyutils::remove(&copy).unwrap());
    assert_eq!(session.run("read", "keyring"), "found");
    assert!(keyutils::find(&copy).unwrap().is_none(), "no copy without `copying`");
    assert_eq!(session.run("read copying", "keyring"), "found");
    assert!(keyutils::find(&copy).unwrap().is_some(), "the next call needs no keyring");
    assert_eq!(session.run("read", "kernel"), "found", "the key is still there");
    session.run("clear", "kernel");
    session.run("clear", "keyring");
}
