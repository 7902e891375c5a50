//! Another terminal, or az, changes the state before or during a call.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use entra_emulator::{Action, Fault};
use serde_json::Value;

use crate::support::*;

const VAULT: [&str; 4] = ["account", "get-access-token", "--resource", "https://vault.azure.net"];
const LOGIN: [&str; 2] = ["login", "--use-device-code"];

/// Alice and the application, signed in while sharing with az was on; it is off now.
fn shared_once() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    sandbox.share_with_az(true);
    drop(sandbox.azt(LOGIN).success());
    drop(sandbox.login_app().success());
    sandbox.share_with_az(false);
    sandbox
}

fn started(mut command: Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Starts `command` and waits for its first request.
fn begun(sandbox: &Sandbox, command: Command, request: &str) -> Child {
    sandbox.emulator.clear_requests();
    let child = started(command);
    while !sandbox.requests().iter().any(|it| it.starts_with(request)) {
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

fn slow(sandbox: &Sandbox, path: &str) {
    let delay = Action::Delay { milliseconds: 4000 };
    sandbox.emulator.faults().push(Fault::on(path, delay).times(1));
}

/// Asserts that it is still running, then waits for its end.
fn ended(mut child: Child) -> Run {
    assert!(child.try_wait().unwrap().is_none(), "it was over before anything happened");
    Run::from(child.wait_with_output().unwrap())
}

fn refresh_token(sandbox: &Sandbox) -> String {
    let run = sandbox.azt(["cache", "export", "--query", "RefreshToken.* | [0].secret"]).exits(0);
    run.json().as_str().unwrap().to_owned()
}

/// Edits az's file `name` as JSON.
fn edit(sandbox: &Sandbox, name: &str, change: impl FnOnce(&mut Value)) {
    let mut value = serde_json::from_str(&sandbox.read(name)).unwrap();
    change(&mut value);
    sandbox.write(name, value.to_string());
}

#[test]
fn a_sign_out_during_a_refresh_of_subscriptions_stands() {
    let sandbox = Sandbox::signed_in_as_alice();
    slow(&sandbox, "/subscriptions");
    let refresh = sandbox.command(["account", "list", "--refresh", "-o", "none"]);
    let refresh = begun(&sandbox, refresh, "GET ");
    sandbox.azt(["logout", "--username", ALICE]).success();
    drop(ended(refresh).exits(0).says("was signed out"));
    assert_eq!(std::fs::read_dir(sandbox.file("azt/records")).unwrap().count(), 0);
    assert_eq!(sandbox.azt(["account", "list"]).exits(0).json(), serde_json::json!([]));
}

#[test]
fn a_refresh_does_not_overwrite_a_newer_sign_in() {
    let sandbox = Sandbox::signed_in_as_alice();
    slow(&sandbox, "/token");
    let renewal = begun(&sandbox, sandbox.command(VAULT), "POST token");
    // The new sign-in is at least a second later.
    drop(sandbox.azt_later(5, LOGIN).success());
    let held = refresh_token(&sandbox);
    drop(ended(renewal).quiet());
    assert_eq!(refresh_token(&sandbox), held);
    sandbox.emulator.clear_requests();
    drop(sandbox.azt(VAULT).quiet());
    assert_eq!(sandbox.requests(), ["POST token refresh_token"], "the old session's is not kept");
}

#[test]
fn two_concurrent_refreshes_both_store_their_tokens() {
    let sandbox = Sandbox::signed_in_as_alice();
    slow(&sandbox, "/token");
    let renewal = begun(&sandbox, sandbox.command(VAULT), "POST token");
    let graph = ["account", "get-access-token", "--resource", "https://graph.microsoft.com"];
    drop(sandbox.azt(graph).quiet());
    drop(ended(renewal).quiet());
    sandbox.emulator.clear_requests();
    drop(sandbox.azt(VAULT).quiet());
    drop(sandbox.azt(graph).quiet());
    assert_eq!(sandbox.requests(), [""; 0]);
}

/// az's older sign-in may have been revoked since.
#[test]
fn an_older_sign_in_of_az_does_not_replace_one_made_here() {
    let sandbox = shared_once();
    drop(sandbox.azt(LOGIN).success());
    drop(sandbox.login_app().success());
    edit(&sandbox, "service_principal_entries.json", |all| all[0]["client_secret"] = "old".into());
    let held = refresh_token(&sandbox);
    let refused = |code| {
        let action = refusal("invalid_grant", code, "No.");
        sandbox.emulator.faults().push(Fault::on("/token", action).times(1));
    };
    let token = |more: &[&str]| sandbox.azt([&VAULT[..], more].concat());
    // Consent is missing for this resource only.
    refused(65001);
    drop(token(&["--account", ALICE]).exits(5));
    assert_eq!(refresh_token(&sandbox), held);
    drop(token(&["--account", ALICE]).quiet());
    let held = refresh_token(&sandbox);
    // A caller sent the application's service an invalid token.
    refused(50013);
    drop(token(&["--account", APP, "--user-assertion", "none"]).exits(5));
    drop(sandbox.azt(["cache", "migrate"]).exits(0));
    assert_eq!(refresh_token(&sandbox), held);
    drop(token(&["--account", APP]).quiet());
}

#[test]
fn a_newer_sign_in_of_az_replaces_a_revoked_one() {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    drop(sandbox.azt(LOGIN).success());
    let dead = refresh_token(&sandbox);
    sandbox.emulator.revoke(ALICE);
    std::fs::rename(sandbox.file("azt"), sandbox.file("aside")).unwrap();
    sandbox.share_with_az(true);
    drop(sandbox.azt_later(60, LOGIN).success());
    std::fs::remove_dir_all(sandbox.file("azt")).unwrap();
    std::fs::rename(sandbox.file("aside"), sandbox.file("azt")).unwrap();
    // The first refused caller imports it; waiting callers must not be told to sign in.
    slow(&sandbox, "/token");
    let callers: Vec<Child> = (0..6).map(|_| started(sandbox.command(VAULT))).collect();
    for caller in callers {
        drop(Run::from(caller.wait_with_output().unwrap()).quiet());
    }
    assert_ne!(refresh_token(&sandbox), dead);
}

/// A policy that forbids device codes refuses one sign-in of Alice's and accepts another.
#[test]
fn a_newer_sign_in_of_az_replaces_one_that_a_policy_forbids() {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    drop(sandbox.azt(LOGIN).success());
    let forbidden = refresh_token(&sandbox);
    std::fs::rename(sandbox.file("azt"), sandbox.file("aside")).unwrap();
    sandbox.share_with_az(true);
    drop(sandbox.azt_later(60, LOGIN).success());
    std::fs::remove_dir_all(sandbox.file("azt")).unwrap();
    std::fs::rename(sandbox.file("aside"), sandbox.file("azt")).unwrap();
    let action = refusal("invalid_grant", 53_003, "No.");
    sandbox.emulator.faults().push(Fault::on("/token", action).times(1));
    drop(sandbox.azt(VAULT).quiet());
    assert_ne!(refresh_token(&sandbox), forbidden);
}

#[test]
fn a_sign_out_removes_azs_copy_even_when_sharing_is_off() {
    let sandbox = shared_once();
    let token = refresh_token(&sandbox);
    assert!(sandbox.read("msal_token_cache.json").contains(&token));
    for name in [ALICE, APP] {
        sandbox.azt(["logout", "--username", name]).success();
    }
    assert!(!sandbox.read("msal_token_cache.json").contains(&token));
    assert!(!sandbox.read("service_principal_entries.json").contains(APP_SECRET));
}
