//! `azt login --use-broker`: tokens from the operating system's identity broker, played by
//! `tests/peers/identity_broker.py`.

use std::fs;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use azt::internals::broker::{Presence, identity_broker_presence};
use azt::internals::program::Program;
use azt::internals::sys::{Clock, Env, Http, System, Terminal};
use rexpect::session::spawn_command;
use serde_json::{Value, json};

use crate::session_bus::SessionBus;
use crate::support::*;

const BROKER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/identity_broker.py");
const LOGIN: [&str; 2] = ["login", "--use-broker"];
const TOKEN: [&str; 2] = ["account", "get-access-token"];
const BOB: &str = "bob@fabrikam.example";

/// A machine with an identity broker that behaves as the mode says.
struct Machine {
    sandbox: Sandbox,
    session: SessionBus,
    broker: Child,
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.broker.kill();
        let _ = self.broker.wait();
    }
}

impl Machine {
    fn new() -> Self {
        let mut sandbox = Sandbox::new();
        let session = SessionBus::empty();
        sandbox.set("DBUS_SESSION_BUS_ADDRESS", &session.address());
        fs::write(session.dir.path().join("mode"), "honest").unwrap();
        let broker = start(&sandbox, &session);
        Self { sandbox, session, broker }
    }

    fn signed_in() -> Self {
        let machine = Self::new();
        machine.sandbox.azt(LOGIN).success();
        machine
    }

    fn behaves(&self, mode: &str) {
        fs::write(self.session.dir.path().join("mode"), mode).unwrap();
    }

    /// The methods called since the last time.
    fn calls(&self) -> Vec<String> {
        let file = self.session.dir.path().join("calls");
        let text = fs::read_to_string(&file).unwrap_or_default();
        let _ = fs::remove_file(file);
        text.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
    }

    /// The next token comes from the broker.
    fn forget_token(&self) {
        self.sandbox.azt(["cache", "clear"]).success();
        self.calls();
    }

    /// Everything that the vault holds, in MSAL's layout.
    fn stored(&self) -> Value {
        self.sandbox.azt(["cache", "export"]).success().json()
    }

    fn has_stored_nothing(&self) -> bool {
        let records = fs::read_dir(self.sandbox.file("azt/records")).map_or(0, Iterator::count);
        records == 0 && !self.sandbox.file("azureProfile.json").exists()
    }
}

fn python(sandbox: &Sandbox, session: &SessionBus) -> Command {
    let mut command = Command::new("/usr/bin/python3");
    session.environment(&mut command);
    command.env("REQUESTS_CA_BUNDLE", &sandbox.env()["REQUESTS_CA_BUNDLE"]);
    command.env("AUTHORITY", sandbox.emulator.url());
    command.arg(BROKER).arg(session.dir.path());
    command
}

/// Starts the broker and waits until its name is on the bus.
fn start(sandbox: &Sandbox, session: &SessionBus) -> Child {
    let mut broker = python(sandbox, session).spawn().unwrap();
    let mut ask = Command::new("dbus-send");
    session.environment(&mut ask);
    ask.args(["--session", "--print-reply=literal", "--dest=org.freedesktop.DBus", "/"]);
    ask.args(["org.freedesktop.DBus.NameHasOwner", "string:com.microsoft.identity.broker1"]);
    for _ in 0..1000 {
        let answer = ask.output().unwrap();
        if String::from_utf8_lossy(&answer.stdout).contains("true") {
            return broker;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    broker.kill().unwrap();
    panic!("the broker does not start: {:?}", broker.wait());
}

#[test]
fn the_only_account_signs_in_and_its_tokens_come_from_the_broker() {
    let machine = Machine::new();
    let sandbox = &machine.sandbox;
    let run = sandbox.azt(LOGIN).success().says("Signed in as alice@contoso.example");
    let listed = run.json();
    assert_eq!(listed[0]["user"], json!({"name": ALICE, "type": "user"}), "as az has a user");
    let tenants: std::collections::BTreeSet<&str> =
        listed.as_array().unwrap().iter().map(|it| it["tenantId"].as_str().unwrap()).collect();
    assert!(tenants.contains(CONTOSO) && tenants.contains(FABRIKAM), "{tenants:?}");
    let calls = machine.calls();
    assert_eq!(calls.iter().filter(|it| *it == "getAccounts").count(), 1, "{calls:?}");
    assert_eq!(calls.iter().filter(|it| *it == "acquireTokenSilently").count(), 3, "{calls:?}");

    let stored = machine.stored();
    let accounts = stored["Account"].as_object().unwrap();
    assert_eq!(accounts.values().next().unwrap()["account_source"], "broker", "{stored}");
    for kept_by_the_broker in ["RefreshToken", "IdToken"] {
        assert_eq!(stored[kept_by_the_broker].as_object().map_or(0, |it| it.len()), 0, "{stored}");
    }

    // A warm call asks nobody.
    sandbox.emulator.clear_requests();
    let warm = sandbox.azt(TOKEN).quiet().text("accessToken");
    assert_eq!((machine.calls(), sandbox.requests()), (vec![], vec![]));
    machine.forget_token();
    let new = sandbox.azt(TOKEN).quiet().text("accessToken");
    assert_ne!(warm, new);
    assert_eq!(machine.calls(), ["getAccounts", "acquireTokenSilently"]);
    let graph =
        [&TOKEN[..], &["--resource", "https://graph.microsoft.com/", "-t", FABRIKAM]].concat();
    assert_eq!(sandbox.azt(graph).quiet().text("tenant"), FABRIKAM);
    let refreshed = sandbox.azt(["account", "list", "--refresh"]).success().json();
    assert!(refreshed.to_string().contains("Fabrikam Shared"), "{refreshed}");
    let doctor = sandbox.azt(["doctor", "--offline"]).quiet();
    assert!(doctor.stdout.contains("the identity broker has its sign-in"), "{doctor:?}");

    machine.calls();
    sandbox.azt(["logout"]).success();
    assert_eq!(machine.calls(), [""; 0], "the broker keeps the account");
    assert_eq!(machine.stored()["Account"].as_object().map_or(0, |it| it.len()), 0);
}

#[test]
fn the_broker_is_never_the_default_and_another_sign_in_replaces_it() {
    let machine = Machine::new();
    let sandbox = &machine.sandbox;
    sandbox.approve_as(ALICE);
    sandbox.azt(["login", "--use-device-code"]).success();
    assert_eq!(machine.calls(), [""; 0]);
    let has_refresh_token =
        || machine.stored()["RefreshToken"].as_object().is_some_and(|it| !it.is_empty());
    assert!(has_refresh_token());
    sandbox.azt(LOGIN).success();
    assert!(!has_refresh_token(), "the earlier sign-in has ended");
    sandbox.azt(["login", "--use-device-code"]).success();
    machine.forget_token();
    sandbox.azt(TOKEN).quiet();
    assert_eq!(machine.calls(), [""; 0]);
}

/// az's files have a refresh token of the same user, which is not bound to the device.
#[test]
fn a_sign_in_of_az_does_not_stand_in_for_the_broker() {
    let machine = Machine::new();
    let sandbox = &machine.sandbox;
    sandbox.share_with_az(true);
    sandbox.approve_as(ALICE);
    sandbox.azt(["login", "--use-device-code"]).success();
    let shared = sandbox.read("msal_token_cache.json");
    assert!(shared.contains("RefreshToken"), "{shared}");
    sandbox.azt(LOGIN).success();
    assert_eq!(sandbox.read("msal_token_cache.json"), shared);
    machine.forget_token();
    machine.behaves("interaction");
    sandbox.emulator.clear_requests();
    sandbox.azt(TOKEN).exits(5).says("The identity broker needs you");
    assert!(!sandbox.requests().iter().any(|it| it.contains("refresh_token")));
    // Under the name az, with its exit code.
    sandbox.az(TOKEN).exits(1).says("To sign in without the broker: az login");
}

#[test]
fn one_of_several_accounts_is_chosen() {
    let machine = Machine::new();
    machine.behaves("two");
    let sandbox = &machine.sandbox;
    let run = sandbox.azt(LOGIN).exits(1).says("several accounts: alice@contoso.example, bob@");
    run.says("Choose one with --username NAME.");
    let run = sandbox.azt([&LOGIN[..], &["-u", "eve@contoso.example"]].concat()).exits(4);
    run.says("no account 'eve@contoso.example'").says("It has: alice@contoso.example, bob@");
    assert!(machine.has_stored_nothing());
    sandbox.azt([&LOGIN[..], &["-u", "ALICE@contoso.example"]].concat()).success();
    assert_eq!(sandbox.azt(["account", "show"]).quiet().json()["user"]["name"], ALICE);

    let mut command = sandbox.command(LOGIN);
    command.env("TERM", "xterm-256color").env("AZURE_CORE_NO_COLOR", "true");
    command.env("AZURE_CORE_LOGIN_EXPERIENCE_V2", "off");
    let mut terminal = spawn_command(command, Some(30_000)).unwrap();
    terminal.exp_string("Account to sign in with:").unwrap();
    terminal.send("bob").unwrap();
    terminal.flush().unwrap();
    terminal.exp_string("> bob@fabrikam.example").unwrap();
    terminal.send("\r").unwrap();
    terminal.flush().unwrap();
    terminal.exp_string("Sign in as bob@fabrikam.example").unwrap();
    terminal.send("y\r").unwrap();
    terminal.flush().unwrap();
    terminal.exp_eof().unwrap();
    machine.forget_token();
    sandbox.azt([&TOKEN[..], &["--account", BOB]].concat()).quiet();
    assert_eq!(machine.calls(), ["getAccounts", "acquireTokenSilently"]);
}

/// How the broker behaves, the exit code, and what azt says.
const FAULTS: [(&str, i32, &str); 14] = [
    ("refuse", 6, "The identity broker refused: Unable to find account."),
    ("interaction", 5, "The identity broker needs you: AADSTS50076: Due to a change"),
    ("policy", 6, "The identity broker gave no token: AADSTS53003: Access has been blocked."),
    ("hang", 8, "The identity broker did not answer in time."),
    ("die", 8, "The identity broker ended without an answer."),
    ("rubbish", 8, "sent an answer that is not a JSON object."),
    ("huge", 8, "sent an answer of more than 1 MiB."),
    ("nobody", 4, "The identity broker has no account"),
    ("otherCloud", 4, "The identity broker has no account"),
    ("otherAccount", 8, "a token of another account; it is not used."),
    ("idToken", 8, "a token for another resource; it is not used."),
    ("otherClient", 8, "a token for another client; it is not used."),
    ("otherTenant", 8, "instead of c0000000-0000-4000-8000-00000000000a; it is not used."),
    ("seconds", 8, "has expired or has an impossible lifetime; it is not used."),
];

#[test]
fn each_fault_ends_the_sign_in_with_its_sentence_and_stores_nothing() {
    for (mode, code, says) in FAULTS {
        let machine = Machine::new();
        machine.behaves(mode);
        let run = machine.sandbox.azt(LOGIN).exits(code).says(says);
        assert!(run.stderr.lines().count() > 1, "a remedy: {run:?}");
        assert!(machine.has_stored_nothing(), "{mode}");
    }
}

#[test]
fn each_fault_ends_a_token_request_with_its_sentence_and_keeps_the_sign_in() {
    let mut machine = Machine::signed_in();
    for (mode, code, says) in FAULTS {
        machine.forget_token();
        machine.behaves(mode);
        let run = machine.sandbox.azt(TOKEN).exits(code).says(says);
        assert!(run.stderr.contains("azt login"), "a remedy: {run:?}");
        let tokens = machine.stored()["AccessToken"].as_object().map_or(0, |it| it.len());
        assert_eq!(tokens, 0, "{mode}");
        if mode == "die" {
            machine.broker.wait().unwrap();
            let absent = machine.sandbox.azt(TOKEN).exits(1);
            absent.says("There is no identity broker: no program of this session provides one.");
            machine.broker = start(&machine.sandbox, &machine.session);
        }
        machine.behaves("honest");
        machine.sandbox.azt(TOKEN).quiet();
    }
}

/// Himmelblau adds seconds to milliseconds in `expiresOn`; the token itself says when it expires.
#[test]
fn himmelblaus_expiry_is_the_tokens_own() {
    let machine = Machine::new();
    machine.behaves("himmelblau");
    machine.sandbox.azt(LOGIN).success();
    machine.calls();
    machine.sandbox.azt(TOKEN).quiet();
    assert_eq!(machine.calls(), [""; 0], "the token is fresh");
}

#[test]
fn a_claims_challenge_needs_a_sign_in_without_the_broker() {
    let machine = Machine::signed_in();
    let claims = r#"{"access_token":{"acrs":{"value":"c1"}}}"#;
    let run = machine.sandbox.azt([&TOKEN[..], &["--claims", claims]].concat()).exits(5);
    run.says("cannot ask the identity broker for").says("azt login --tenant");
}

#[test]
fn without_a_bus_or_a_broker_azt_says_so() {
    let mut sandbox = Sandbox::new();
    let run = sandbox.azt(LOGIN).exits(1);
    run.says("There is no identity broker: there is no D-Bus session bus.").says("azt login");
    let session = SessionBus::empty();
    sandbox.set("DBUS_SESSION_BUS_ADDRESS", &session.address());
    sandbox.azt(LOGIN).exits(1).says("no program of this session provides one.");
    sandbox.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere");
    sandbox.azt(LOGIN).exits(1).says("the D-Bus session bus cannot be reached");
    for other in ["--identity", "--use-device-code", "--no-browser"] {
        let run = sandbox.azt([&LOGIN[..], &[other]].concat()).exits(2);
        run.says("usage error: '--");
    }
}

#[test]
fn doctor_can_ask_whether_there_is_a_broker() {
    let machine = Machine::new();
    let presence = |env: &[(&str, &str)]| {
        identity_broker_presence(&System {
            program: Program::Azt,
            env: Env::fixed(env.iter().copied()),
            clock: Clock::System,
            terminal: Terminal::piped(Box::new(std::io::sink()), Box::new(std::io::sink())),
            http: Http::default(),
        })
    };
    let address = machine.session.address();
    assert_eq!(presence(&[("DBUS_SESSION_BUS_ADDRESS", &address)]), Presence::Here);
    assert_eq!(machine.calls(), [""; 0]);
    let empty = SessionBus::empty();
    let absent = presence(&[("DBUS_SESSION_BUS_ADDRESS", &empty.address())]);
    assert!(matches!(absent, Presence::Absent(_)), "{absent:?}");
    assert!(matches!(presence(&[]), Presence::Absent(_)));
}

/// A listening socket that greets no client, and how many clients have come.
fn hung_bus() -> (tempfile::TempDir, String, UnixListener) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("bus");
    let listener = UnixListener::bind(&socket).unwrap();
    listener.set_nonblocking(true).unwrap();
    (folder, format!("unix:path={}", socket.display()), listener)
}

fn clients(bus: &UnixListener) -> usize {
    std::iter::from_fn(|| bus.accept().ok()).count()
}

/// The keyring and the broker are both behind it.
#[test]
fn a_hung_bus_costs_its_limit_once() {
    let mut sandbox = Sandbox::new();
    let (_folder, address, bus) = hung_bus();
    sandbox.set("DBUS_SESSION_BUS_ADDRESS", &address);
    sandbox.set("AZURE_CORE_KEY_SOURCE", "auto");
    let run = sandbox.azt(LOGIN).exits(1);
    run.says("There is no identity broker: the D-Bus session bus does not answer.");
    // The keyring's, and the one that shows that the keyring does not wait for its user.
    assert_eq!(clients(&bus), 2);
    // The same for the checks of all that is behind the bus.
    let doctor = sandbox.azt(["doctor", "--offline"]);
    assert!(doctor.stdout.contains("the D-Bus session bus does not answer"), "{doctor:?}");
    assert_eq!(clients(&bus), 2);
}

/// The handler of the runtime is installed by then, so the signal itself ends nothing.
#[test]
fn ctrl_c_does_not_wait_for_the_broker() {
    let machine = Machine::new();
    machine.behaves("hangsAfterOne");
    let command = machine.sandbox.command(LOGIN);
    // Background jobs ignore SIGINT.
    let mut login = Command::new("env");
    login.arg("--default-signal=INT").arg(command.get_program()).args(command.get_args());
    login.env_clear().envs(machine.sandbox.env()).current_dir(machine.sandbox.root());
    let login = login.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let hangs = machine.session.dir.path().join("hangs");
    crate::browser::wait_for(|| hangs.exists().then_some(()));
    // SAFETY: a signal to a child that has not been waited for.
    assert_eq!(unsafe { libc::kill(i32::try_from(login.id()).unwrap(), libc::SIGINT) }, 0);
    let run = Run::from(login.wait_with_output().unwrap());
    run.exits(130).says("Cancelled. Nothing was changed.");
    assert!(machine.has_stored_nothing());
}

/// Runs `command` in WSL, with `path` before the usual folders. A script plays the `azt.exe`; it
/// behaves as `folder` says.
fn in_wsl(sandbox: &Sandbox, folder: &Path, path: &str, command: &str) -> Run {
    let exe = format!(
        "#!/bin/sh\\nAUTHORITY={} exec /usr/bin/python3 {BROKER} {} --line\\n",
        sandbox.emulator.url(),
        folder.display()
    );
    let azt = env!("CARGO_BIN_EXE_azt");
    sandbox.in_mount_namespace(&format!(
        "mount -t tmpfs none /mnt; mkdir -p /mnt/c/azt; printf '{exe}' >/mnt/c/azt/azt.exe; \
         chmod +x /mnt/c/azt/azt.exe; mkdir /mnt/elsewhere; cp -p /mnt/c/azt/azt.exe /mnt/elsewhere; \
         mount --bind /mnt/elsewhere /srv; cd /mnt/c/azt; export WSL_DISTRO_NAME=Debian; \
         export PATH={path}:/usr/bin:/bin; exec {azt} {command}"
    ))
}

/// In WSL the broker of Windows is asked through `azt.exe`, if it is in `PATH`.
#[test]
fn in_wsl_azt_of_windows_is_asked() {
    let sandbox = Sandbox::new();
    let session = SessionBus::none();
    let folder = session.dir.path();
    let wsl = |path: &str, command: &str| in_wsl(&sandbox, folder, path, command);
    let behaves = |mode: &str| fs::write(folder.join("mode"), mode).unwrap();
    behaves("honest");
    let run = wsl("/mnt/c/azt", "login --use-broker").success();
    run.says("Signed in as alice@contoso.example");
    sandbox.azt(["cache", "clear"]).success();
    wsl("/mnt/c/azt", "account get-access-token").quiet();
    // The drives may be elsewhere: `root` in wsl.conf.
    sandbox.azt(["cache", "clear"]).success();
    wsl("/srv", "account get-access-token").quiet();
    // The working directory is not searched.
    for path in [".", "", "/usr/lib:../azt"] {
        sandbox.azt(["cache", "clear"]).success();
        let run = wsl(path, "account get-access-token").exits(1);
        run.says("There is no identity broker: there is no D-Bus session bus.");
    }
    for (mode, code, says) in [
        ("refuse", 5, "On the Windows side: WAM needs you."),
        ("version", 1, "one has version 2 of their exchange, the other 1."),
        ("hang", 8, "The identity broker of Windows did not answer through /mnt/c/azt/azt.exe"),
        ("die", 8, "/mnt/c/azt/azt.exe ended without an answer."),
        ("rubbish", 8, "The other azt sent a line that is not JSON."),
        ("huge", 8, "its line is longer than 1 MiB"),
        ("otherAccount", 8, "a token of another account; it is not used."),
    ] {
        behaves(mode);
        wsl("/mnt/c/azt", "account get-access-token").exits(code).says(says);
    }
}

/// The look for a broker of Linux must leave `azt.exe` time to answer.
#[test]
fn in_wsl_a_hung_bus_does_not_keep_azt_of_windows_from_answering() {
    let mut sandbox = Sandbox::new();
    let session = SessionBus::none();
    fs::write(session.dir.path().join("mode"), "honest").unwrap();
    let wsl = |sandbox: &Sandbox, command: &str| {
        in_wsl(sandbox, session.dir.path(), "/mnt/c/azt", command).success()
    };
    wsl(&sandbox, "login --use-broker").says("Signed in as alice@contoso.example");
    sandbox.azt(["cache", "clear"]).success();
    let (_folder, address, bus) = hung_bus();
    sandbox.set("DBUS_SESSION_BUS_ADDRESS", &address);
    wsl(&sandbox, "account get-access-token").quiet();
    assert_eq!(clients(&bus), 1);
}

/// The other end of that exchange, here in front of the broker on the session bus.
#[test]
fn the_hidden_command_answers_a_line_with_a_line() {
    let machine = Machine::new();
    let ask = |line: &str| {
        let mut command = machine.sandbox.command(["identity-broker"]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(child.stdin.as_mut().unwrap(), line.as_bytes()).unwrap();
        Run::from(child.wait_with_output().unwrap()).quiet()
    };
    let request = json!({"clientId": AZURE_CLI, "redirectUri": "x"}).to_string();
    let question = json!({"version": 1, "method": "getAccounts", "request": request});
    let run = ask(&format!("{question}\n"));
    assert_eq!(run.stdout.lines().count(), 1);
    assert!(run.stdout.starts_with(r#"{"version":1,"#), "{run:?}");
    let answer: Value = serde_json::from_str(&run.text("answer")).unwrap();
    assert_eq!(answer["accounts"][0]["username"], ALICE);
    for (question, says) in [
        (json!({"version": 9}), "version 9"),
        (json!({}), "version none"),
        (json!({"version": 1, "method": "removeAccount", "request": request}), "in no known form"),
        (json!({"version": 1}), "in no known form"),
    ] {
        let error = ask(&format!("{question}\n")).json()["error"].clone();
        assert!(error["message"].as_str().unwrap().contains(says), "{error}");
    }
    assert_eq!(ask("{\n").json()["error"]["kind"], "Service");
}

/// Only a broker can prove the device, so it is the remedy where there is one.
#[test]
fn a_demand_for_the_device_names_the_broker() {
    let machine = Machine::new();
    let sandbox = &machine.sandbox;
    sandbox.approve_as(ALICE);
    sandbox.azt(["login", "--use-device-code"]).success();
    sandbox.azt(["cache", "clear"]).success();
    let refusal = entra_emulator::Action::EntraError {
        status: 400,
        error: "invalid_grant".to_owned(),
        code: 530_084,
        description: "Said by the service.".to_owned(),
        suberror: None,
        claims: None,
    };
    sandbox.emulator.faults().push(entra_emulator::Fault::on("/token", refusal));
    let run = sandbox.azt([&TOKEN[..], &["--error-format", "json"]].concat());
    assert_eq!(run.code, Some(6), "{run:?}");
    let error: Value = serde_json::from_str(run.stderr.trim()).unwrap();
    assert_eq!(error["error"]["command"], "azt login --use-broker", "{error}");
}
