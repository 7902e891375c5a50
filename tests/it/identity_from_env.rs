//! `--identity-from-env`: tokens without a sign-in, for the application in the environment.

use entra_emulator::directory::NIGHTLY_BUILD_CERTIFICATE;
use entra_emulator::{Action, Fault};

use crate::support::*;

const NIGHTLY: &str = "a1000000-0000-4000-8000-000000000002";
const WORKFLOW: &str = "a1000000-0000-4000-8000-000000000003";
const TOKEN: [&str; 3] = ["account", "get-access-token", "--identity-from-env"];

fn describe(sandbox: &mut Sandbox, client_id: &str, variables: &[(&str, &str)]) {
    sandbox.set("AZURE_TENANT_ID", CONTOSO);
    sandbox.set("AZURE_CLIENT_ID", client_id);
    for (name, value) in variables {
        sandbox.set(name, value);
    }
}

#[test]
fn the_sdks_variables_give_a_token_when_requested() {
    let mut sandbox = Sandbox::new();
    describe(&mut sandbox, APP, &[("AZURE_CLIENT_SECRET", APP_SECRET)]);
    // Only with the option.
    sandbox.azt(["account", "get-access-token"]).exits(4);
    let run = sandbox.azt(TOKEN).quiet();
    assert_eq!(run.text("tenant"), CONTOSO);
    assert_eq!(run.json().get("subscription"), None);
    assert_eq!(sandbox.requests(), ["POST token client_credentials"]);
    assert!(!sandbox.file("azureProfile.json").exists());
    assert_eq!(run.text("accessToken"), sandbox.azt(TOKEN).quiet().text("accessToken"));
    assert_eq!(sandbox.requests().len(), 1, "the second is served from the vault");
    for (path, content) in sandbox.all_files() {
        assert!(!String::from_utf8_lossy(&content).contains(APP_SECRET), "{}", path.display());
    }

    sandbox.set("AZURE_CORE_IDENTITY_FROM_ENV", "yes");
    drop(sandbox.az(["account", "get-access-token"]).quiet());
    sandbox.azt(["account", "get-access-token", "-s", "x"]).exits(2).says("has no subscriptions");
    let of_another = ["account", "get-access-token", "--account", ALICE];
    sandbox.azt(of_another).exits(2).says("is the only account. Omit --account");
    let elsewhere = sandbox.azt(["account", "get-access-token", "--tenant", FABRIKAM]);
    drop(elsewhere.exits(6).says("AADSTS700016"));
}

#[test]
fn a_wrong_secret_does_not_get_the_cached_token() {
    let mut sandbox = Sandbox::new();
    describe(&mut sandbox, APP, &[("AZURE_CLIENT_SECRET", APP_SECRET)]);
    drop(sandbox.azt(TOKEN).quiet());
    sandbox.set("AZURE_CLIENT_SECRET", "guessed");
    sandbox.azt(TOKEN).exits(6).says("AADSTS7000215").says("Check the secret");
}

/// No `azt login` is involved.
#[test]
fn a_refusal_names_the_variables() {
    let mut sandbox = Sandbox::new();
    describe(&mut sandbox, APP, &[("AZURE_CLIENT_SECRET", APP_SECRET)]);
    for (code, says) in [
        (50_999, "Check the application in Entra ID.\n"),
        (7_000_112, "The application is disabled"),
        (700_027, "does not know this certificate"),
        (7_000_222, ""),
    ] {
        let error = "invalid_client".to_owned();
        let action = Action::EntraError {
            status: 401,
            error,
            code,
            description: String::new(),
            suberror: None,
            claims: None,
        };
        sandbox.emulator.faults().push(Fault::on("/token", action).times(1));
        let run =
            sandbox.azt(TOKEN).exits(6).says(says).says("AZURE_CLIENT_ID name the application");
        assert!(!run.stderr.contains("azt login"), "{run:?}");
    }
}

#[test]
fn certificates_and_federated_tokens_work_too() {
    let mut sandbox = Sandbox::new();
    let path = sandbox.root().join("n.pem");
    std::fs::write(&path, NIGHTLY_BUILD_CERTIFICATE).unwrap();
    let path = path.to_str().unwrap().to_owned();
    describe(&mut sandbox, NIGHTLY, &[("AZURE_CLIENT_CERTIFICATE_PATH", &path)]);
    drop(sandbox.azt(TOKEN).quiet());

    let mut sandbox = Sandbox::new();
    let path = sandbox.root().join("token");
    let issuer = "https://kubernetes.contoso.example";
    let token = sandbox.emulator.assertion(issuer, "system:serviceaccount:default:worker");
    std::fs::write(&path, token).unwrap();
    let path = path.to_str().unwrap().to_owned();
    describe(&mut sandbox, WORKFLOW, &[("AZURE_FEDERATED_TOKEN_FILE", &path)]);
    drop(sandbox.azt(TOKEN).quiet());
}

#[test]
fn missing_variables_are_named() {
    let mut sandbox = Sandbox::new();
    sandbox.azt(TOKEN).exits(1).says("ERROR: AZURE_TENANT_ID is not set");
    describe(&mut sandbox, APP, &[("AZURE_CLIENT_SECRET", "")]);
    let run = sandbox.azt(TOKEN).exits(1).says("ERROR: AZURE_CLIENT_SECRET is not set");
    drop(run.says("one of AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH and"));
}

#[test]
fn nothing_is_stored_without_persistence() {
    let mut sandbox = Sandbox::without_cloud();
    let url = sandbox.emulator.url().to_owned();
    describe(
        &mut sandbox,
        APP,
        &[
            ("AZURE_CLIENT_SECRET", APP_SECRET),
            ("AZURE_AUTHORITY_HOST", &url),
            ("AZURE_CORE_PERSIST", "false"),
        ],
    );
    let before = sandbox.all_files();
    for _ in 0..2 {
        drop(sandbox.azt(TOKEN).quiet());
    }
    assert_eq!(sandbox.requests(), ["POST token client_credentials"; 2]);
    assert_eq!(sandbox.all_files(), before);
    sandbox
        .azt(["login"])
        .exits(1)
        .says("core.persist is off, so a sign-in would be forgotten at once.")
        .says("--identity-from-env");
    assert_eq!(sandbox.all_files(), before);
}
