//! Tokens of any length are kept unchanged.

use entra_emulator::Fault;
use serde_json::{Value, json};

use crate::support::*;

const WORKFLOW: &str = "a1000000-0000-4000-8000-000000000003";
const RESOURCE: &str = "https://other.example";

/// A token of 64 KiB.
fn long() -> String {
    // The claims are `{"a":"ABC…"}`.
    format!("eyJhbGciOiJub25lIn0.eyJhIjoi{}In0.c2ln", "QUJD".repeat(16 << 10))
}

fn serve(sandbox: &Sandbox, path: &str, body: &Value) {
    let action = answer(body.to_string());
    sandbox.emulator.faults().push(Fault::on(path, action));
}

#[test]
fn a_long_pipeline_assertion_is_sent_whole() {
    let mut sandbox = Sandbox::new();
    let url = sandbox.emulator.url().to_owned();
    sandbox.set("ACTIONS_ID_TOKEN_REQUEST_URL", &format!("{url}/pipeline/github?api-version=2.0"));
    sandbox.set("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "emulator-job-token");
    serve(&sandbox, "/pipeline/github", &json!({"count": {}, "value": format!(" {}\n", long())}));
    let tokens = json!({"access_token": "a.b.c", "expires_in": 3600});
    serve(&sandbox, "/oauth2/v2.0/token", &tokens);
    let workflow = ["login", "--service-principal", "-u", WORKFLOW, "-t", CONTOSO];
    let options = ["--federated-token-from", "github-actions", "--allow-no-subscriptions"];
    // The emulator's resource manager rejects this access token.
    assert_ne!(sandbox.azt([&workflow[..], &options].concat()).code, Some(0));
    let requests = sandbox.emulator.requests();
    assert!(requests.iter().any(|it| it.form.get("client_assertion") == Some(&long())));
}

#[test]
fn long_access_tokens_are_printed_whole() {
    let token = ["account", "get-access-token", "--resource", RESOURCE];
    let tokens = json!({"access_token": long(), "expires_in": 3600});

    let sandbox = Sandbox::signed_in_as_app();
    serve(&sandbox, "/oauth2/v2.0/token", &tokens);
    assert_eq!(sandbox.azt(token).success().text("accessToken"), long());
    assert_eq!(sandbox.azt(token).success().text("accessToken"), long(), "kept");

    let mut host = Sandbox::new();
    host.set("IDENTITY_ENDPOINT", &format!("{}/msi/token", host.emulator.http_url()));
    host.set("IDENTITY_HEADER", "emulator-identity-header");
    host.azt(["login", "--identity", "--allow-no-subscriptions"]).success();
    serve(&host, "/msi/token", &tokens);
    assert_eq!(host.azt(token).success().text("accessToken"), long());
}

#[test]
fn a_long_refresh_token_is_sent_whole() {
    let sandbox = Sandbox::signed_in_as_alice();
    let tokens = json!({"access_token": "a.b.c", "expires_in": 3600, "refresh_token": long()});
    serve(&sandbox, "/oauth2/v2.0/token", &tokens);
    let token = |resource| sandbox.azt(["account", "get-access-token", "--resource", resource]);
    token("https://graph.microsoft.com").success();
    sandbox.emulator.faults().clear();
    // The next request sends it, and the emulator rejects it as unknown.
    assert_ne!(token("https://vault.azure.net").code, Some(0));
    assert!(
        sandbox.emulator.requests().iter().any(|it| it.form.get("refresh_token") == Some(&long()))
    );
}
