//! Text of a hostile server is shown as its text, and never as a line or command of azt.

use entra_emulator::{Action, Fault};
use serde_json::{Value, json};

use crate::support::*;

const TOKEN: [&str; 2] = ["account", "get-access-token"];

/// A text that imitates azt's lines and commands, and is very long.
fn sentence() -> String {
    let book = "word ".repeat(20_000);
    format!(
        "No.\r\nERROR: Run `azt login --tenant evil.example`\u{1b}[2J\nazt login -u evil {book}"
    )
}

fn answer(sandbox: &Sandbox, path: &str, status: u16, body: &Value) {
    let (headers, body) = (Default::default(), body.to_string());
    sandbox
        .emulator
        .faults()
        .push(Fault::on(path, Action::Answer { status, headers, body }).times(2));
}

/// Checks the failure on the terminal and returns it as JSON.
#[track_caller]
fn failure(sandbox: &Sandbox, args: &[&str]) -> Value {
    let run = sandbox.azt(args);
    assert_ne!(run.code, Some(0), "{args:?}");
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert!(lines.iter().all(|line| line.len() < 5000), "{args:?}: a book");
    let of_ours = |line: &&&str| line.starts_with("ERROR: ") || line.starts_with("azt ");
    assert_eq!(lines.iter().filter(of_ours).count(), 1, "{}", run.stderr);
    assert!(!run.stderr.contains('\u{1b}'), "{}", run.stderr);
    let mut args = args.to_vec();
    args.extend(["--error-format", "json"]);
    let run = sandbox.azt(args);
    let last = run.stderr.lines().last().unwrap();
    assert!(!last.contains(['\u{9b}', '\u{202e}']), "{last}");
    let error: Value = serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {last}"));
    error["error"].clone()
}

#[test]
fn a_servers_text_is_one_line_and_no_command() {
    let sandbox = Sandbox::signed_in_as_app();
    let graph = [TOKEN[0], TOKEN[1], "--resource", "https://graph.microsoft.com"];
    let oauth = json!({"error": "invalid_client", "error_description": sentence(), "claims": sentence(), "trace_id": sentence(), "suberror": "\u{9b}2J\u{202e}"});
    answer(&sandbox, "/token", 400, &oauth);
    let error = failure(&sandbox, &graph);
    assert_eq!((&error["kind"], &error["code"]), (&json!("refused"), &json!("invalid_client")));
    for member in ["command", "claims", "traceId"] {
        assert_eq!(error[member], Value::Null, "{member}");
    }

    answer(&sandbox, "/token", 400, &json!({"error": sentence()}));
    let error = failure(&sandbox, &graph);
    assert_eq!((&error["kind"], &error["command"]), (&json!("service"), &Value::Null));

    let sandbox = Sandbox::new();
    answer(&sandbox, "/.well-known/", 404, &json!({"error_description": sentence()}));
    let error = failure(&sandbox, &["login", "--tenant", "nowhere.example"]);
    assert_eq!((&error["kind"], &error["command"]), (&json!("service"), &Value::Null));

    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    let arm = json!({"error": {"code": "Denied", "message": sentence()}});
    answer(&sandbox, "/tenants", 403, &arm);
    let error = failure(&sandbox, &["login", "--use-device-code"]);
    assert_eq!((&error["kind"], &error["command"]), (&json!("failed"), &Value::Null));

    let mut sandbox = Sandbox::new();
    let endpoint = format!("{}/msi/token", sandbox.emulator.url());
    sandbox.set("IDENTITY_ENDPOINT", &endpoint);
    sandbox.set("IDENTITY_HEADER", "secret");
    answer(&sandbox, "/msi/token", 400, &json!({"message": sentence()}));
    let error = failure(&sandbox, &["login", "--identity"]);
    assert_eq!((&error["kind"], &error["command"]), (&json!("refused"), &Value::Null));
}

/// A resource chooses the scope that its clients request, and users paste the remedy into a shell.
#[test]
fn a_scope_is_quoted_in_the_remedy() {
    let sandbox = Sandbox::signed_in_as_alice();
    let more_proof = json!({"error": "interaction_required", "error_codes": [50076],
        "error_description": "AADSTS50076: more proof is wanted"});
    let folder = tempfile::tempdir().unwrap();
    for scope in [
        "https://vault.azure.net/.default",
        "https://vault.azure.net/$(touch${IFS}owned)",
        "https://vault.azure.net/`id`",
        "https://vault.azure.net/\";touch;'owned'",
    ] {
        answer(&sandbox, "/token", 400, &more_proof);
        let args = [TOKEN[0], TOKEN[1], "--scope", scope, "--error-format", "json"];
        let run = sandbox.azt(args);
        assert_eq!(run.code, Some(5), "{run:?}");
        let error: Value = serde_json::from_str(run.stderr.lines().last().unwrap()).unwrap();
        let command = error["error"]["command"].as_str().unwrap();
        let printed = std::process::Command::new("sh")
            .args(["-c", &command.replacen("azt", "printf '%s|'", 1)])
            .current_dir(&folder)
            .output()
            .unwrap();
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "{command} made a file");
        let words = String::from_utf8(printed.stdout).unwrap();
        assert!(words.ends_with(&format!("|--scope|{scope}|")), "{command}: {words}");
        assert_eq!(printed.stderr, b"", "{command}");
    }
}
