//! A sign-in that ends in an unexpected account asks or says so, before that account is the default.

use std::process::Command;

use rexpect::session::{PtySession, spawn_command};

use crate::support::*;

const MALLORY: &str = "mallory@evil.example";

fn on_a_terminal(mut command: Command) -> PtySession {
    command.env("TERM", "xterm-256color");
    spawn_command(command, Some(30_000)).unwrap()
}

fn end(mut session: PtySession) -> (String, String) {
    let rest = session.exp_eof().unwrap();
    (rest, format!("{:?}", session.process_mut().wait().unwrap()))
}

/// Else an attacker's account could become the default unnoticed.
#[test]
fn an_unexpected_account_is_confirmed_before_it_is_stored() {
    let mut sandbox = Sandbox::signed_in_as_alice();
    sandbox.set("AZURE_CORE_LOGIN_EXPERIENCE_V2", "off");
    let mallory = other_person(&sandbox, MALLORY);
    sandbox.approve_as(&mallory);
    for answer in ["n\r", "\r", "\u{3}", "\u{1b}"] {
        let mut session = on_a_terminal(sandbox.command(["login", "--use-device-code"]));
        session.exp_string(&format!("Sign in as {mallory} (tenant ")).unwrap();
        session.send(answer).unwrap();
        session.flush().unwrap();
        let (rest, status) = end(session);
        assert!(rest.contains("Cancelled. Nothing was changed."), "{answer:?}: {rest}");
        assert!(status.contains("130"), "{status}");
        assert!(!sandbox.read("azureProfile.json").contains(&mallory));
        assert_eq!(sandbox.azt(["account", "show", "--query", "user.name"]).quiet().json(), ALICE);
        drop(sandbox.azt(["account", "get-access-token", "--account", &mallory]).exits(4));
    }
    // No question for a known account or without a terminal; az never asks.
    sandbox.approve_as(ALICE);
    let (said, _) = end(on_a_terminal(sandbox.command(["login", "--use-device-code"])));
    assert!(said.contains(&format!("Signed in as {ALICE} ")), "{said}");
    sandbox.approve_as(&mallory);
    let mut session = on_a_terminal(sandbox.command(["login", "--use-device-code"]));
    session.exp_string(&format!("Sign in as {mallory} (tenant ")).unwrap();
    session.send("y\r").unwrap();
    session.flush().unwrap();
    assert!(end(session).1.contains(", 0)"));
    assert_eq!(sandbox.azt(["account", "show", "--query", "user.name"]).quiet().json(), *mallory);
    let (said, _) = end(on_a_terminal(sandbox.command(["login", "--use-device-code"])));
    assert!(!said.contains("Sign in as"), "{said}");
}

#[test]
fn without_a_question_the_account_is_named() {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    let line = format!("Signed in as {ALICE} (tenant {CONTOSO}).\n");
    let login = ["login", "--use-device-code"];
    drop(sandbox.azt(login).exits(0).says(&line));
    let mallory = other_person(&sandbox, MALLORY);
    sandbox.approve_as(&mallory);
    drop(sandbox.azt(login).exits(0).says(&format!("Signed in as {mallory} (tenant ")));
    let run = sandbox.azt(["login", "--use-device-code", "--only-show-errors"]).exits(0);
    assert!(!run.stderr.contains("Signed in as"), "{}", run.stderr);
    let run = sandbox.az(login).exits(0);
    assert!(!run.stderr.contains("Signed in as"), "{}", run.stderr);
    // On a terminal, without another known account.
    let mut sandbox = Sandbox::new();
    sandbox.set("AZURE_CORE_LOGIN_EXPERIENCE_V2", "off");
    sandbox.approve_as(ALICE);
    let mallory = other_person(&sandbox, MALLORY);
    let (said, _) = end(on_a_terminal(sandbox.command(login)));
    let named = format!("Signed in as {ALICE} ");
    assert!(said.contains(&named) && !said.contains("Sign in as"), "{said}");
    sandbox.approve_as(&mallory);
    let (said, status) = end(on_a_terminal(sandbox.az_command(login)));
    assert!(!said.contains("ign in as") && !said.contains("igned in as"), "{said}");
    assert!(status.contains(", 0)"), "{status}");
}

/// The name comes from a server: it must not change the question.
#[test]
fn the_question_shows_the_servers_name_safely() {
    let mut sandbox = Sandbox::signed_in_as_alice();
    sandbox.set("AZURE_CORE_LOGIN_EXPERIENCE_V2", "off");
    let name = "alice@contoso.example\u{1b}[2K\r\nSign in as\u{202e} bob?";
    sandbox.approve_as(&other_person(&sandbox, name));
    let mut session = on_a_terminal(sandbox.command(["login", "--use-device-code"]));
    session.exp_string("Sign in as alice@contoso.example[2K Sign in as bob? (tenant ").unwrap();
    session.send("n\r").unwrap();
    session.flush().unwrap();
    assert!(end(session).1.contains("130"));
    // A user of the same name in another directory is another account.
    sandbox.emulator.directory_mut(|directory| {
        directory.users.retain(|user| user.username == ALICE);
        directory.user_mut(ALICE).unwrap().oid = "b0000000-0000-4000-8000-0000000000b0".to_owned();
    });
    sandbox.approve_as(ALICE);
    let mut session = on_a_terminal(sandbox.command(["login", "--use-device-code"]));
    session.exp_string(&format!("Sign in as {ALICE} (tenant ")).unwrap();
    session.send("n\r").unwrap();
    session.flush().unwrap();
    assert!(end(session).1.contains("130"));
    drop(sandbox.azt(["account", "get-access-token"]).quiet());
}

/// az's own sign-ins are in its profile only.
#[test]
fn an_account_in_the_profile_counts_as_known() {
    let mut sandbox = Sandbox::signed_in_as_alice();
    sandbox.set("AZURE_CORE_LOGIN_EXPERIENCE_V2", "off");
    std::fs::remove_dir_all(sandbox.file("azt/records")).unwrap();
    sandbox.approve_as(ALICE);
    let (said, status) = end(on_a_terminal(sandbox.command(["login", "--use-device-code"])));
    assert!(status.contains(", 0)") && said.contains("Signed in as alice"), "{said}");
    std::fs::remove_dir_all(sandbox.file("azt/records")).unwrap();
    sandbox.approve_as(&other_person(&sandbox, MALLORY));
    let mut session = on_a_terminal(sandbox.command(["login", "--use-device-code"]));
    session.exp_string(&format!("Sign in as {MALLORY} (tenant ")).unwrap();
    session.send_control('c').unwrap();
    assert!(end(session).1.contains("130"));
}

/// Adds another user to the emulator.
fn other_person(sandbox: &Sandbox, name: &str) -> String {
    sandbox.emulator.directory_mut(|directory| {
        let mut person = directory.user_mut(ALICE).unwrap().clone();
        person.username = name.to_owned();
        person.oid = "b0000000-0000-4000-8000-0000000000b0".to_owned();
        directory.users.push(person);
        for subscription in &mut directory.subscriptions {
            subscription.access.push(name.to_owned());
        }
    });
    name.to_owned()
}
