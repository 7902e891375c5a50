//! A server or gateway may repeat the request in its answer: no message shows the secrets of it.

use entra_emulator::{Action, Fault};

use crate::support::*;

const SECRET: &str = "S~ecret \"1/2\"+%&";
const TOKEN: &str = "/oauth2/v2.0/token";
const LOGIN: [&str; 5] = ["login", "--service-principal", "-u", APP, "-t"];

/// Bodies that repeat a request, with their content types.
const ECHOES: [(u16, &str, &str); 8] = [
    (400, "text/plain", "Bad: {form}"),
    (400, "text/plain", "Bad: {values}"),
    (403, "text/html", "<html><title>No: {form}</title></html>"),
    (403, "text/html", "<html><body><p>No: {values}</p>{form}</body></html>"),
    (
        400,
        "application/json",
        r#"{"error":"invalid_client","error_description":"AADSTS1: {values}"}"#,
    ),
    (400, "application/json", r#"{"error":"{form}","suberror":"{values}","trace_id":"{values}"}"#),
    (503, "application/json", r#"{"error":{"code":"{form}","message":"{values}"}}"#),
    (200, "application/json", r#"{"error":"x","error_description":"{form} {values}"}"#),
];

fn echo(sandbox: &Sandbox, path: &str, (status, content_type, body): (u16, &str, &str)) {
    let action = Action::Echo { status, content_type: content_type.into(), body: body.into() };
    sandbox.emulator.faults().clear();
    sandbox.emulator.faults().push(Fault::on(path, action));
}

/// Runs the command with each echo, in both error formats, and asserts that no secret is shown.
fn none_is_told(sandbox: &Sandbox, args: &[&str], words: &[&str]) {
    for echoed in ECHOES {
        echo(sandbox, TOKEN, echoed);
        for form in [&["-o", "json"][..], &["--debug"], &["--error-format", "json"]] {
            let run = sandbox.azt([args, form].concat());
            assert_ne!(run.code, Some(0), "{run:?}");
            let told = format!("{}{}", run.stdout, run.stderr);
            assert!(told.contains("***"), "{echoed:?}: {told}");
            for word in words {
                assert!(!told.contains(word), "{word} {echoed:?}: {told}");
            }
        }
    }
}

#[test]
fn an_echoed_client_secret_is_not_shown() {
    let sandbox = Sandbox::new();
    let args = [&LOGIN[..], &[CONTOSO, "-p", SECRET]].concat();
    none_is_told(
        &sandbox,
        &args,
        &["S~ecret", "ecret+%22", "ecret \\\"", "ecret \"1", "1%2F2", "1/2"],
    );
}

#[test]
fn an_echoed_password_is_not_shown() {
    let sandbox = Sandbox::new();
    let args = ["login", "-u", ALICE, "-p", "Pass word~1", "-t", CONTOSO];
    none_is_told(&sandbox, &args, &["Pass word", "Pass+word", "word%7E"]);
}

#[test]
fn an_echoed_assertion_is_not_shown() {
    let sandbox = Sandbox::new();
    let args =
        [&LOGIN[..], &[CONTOSO, "--federated-token", "eyJhbGciOiJub25lIn0.e30.c2ln"]].concat();
    none_is_told(&sandbox, &args, &["eyJh", "c2ln"]);
}

#[test]
fn echoed_refresh_and_bearer_tokens_are_not_shown() {
    let sandbox = Sandbox::signed_in_as_alice();
    let token = ["account", "get-access-token", "--resource", "https://graph.microsoft.com"];
    none_is_told(&sandbox, &token, &["refresh_token=0", "refresh_token=1", "refresh_token=r"]);
    for (content_type, body) in [
        ("text/html", "<html><body>Authorization: {authorization}</body></html>"),
        ("text/plain", "Authorization: {authorization}"),
        ("application/json", r#"{"error":{"code":"X","message":"{authorization}"}}"#),
    ] {
        echo(&sandbox, "/subscriptions", (403, content_type, body));
        let run = sandbox.azt(["account", "list", "--refresh"]);
        assert!(run.stderr.contains("Bearer ***") && !run.stderr.contains("eyJ"), "{run:?}");
    }
}
