//! azure-identity 1.27 (Python), which starts `az` for every token.

use std::process::Command;

use serde_json::Value;

use crate::support::*;
use crate::venv;

const ARM: &str = "https://management.azure.com/.default";

/// Runs `get_token.py` with the binary first on PATH as `az`.
fn token(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let mut command = Command::new(venv::program("python"));
    let bin = sandbox.root().join("bin");
    command
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/get_token.py"))
        .args(arguments)
        .env_clear()
        .envs(sandbox.env())
        .env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
    Run::of(&mut command).success().json()
}

fn claims(token: &Value) -> Value {
    use base64::Engine;
    let token = token["token"].as_str().unwrap_or_else(|| panic!("no token: {token}"));
    let payload = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn every_credential_that_starts_az_gets_a_token() {
    let sandbox = Sandbox::signed_in_as_alice();
    let before = azt::internals::sys::Clock::System.now();
    for kind in ["sync", "async", "default"] {
        let got = token(&sandbox, &[kind, ARM]);
        assert_eq!(claims(&got)["tid"], CONTOSO, "{kind}");
        assert_eq!(claims(&got)["aud"], "https://management.azure.com", "{kind}");
        // A lifetime counts from the arrival of the answer, perhaps a second later.
        let seconds = |value: &Value| value.as_i64().unwrap();
        let lifetime = seconds(&claims(&got)["exp"]) - seconds(&claims(&got)["iat"]);
        let received = seconds(&got["expires_on"]) - lifetime;
        assert!(
            (before..=azt::internals::sys::Clock::System.now()).contains(&received),
            "{kind}: {got}"
        );
    }
    assert_eq!(sandbox.requests(), ["POST token refresh_token"], "one request serves all three");
}

#[test]
fn a_tenant_and_a_subscription_with_spaces_are_passed() {
    let sandbox = Sandbox::signed_in_as_alice();
    let got = token(&sandbox, &["sync", ARM, "tenant_id=fabrikam.example"]);
    assert_eq!(claims(&got)["tid"], FABRIKAM);
    let got = token(&sandbox, &["sync", ARM, "subscription=Contoso Development and Test"]);
    assert_eq!(claims(&got)["tid"], CONTOSO);
    let got = token(&sandbox, &["sync", ARM, "subscription=Fabrikam Shared"]);
    assert_eq!(claims(&got)["tid"], FABRIKAM);
}

#[test]
fn not_signed_in_makes_the_credential_unavailable() {
    let sandbox = Sandbox::new();
    let got = token(&sandbox, &["sync", ARM]);
    assert_eq!(got["failure"], "unavailable", "{got}");
    assert!(got["text"].as_str().unwrap().contains("az login"), "{got}");
}

#[test]
fn a_refusal_keeps_its_aadsts_code() {
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.emulator.revoke(ALICE);
    let got = token(&sandbox, &["sync", "https://vault.azure.net/.default"]);
    assert_eq!(got["failure"], "authentication", "{got}");
    assert!(got["text"].as_str().unwrap().contains("AADSTS50173"), "{got}");
}
