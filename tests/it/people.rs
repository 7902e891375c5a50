//! What azt says to a person on a terminal, and not to programs.

use rexpect::session::{PtySession, spawn_command};

use crate::support::*;

fn on_a_terminal(sandbox: &Sandbox, line: &[&str]) -> PtySession {
    let mut command = sandbox.command(line);
    command.env("TERM", "xterm-256color");
    spawn_command(command, Some(30_000)).unwrap()
}

/// What the terminal shows until the program ends.
fn shown(sandbox: &Sandbox, line: &[&str]) -> String {
    on_a_terminal(sandbox, line).exp_eof().unwrap()
}

fn two_accounts() -> Sandbox {
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.login_app().success();
    drop(sandbox.azt(["account", "set", "-s", "Fabrikam Shared"]).quiet());
    sandbox
}

#[test]
fn a_token_ends_its_line_on_a_terminal() {
    let sandbox = Sandbox::signed_in_as_alice();
    let token = sandbox.azt(["token"]).quiet().stdout;
    assert_eq!(shown(&sandbox, &["token"]), format!("{token}\r\n"));
}

#[test]
fn accounts_are_a_table_with_a_star_on_a_terminal() {
    let sandbox = two_accounts();
    let list = shown(&sandbox, &["account", "list"]);
    let star: Vec<&str> = list.lines().filter(|line| line.starts_with('*')).collect();
    assert_eq!(star.len(), 1, "{list}");
    assert!(star[0].contains("Fabrikam Shared") && star[0].contains(ALICE), "{list}");
    assert!(list.contains(APP) && list.lines().all(|line| line.chars().count() < 80), "{list}");
    // Programs, and people who ask for a format, get az's.
    assert!(shown(&sandbox, &["account", "list", "-o", "json"]).contains("\"cloudName\""));
    assert!(sandbox.azt(["account", "list"]).success().stdout.starts_with('['));
    let table = sandbox.azt(["account", "list", "-o", "table"]).success().stdout;
    assert!(table.starts_with("Name ") && table.contains("IsDefault"), "{table}");
    drop(sandbox.azt(["config", "set", "core.output=json"]).quiet());
    assert!(shown(&sandbox, &["account", "list"]).contains("\"cloudName\""));
}

#[test]
fn a_sign_out_of_the_default_asks_and_says_who() {
    let sandbox = two_accounts();
    let mut session = on_a_terminal(&sandbox, &["logout"]);
    session.exp_string("Sign out alice@contoso.example?").unwrap();
    session.send_line("n").unwrap();
    let kept = session.exp_eof().unwrap();
    assert!(kept.contains("Nobody was signed out."), "{kept}");
    let status = format!("{:?}", session.process_mut().wait().unwrap());
    assert!(status.ends_with(", 130)"), "{status}");
    drop(sandbox.azt(["token", "--account", ALICE]).quiet());

    let out = shown(&sandbox, &["logout", "--yes"]);
    assert!(out.contains("Signed out alice@contoso.example."), "{out}");
    assert!(out.contains("No subscription is the default now. Choose one: azt switch"), "{out}");
    let none = sandbox.azt(["account", "show"]).exits(1);
    drop(none.says("No subscription found").says("azt switch").says("azt account set -s NAME"));
    drop(sandbox.az(["account", "show"]).exits(1).says("Run 'az account set' to select"));

    let out = shown(&sandbox, &["logout", "--username", APP]);
    assert!(out.contains("Nobody is signed in now."), "{out}");
    let unknown = sandbox.azt(["logout", "--username", "typo@contoso.example"]).exits(4);
    drop(unknown.says("typo@contoso.example"));
    sandbox.az(["logout", "--username", "typo@contoso.example"]).quiet().prints("");
}

#[test]
fn what_is_removed_is_said() {
    let sandbox = two_accounts();
    let cleared = shown(&sandbox, &["cache", "clear", "--all"]);
    assert!(cleared.contains("stored records and the vault key (file)."), "{cleared}");
    assert!(shown(&sandbox, &["cache", "clear", "--all"]).contains("Nothing was stored."));
    let cleared = shown(&sandbox, &["account", "clear"]);
    assert!(cleared.contains("Removed: 2 accounts (") && cleared.contains(ALICE), "{cleared}");
    assert!(shown(&sandbox, &["account", "clear"]).contains("Nobody was signed in."));
}

#[test]
fn changes_of_the_key_end_with_a_sentence_on_a_terminal() {
    let sandbox = Sandbox::signed_in_as_app();
    let told = shown(&sandbox, &["cache", "rekey"]);
    assert!(
        told.contains("The vault has a new key; ") && told.contains("encrypted anew."),
        "{told}"
    );
    let told = shown(&sandbox, &["vault", "move", "--to", "file"]);
    assert!(told.contains("The vault key is moved to the file azt/vault.key; "), "{told}");
    assert!(shown(&sandbox, &["cache", "rekey", "-o", "json"]).contains("keyId"));
    assert!(sandbox.azt(["cache", "rekey"]).quiet().json()["keyId"].is_string());
    let table = sandbox.azt(["cache", "status", "-o", "table"]).quiet().stdout;
    assert!(table.starts_with("KeySource ") && table.contains("RefreshTokens"), "{table}");
}

#[test]
fn an_ended_sign_in_names_its_account() {
    let sandbox = Sandbox::signed_in_as_alice();
    let fault = refusal("invalid_grant", 50173, "AADSTS50173: The grant was revoked.");
    sandbox.emulator.faults().push(entra_emulator::Fault::on("/token", fault).times(1));
    let ended = sandbox.azt(["token", "vault"]).exits(5);
    drop(ended.says("The sign-in of alice@contoso.example has ended."));
}
