//! The key source `passphrase`, on a terminal.

use azt::internals::sys::keyutils;
use rexpect::session::{PtySession, spawn_command};

use crate::support::*;

const PASSPHRASE: &str = "correct horse battery";

/// False, with a line that says so, where the kernel's keyring cannot be used.
#[allow(clippy::print_stderr, reason = "a test that cannot run says so")]
fn the_kernel_keeps_keys() -> bool {
    let works = keyutils::find("azt:test:probe").is_ok();
    if !works {
        eprintln!("not tested: this kernel keeps no keys");
    }
    works
}

fn on_a_terminal(sandbox: &Sandbox, args: &[&str]) -> PtySession {
    let mut command = sandbox.command(args);
    command.env("TERM", "dumb");
    spawn_command(command, Some(60_000)).unwrap()
}

fn answer(session: &mut PtySession, question: &str, text: &str) {
    session.exp_string(question).unwrap();
    session.send(&format!("{text}\r")).unwrap();
    session.flush().unwrap();
}

fn sandbox() -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.set("AZURE_CORE_KEY_SOURCE", "passphrase");
    sandbox.set("AZURE_CORE_LOGIN_EXPERIENCE_V2", "off");
    sandbox.approve_as(ALICE);
    sandbox
}

fn sign_in(sandbox: &Sandbox) {
    let mut session = on_a_terminal(sandbox, &["login", "--use-device-code", "-o", "none"]);
    answer(&mut session, "New passphrase of the vault:", "short");
    answer(&mut session, "12 characters at least", PASSPHRASE);
    answer(&mut session, "The same again:", "something else");
    answer(&mut session, "The two differ.", PASSPHRASE);
    answer(&mut session, "The same again:", PASSPHRASE);
    let shown = session.exp_eof().unwrap();
    assert!(!shown.contains(PASSPHRASE), "{shown}");
}

#[test]
fn a_passphrase_is_asked_for_once_and_unlocks_the_vault() {
    if !the_kernel_keeps_keys() {
        return;
    }
    let sandbox = sandbox();
    sign_in(&sandbox);
    let token = ["account", "get-access-token", "--query", "accessToken", "-o", "tsv"];
    drop(sandbox.azt(token).success());
    for file in ["azt/vault.passphrase", "azt/vault.json"] {
        let contents = std::fs::read_to_string(sandbox.file(file)).unwrap();
        assert!(!contents.contains(PASSPHRASE), "{file}");
    }
    assert!(!sandbox.file("azt/vault.key").exists());

    drop(sandbox.azt(["vault", "lock"]).success());
    sandbox.azt(token).exits(9).says(
        "ERROR: The vault is locked: its key is sealed with a passphrase.\nIn a terminal, run: azt vault unlock\n",
    );
    // Without a terminal nobody can be asked.
    sandbox.azt(["vault", "unlock"]).exits(9).says("The vault is locked");

    let mut session = on_a_terminal(&sandbox, &["vault", "unlock"]);
    for _ in 0..3 {
        answer(&mut session, "Passphrase of the vault:", "wrong passphrase");
        session.exp_string("This is not the passphrase.").unwrap();
    }
    session.exp_string("The vault stays locked").unwrap();
    session.exp_string("Nobody can open it without the passphrase.").unwrap();
    session.exp_string("azt account clear").unwrap();
    session.exp_eof().unwrap();
    sandbox.azt(token).exits(9).says("The vault is locked");

    let mut session = on_a_terminal(&sandbox, &["vault", "unlock"]);
    answer(&mut session, "Passphrase of the vault:", PASSPHRASE);
    session.exp_string("The vault is unlocked for 60 minutes").unwrap();
    session.exp_eof().unwrap();
    sandbox.emulator.clear_requests();
    drop(sandbox.azt(token).success());
    assert_eq!(sandbox.requests(), Vec::<String>::new(), "the token was still there");
    drop(sandbox.azt(["account", "clear"]).success());
    assert!(!sandbox.file("azt/vault.passphrase").exists());
}

#[test]
fn the_key_moves_from_a_file_to_a_passphrase_and_back() {
    if !the_kernel_keeps_keys() {
        return;
    }
    let mut sandbox = Sandbox::signed_in_as_app();
    sandbox.set("AZURE_CORE_KEY_SOURCE", "auto");
    let mut session = on_a_terminal(&sandbox, &["vault", "move", "--to", "passphrase"]);
    answer(&mut session, "New passphrase of the vault:", PASSPHRASE);
    answer(&mut session, "The same again:", PASSPHRASE);
    session.exp_eof().unwrap();
    assert!(!sandbox.file("azt/vault.key").exists());
    drop(sandbox.azt(["account", "get-access-token"]).quiet());

    // A new key, with a new passphrase.
    let mut session = on_a_terminal(&sandbox, &["cache", "rekey"]);
    answer(&mut session, "New passphrase of the vault:", "another passphrase");
    answer(&mut session, "The same again:", "another passphrase");
    session.exp_eof().unwrap();
    drop(sandbox.azt(["account", "get-access-token"]).quiet());
    drop(sandbox.azt(["vault", "lock"]).success());
    let mut session = on_a_terminal(&sandbox, &["vault", "move", "--to", "file"]);
    answer(&mut session, "Passphrase of the vault:", PASSPHRASE);
    answer(&mut session, "This is not the passphrase.", "another passphrase");
    session.exp_eof().unwrap();
    assert!(!sandbox.file("azt/vault.passphrase").exists());
    drop(sandbox.azt(["account", "get-access-token"]).quiet());
}

#[test]
fn a_key_without_a_passphrase_needs_no_unlocking() {
    let sandbox = Sandbox::signed_in_as_app();
    sandbox
        .azt(["vault", "unlock"])
        .exits(0)
        .says("There is nothing to unlock: the key is kept in 'file'");
}

#[test]
fn without_a_terminal_no_passphrase_is_set() {
    let sandbox = sandbox();
    sandbox
        .azt(["login", "--use-device-code"])
        .exits(9)
        .says("A passphrase is typed on a terminal");
}
