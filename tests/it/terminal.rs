//! Prompts and output on a terminal.

use entra_emulator::{Action, Fault};
use rexpect::session::{PtySession, spawn_command};

use crate::support::*;

/// Milliseconds to wait for the expected text.
const LIMIT: u64 = 30_000;

fn on_a_terminal(mut command: std::process::Command) -> PtySession {
    command.env("TERM", "xterm-256color");
    spawn_command(command, Some(LIMIT)).unwrap()
}

/// The rest of the output, and the exit code.
fn end(mut session: PtySession) -> (String, Option<i32>) {
    let rest = session.exp_eof().unwrap();
    // The crate does not export its status type: parses `Exited(Pid(1), 0)`.
    let status = format!("{:?}", session.process_mut().wait().unwrap());
    let code = status.strip_suffix(')').and_then(|it| it.rsplit(' ').next()?.parse().ok());
    (rest, code.filter(|_| status.starts_with("Exited")))
}

#[test]
fn a_password_is_read_without_echo() {
    let sandbox = Sandbox::new();
    let login = ["login", "-u", ALICE, "--tenant", CONTOSO];
    let mut session = on_a_terminal(sandbox.command(login));
    session.exp_string("Password: ").unwrap();
    session.send("Alice-password-1\r").unwrap();
    session.flush().unwrap();
    let (rest, code) = end(session);
    assert_eq!(code, Some(0), "{rest}");
    assert!(rest.contains("Contoso Production") && !rest.contains("Alice-password-1"), "{rest}");

    let mut session = on_a_terminal(sandbox.command(login));
    session.exp_string("Password: ").unwrap();
    session.send_control('c').unwrap();
    assert_eq!(end(session).1, Some(130));
}

#[test]
fn a_question_needs_no_escape_codes() {
    let sandbox = Sandbox::new();
    let dir = sandbox.root().join("shims");
    for (keys, code) in [("maybe\rn", 130), ("\x1b", 130), ("x\x7fy", 0)] {
        let shim = ["shim", "install", "--dir", dir.to_str().unwrap()];
        let mut screen = crate::screen::Screen::of("dumb", &sandbox, &shim, (80, 24));
        screen.until(|screen| screen.shows("Continue? (y/N)"));
        screen.send(keys);
        screen.send("\r");
        let raw = screen.raw.clone();
        let (rest, ended) = screen.end();
        assert_eq!(ended, Some(code), "{rest}");
        assert!(!raw.contains('\x1b') && !rest.contains('\x1b'), "{raw:?} {rest:?}");
        assert_eq!(rest.contains("Type y or n."), keys.starts_with("maybe"), "{rest}");
    }
}

#[test]
fn a_sign_in_that_fails_says_only_why() {
    let mut sandbox = Sandbox::new();
    sandbox.unset("AZURE_CORE_KEY_SOURCE");
    sandbox.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus");
    let fault = Fault::on("/devicecode", refusal("invalid_client", 7_000_218, "No."));
    sandbox.emulator.faults().push(fault);
    let login = ["login", "--use-device-code"];
    let (rest, code) = crate::screen::Screen::run(&sandbox, &login, (80, 24)).end();
    assert!(code == Some(6) && !rest.contains("Key: "), "{code:?} {rest}");
}

#[test]
fn a_subscription_is_picked_by_typing() {
    let mut sandbox = Sandbox::new();
    sandbox.set("AZURE_CORE_NO_COLOR", "true");
    sandbox.approve_as(ALICE);
    let mut session = on_a_terminal(sandbox.command(["login"]));
    session.exp_string("Subscription to use:").unwrap();
    session.exp_string("> Contoso Production").unwrap();
    session.send("old").unwrap();
    session.flush().unwrap();
    session.exp_string("> Contoso Old Experiments").unwrap();
    session.send("\r").unwrap();
    session.flush().unwrap();
    let (rest, code) = end(session);
    assert_eq!(code, Some(0), "{rest}");
    // Broken between words at the terminal's width.
    let said = rest.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("Contoso Old Experiments (Contoso, disabled)"), "{rest}");
    assert!(!rest.contains('{'), "no list follows: {rest}");
    let chosen = sandbox.azt(["account", "show"]).quiet().text("name");
    assert_eq!(chosen, "Contoso Old Experiments");

    // Without a choice the default stays.
    let mut session = on_a_terminal(sandbox.command(["login"]));
    session.exp_string("> Contoso Old Experiments (default, disabled)").unwrap();
    session.send_control('c').unwrap();
    assert_eq!(end(session).1, Some(130));
    assert_eq!(sandbox.azt(["account", "show"]).quiet().text("name"), chosen);
}

#[test]
fn a_sign_in_that_names_a_format_prints_the_list_and_asks_nothing() {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    for arguments in [&["-o", "json"][..], &["--query", "[].name"]] {
        let session = on_a_terminal(sandbox.command([&["login"], arguments].concat()));
        let (rest, code) = end(session);
        assert_eq!(code, Some(0), "{rest}");
        assert!(!rest.contains("Subscription to use"), "{rest}");
        assert!(rest.contains("\"Contoso Production\","), "{rest}");
    }
}

#[test]
fn under_the_name_az_a_subscription_is_picked_by_number() {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    let mut session = on_a_terminal(sandbox.az_command(["login"]));
    session
        .exp_string("\r\nRetrieving tenants and subscriptions for the selection...\r\n")
        .unwrap();
    session.exp_string("\r\n[Tenant and subscription selection]\r\n\r\nNo     Subscription name             Subscription ID                       Tenant\r\n-----  ----------------------------  ------------------------------------  --------\r\n[1]    Contoso Development and Test  50000000-0000-4000-8000-000000000002  Contoso\r\n").unwrap();
    session.exp_string("\x1b[96m[3] *\x1b[0m  \x1b[96mContoso Production\x1b[0m            \x1b[96m50000000-0000-4000-8000-000000000001\x1b[0m  \x1b[96mContoso\x1b[0m\r\n").unwrap();
    session.exp_string("The default is marked with an *; the default tenant is 'Contoso' and subscription is 'Contoso Production' (50000000-0000-4000-8000-000000000001).\r\n").unwrap();
    let prompt = "Select a subscription and tenant (Type a number or Enter for no changes): ";
    session.exp_string(prompt).unwrap();
    session.send_line("5").unwrap();
    session.exp_string("Invalid selection.").unwrap();
    session.exp_string(prompt).unwrap();
    session.send_line("4").unwrap();
    session.exp_string("\r\nTenant: Fabrikam\r\nSubscription: Fabrikam Shared (50000000-0000-4000-8000-000000000004)\r\n").unwrap();
    session.exp_string("[Announcements]").unwrap();
    assert_eq!(end(session).1, Some(0));
    assert_eq!(sandbox.az(["account", "show"]).quiet().text("name"), "Fabrikam Shared");
}

/// The sign-in's own Ctrl-C handler must be gone by then.
#[test]
fn ctrl_c_ends_the_picker_after_a_sign_in() {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    let az = sandbox.az_command(["login"]);
    // Background jobs ignore SIGINT.
    let mut command = std::process::Command::new("env");
    command.arg("--default-signal=INT").arg(az.get_program()).args(az.get_args()).env_clear();
    command.envs(sandbox.env()).current_dir(sandbox.root());
    let mut session = on_a_terminal(command);
    session.exp_string("Enter for no changes): ").unwrap();
    session.send_control('c').unwrap();
    session.exp_eof().unwrap();
    let status = format!("{:?}", session.process_mut().wait().unwrap());
    assert!(status.contains("SIGINT"), "{status}");
}

#[test]
fn the_picker_can_be_turned_off() {
    let mut sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    sandbox.set("AZURE_CORE_LOGIN_EXPERIENCE_V2", "off");
    let (rest, code) = end(on_a_terminal(sandbox.command(["login"])));
    assert_eq!(code, Some(0));
    assert!(rest.contains("\"isDefault\": true"), "{rest}");
}

/// The URL and the message are the server's too; an invalid code is refused
/// (`attacks::foreign_text`).
#[test]
fn a_device_code_url_is_shown_without_escape_codes() {
    let sandbox = Sandbox::new();
    let answer = serde_json::json!({
        "device_code": "d", "user_code": "AB-12", "verification_uri": "https://x.example/",
        "expires_in": 900, "interval": 60, "message": "Enter AB-12\u{1b}]0;pwned\u{7}\nERROR: forged",
    });
    let (headers, body) = (Default::default(), answer.to_string());
    let answer = Action::Answer { status: 200, headers, body };
    sandbox.emulator.faults().push(Fault::on("/devicecode", answer));
    let mut session = on_a_terminal(sandbox.command(["login", "--use-device-code"]));
    let before = session.exp_string("The code expires in").unwrap();
    session.send_control('c').unwrap();
    let (rest, code) = end(session);
    assert_eq!(code, Some(130), "{rest}");
    assert!(before.contains("Open   https://x.example\r\n"), "{before:?}");
    assert!(before.contains("AB-12") && !before.contains("forged"), "{before:?}");
    assert!(!format!("{before}{rest}").contains("\u{1b}]0"), "{before:?} {rest:?}");
}

/// A server's names control no terminal, directly or through a pipe.
#[test]
fn names_are_shown_without_escape_codes() {
    const NAME: &str = "Prod\u{1b}]0;pwned\u{7}\u{9b}2J\u{202e}dorP";
    const SHOWN: &str = "Prod]0;pwned2JdorP";
    let mut sandbox = Sandbox::new();
    sandbox.emulator.directory_mut(|directory| {
        for subscription in &mut directory.subscriptions {
            subscription.name = NAME.to_owned();
        }
    });
    sandbox.approve_as(ALICE);
    for program in ["azt", "az"] {
        let login = ["login", "--use-device-code"];
        let command = match program {
            "azt" => sandbox.command(login),
            _ => sandbox.az_command(login),
        };
        let mut session = on_a_terminal(command);
        session.exp_string(SHOWN).unwrap();
        session.send("\r").unwrap();
        session.flush().unwrap();
        let (rest, code) = end(session);
        assert_eq!(code, Some(0), "{rest}");
        assert!(rest.contains(SHOWN) && !rest.contains("\u{1b}]0"), "{rest:?}");
    }
    for colour in ["false", "true"] {
        sandbox.set("AZURE_CORE_NO_COLOR", colour);
        for format in ["table", "tsv", "json", "jsonc", "yaml"] {
            let show = ["account", "show", "-o", format];
            let (shown, _) = end(on_a_terminal(sandbox.command(show)));
            // rexpect decodes each byte as one character.
            let harmful = ["\u{1b}]", "\u{7}", "\u{c2}\u{9b}", "\u{e2}\u{80}\u{ae}"];
            assert!(shown.contains("Prod") && shown.contains("pwned"), "{format}: {shown:?}");
            assert!(!harmful.iter().any(|it| shown.contains(it)), "{format}: {shown:?}");
        }
    }
    drop(
        sandbox
            .azt(["account", "show", "--query", "name", "-o", "tsv"])
            .prints(&format!("{SHOWN}\n")),
    );
}
