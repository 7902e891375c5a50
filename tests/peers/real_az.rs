//! az 2.91 and azt read each other's files and print the
//! same bytes.

use std::process::Command;

use crate::support::*;
use crate::venv;

/// The real az in the sandbox's configuration folder.
fn real_az(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    let mut command = Command::new(venv::program("az"));
    command
        .args(arguments)
        .env_clear()
        .envs(sandbox.env())
        .env("AZURE_CORE_INSTANCE_DISCOVERY", "false")
        .env("AZURE_CORE_COLLECT_TELEMETRY", "false")
        .current_dir(sandbox.root());
    Run::of(&mut command)
}

/// Runs both and asserts the same exit code, standard output and standard error.
#[track_caller]
fn same(sandbox: &Sandbox, arguments: &[&str]) {
    let (ours, theirs) = (sandbox.az(arguments), real_az(sandbox, arguments));
    assert_eq!(ours.stdout, theirs.stdout, "{arguments:?}");
    assert_eq!(ours.stderr, theirs.stderr, "{arguments:?}");
    assert_eq!(ours.code, theirs.code, "{arguments:?}");
}

#[test]
fn both_print_the_same_of_azts_files() {
    let sandbox = Sandbox::signed_in_as_alice();
    for format in ["json", "jsonc", "yaml", "yamlc", "table", "tsv", "none"] {
        same(&sandbox, &["account", "show", "-o", format]);
        same(&sandbox, &["account", "list", "-o", format]);
        same(&sandbox, &["cloud", "list", "-o", format]);
    }
    for arguments in [
        &["account", "list", "--all"][..],
        &["account", "list", "--all", "--query", "[?isDefault].{Name:name,Id:id}", "-o", "table"],
        &["account", "list", "--all", "--query", "[].[name, user.name]", "-o", "tsv"],
        &["account", "list", "--query", "[?name==`Fabrikam Shared`].id | [0]"],
        &["account", "show", "--query", "nothing"],
        &["account", "show", "--query", "nofunc(@)"],
        &["account", "show", "-s", "FABRIKAM shared", "--query", "id", "-o", "tsv"],
        &["account", "show", "-s", "No Such"],
        &["account", "set", "-s", "No Such"],
        &["account", "set", "-s", "Fabrikam Shared"],
        &["cloud", "show"],
        &["cloud", "show", "-n", "AzureChinaCloud"],
        &["cloud", "show", "-n", "Nowhere"],
        &["cloud", "list-profiles"],
        &["version"],
        &["account", "set"],
        &["account", "list", "-o", "foo"],
    ] {
        let ours = sandbox.az(arguments);
        let theirs = real_az(&sandbox, arguments);
        assert_eq!(ours.stdout, theirs.stdout, "{arguments:?}");
        assert_eq!(ours.code, theirs.code, "{arguments:?}");
        // az adds examples from its help.
        assert_eq!(ours.stderr.lines().next(), theirs.stderr.lines().next(), "{arguments:?}");
    }
}

#[test]
fn azt_shows_the_accounts_of_az() {
    let sandbox = Sandbox::new();
    drop(real_az(&sandbox, &LOGIN_APP).success());
    same(&sandbox, &["account", "show"]);
    same(&sandbox, &["account", "list", "-o", "table"]);
    sandbox.approve_as(ALICE);
    drop(real_az(&sandbox, &["login", "--use-device-code"]).success());
    same(&sandbox, &["account", "list", "--all"]);
    let profile = sandbox.read("azureProfile.json");
    drop(sandbox.az(["account", "set", "-s", "Contoso Development and Test"]).quiet());
    let ours = sandbox.read("azureProfile.json");
    std::fs::write(sandbox.file("azureProfile.json"), profile).unwrap();
    drop(real_az(&sandbox, &["account", "set", "-s", "Contoso Development and Test"]).success());
    assert_eq!(ours, sandbox.read("azureProfile.json"), "to the byte");
}

#[test]
fn a_sign_in_prints_and_stores_the_same_as_azs() {
    let (ours, theirs) = (Sandbox::new(), Sandbox::new());
    for sandbox in [&ours, &theirs] {
        sandbox.approve_as(ALICE);
    }
    let mine = ours.az(["login", "--use-device-code", "-o", "json"]).success();
    let real = real_az(&theirs, &["login", "--use-device-code", "-o", "json"]).success();
    assert_eq!(mine.stdout, real.stdout);
    let without_id = |text: String| {
        let mut profile: serde_json::Value =
            serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap();
        profile.as_object_mut().unwrap().remove("installationId");
        profile
    };
    assert_eq!(
        without_id(ours.read("azureProfile.json")),
        without_id(theirs.read("azureProfile.json"))
    );
}

const GRAPH: [&str; 4] =
    ["account", "get-access-token", "--resource", "https://graph.microsoft.com"];

fn upn(run: &Run) -> String {
    use base64::Engine;
    let token = run.text("accessToken");
    let payload = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    claims["unique_name"].as_str().or(claims["appid"].as_str()).unwrap().to_owned()
}

#[test]
fn a_sign_in_of_az_is_used_at_once() {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    drop(real_az(&sandbox, &["login", "--use-device-code"]).success());
    let cache = sandbox.read("msal_token_cache.json");
    assert_eq!(upn(&sandbox.az(GRAPH).quiet()), ALICE);
    sandbox.emulator.clear_requests();
    drop(sandbox.az(GRAPH).quiet());
    assert_eq!(sandbox.requests(), Vec::<String>::new(), "the vault has it now");
    assert_eq!(sandbox.read("msal_token_cache.json"), cache, "reading writes nothing there");

    let app = LOGIN_APP;
    drop(real_az(&sandbox, &app).success());
    drop(sandbox.az(["account", "set", "-s", PRODUCTION]).quiet());
    assert_eq!(upn(&sandbox.az(GRAPH).quiet()), APP);

    // After a revocation the user signs in with az again: azt uses the new sign-in.
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.emulator.revoke(ALICE);
    sandbox.az(GRAPH).exits(1).says("AADSTS50173");
    sandbox.approve_as(ALICE);
    drop(real_az(&sandbox, &["login", "--use-device-code"]).success());
    assert_eq!(upn(&sandbox.az(GRAPH).quiet()), ALICE);
}

#[test]
fn a_sign_in_of_azt_is_used_by_az_when_shared() {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    sandbox.azt(["login", "--use-device-code"]).success();
    assert!(!sandbox.file("msal_token_cache.json").exists(), "off unless asked for");
    sandbox.share_with_az(true);
    sandbox.azt(["login", "--use-device-code"]).success();
    assert_eq!(upn(&real_az(&sandbox, &GRAPH).success()), ALICE);
    // Both refresh with the shared token, and neither loses the sign-in.
    for _ in 0..2 {
        drop(real_az(&sandbox, &["account", "get-access-token", "--tenant", FABRIKAM]).success());
        drop(sandbox.azt(["account", "get-access-token", "--tenant", NORTHWIND]).quiet());
    }
    sandbox.login_app().success();
    sandbox.azt(["account", "set", "-s", PRODUCTION]).quiet();
    assert_eq!(upn(&real_az(&sandbox, &GRAPH).success()), APP);

    sandbox.azt(["logout", "--username", APP]).success();
    assert!(!sandbox.read("service_principal_entries.json").contains(APP_SECRET));
    sandbox.azt(["logout", "--username", ALICE]).success();
    let cache = sandbox.read("msal_token_cache.json");
    assert!(
        !cache.contains("alice") && !cache.contains("RefreshToken\": {\n        \""),
        "{cache}"
    );
}

#[test]
fn an_account_of_another_client_is_nothing_to_az() {
    let sandbox = Sandbox::new();
    sandbox.share_with_az(true);
    sandbox.approve_as(ALICE);
    sandbox.azt(["login", "--use-device-code"]).success();
    let client = "a1000000-0000-4000-8000-000000000005";
    let scope = "api://contoso-ledger/.default";
    sandbox.azt(["login", "--client-id", client, "--scope", scope, "--use-device-code"]).success();
    same(&sandbox, &["account", "list", "--all"]);
    same(&sandbox, &["account", "show"]);
    assert_eq!(upn(&real_az(&sandbox, &GRAPH).success()), ALICE);
    drop(real_az(&sandbox, &["login", "--use-device-code"]).success());
    let own = ["account", "get-access-token", "--client-id", client];
    assert_eq!(upn(&sandbox.azt(own).quiet()), ALICE);
    drop(real_az(&sandbox, &["account", "clear"]).success());
    assert_eq!(upn(&sandbox.azt(own).quiet()), ALICE, "az does not know the vault");
}

/// az may lose rows of its cache under concurrent writes: the next sign-in restores azt's.
#[test]
fn azs_rows_are_kept_and_lost_rows_restored() {
    let sandbox = Sandbox::new();
    sandbox.share_with_az(true);
    let foreign =
        r#"{"AccessToken": {"x": {"secret": "kept", "more": [1]}}, "Later": {"y": "\u00e9"}}"#;
    sandbox.write("msal_token_cache.json", foreign);
    sandbox.approve_as(ALICE);
    sandbox.azt(["login", "--use-device-code"]).success();
    let cache = sandbox.read("msal_token_cache.json");
    let value: serde_json::Value = serde_json::from_str(&cache).unwrap();
    assert_eq!(value["AccessToken"]["x"]["more"][0], 1);
    assert!(cache.starts_with("{\n    \"AccessToken\": {\n        \"x\": {\n"), "{cache}");
    assert!(cache.contains(r#""y": "\u00e9""#), "Python's escapes: {cache}");
    sandbox.write("msal_token_cache.json", "{\"AccessTok");
    sandbox.azt(["login", "--use-device-code"]).success();
    assert_eq!(upn(&real_az(&sandbox, &GRAPH).success()), ALICE);
    assert!(!sandbox.file("msal_token_cache.json.lockfile").exists());
}
