//! Programs that take a token from standard input, a program's answer, or azd's protocol.

use std::process::Command;

use crate::endpoint::{claims, exec};
use crate::support::*;
use crate::venv;

#[test]
fn curl_reads_the_header_from_standard_input() {
    let sandbox = Sandbox::signed_in_as_alice();
    let script = r#"set -o pipefail
        "$1" token --header | curl -sS --fail --cacert "$REQUESTS_CA_BUNDLE" -H @- "$2/subscriptions?api-version=2022-12-01""#;
    let mut command = Command::new("bash");
    command.args(["-c", script, "bash", env!("CARGO_BIN_EXE_azt"), sandbox.emulator.url()]);
    let listed = Run::of(command.env_clear().envs(sandbox.env())).quiet().json();
    assert!(
        listed["value"].as_array().unwrap().iter().any(|it| it["subscriptionId"] == PRODUCTION)
    );
}

#[test]
fn google_auth_takes_a_token_and_shows_a_failure() {
    let sandbox = Sandbox::signed_in_as_app();
    let run = || {
        let azt = env!("CARGO_BIN_EXE_azt");
        let command = format!("{azt} token api://contoso-payroll --format google-executable");
        let mut python = Command::new(venv::program("python"));
        python.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/google_auth.py"));
        python.arg(command).env_clear().envs(sandbox.env());
        python.env("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1");
        Run::of(&mut python).success().json()
    };
    let got = run();
    assert_eq!(got["token"], "of-google", "{got}");
    let sent = claims_of(got["sent"]["subject_token"].as_str().unwrap());
    assert_eq!(
        (sent["aud"].as_str(), sent["appid"].as_str()),
        (Some("api://contoso-payroll"), Some(APP))
    );
    drop(sandbox.azt(["logout"]).success());
    let text = run()["text"].as_str().unwrap().to_owned();
    assert!(text.contains("azt login"), "{text}");
}

#[test]
fn azd_gets_tokens_and_shows_azts_sentence() {
    let sandbox = Sandbox::signed_in_as_alice();
    let azd = |options: &[&str], environment: &[&str], words: &[&str]| {
        let python = venv::program("python");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/azd.py");
        let start = [&["env"], environment, &[python.to_str().unwrap(), script], words];
        Run::of(&mut exec(&sandbox, options, &start.concat()))
    };
    let scope = "https://vault.azure.net/.default";
    for (words, tenant) in [(&[scope][..], CONTOSO), (&[scope, FABRIKAM], FABRIKAM)] {
        let got = azd(&[], &[], words).quiet().json();
        assert_eq!(claims(&got)["tid"], tenant);
        assert_eq!(claims(&got)["exp"], got["expires"]);
    }
    let failed = |run: Run, sentence: &str| {
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
        assert!(run.stderr.starts_with(sentence), "{run:?}");
    };
    failed(
        azd(&["--resource", "graph"], &[], &[scope]),
        "failed to acquire token: code: GetTokenError message: azt gives no token for https://vault.azure.net",
    );
    failed(azd(&[], &["AZD_AUTH_KEY=x"], &[scope]), "unexpected status code: 401");
    failed(azd(&[], &[], &[""]), "unexpected status code: 400");
    sandbox.emulator.revoke(ALICE);
    failed(
        azd(&[], &[], &["https://storage.azure.com/.default"]),
        "failed to acquire token: code: ",
    );
}
