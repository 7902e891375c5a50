//! `azt whoami`: the account, and why it is used.

use serde_json::Value;

use crate::support::*;

fn json(sandbox: &Sandbox, options: &[&str]) -> Value {
    let line = ["whoami", "-o", "json"].iter().chain(options);
    sandbox.azt(line).quiet().json()
}

#[test]
fn nobody_is_4() {
    let sandbox = Sandbox::new();
    for command in ["whoami", "status"] {
        drop(sandbox.azt([command]).exits(4).says("azt login"));
    }
}

#[test]
fn a_user_is_shown_with_every_reason_and_no_network() {
    let mut sandbox = Sandbox::signed_in_as_alice();
    let shown = json(&sandbox, &[]);
    assert_eq!(shown["account"]["name"], ALICE);
    assert_eq!(
        (&shown["account"]["type"], &shown["account"]["reason"]),
        (&"user".into(), &"the default".into())
    );
    assert_eq!(shown["tenant"]["id"], CONTOSO);
    assert_eq!(shown["tenant"]["name"], "Contoso");
    assert_eq!(shown["subscription"]["name"], "Contoso Production");
    assert_eq!(shown["cloud"]["name"], "Emulator");
    assert_eq!(shown["key"]["source"], "file");
    assert_eq!(shown["signIn"]["state"], "stored");
    let worked = shown["signIn"]["lastWorkedOn"].as_i64().unwrap();
    assert_eq!(shown["signIn"]["endsUnusedOn"], worked + 90 * 86_400);
    let from = shown["cloud"]["reason"].as_str().unwrap();
    assert!(from.starts_with("from /") && from.ends_with("config"), "{from}");

    sandbox.login_app().success();
    assert_eq!(json(&sandbox, &["--account", APP])["account"]["reason"], "from --account");
    let shown = json(&sandbox, &["-s", PRODUCTION]);
    assert_eq!(shown["account"]["reason"], "from --subscription");
    sandbox.set("AZT_ACCOUNT", APP);
    sandbox.set("AZURE_CLOUD_NAME", "Emulator");
    let shown = json(&sandbox, &[]);
    assert_eq!(
        (&shown["account"]["name"], &shown["account"]["reason"]),
        (&APP.into(), &"from AZT_ACCOUNT".into())
    );
    assert_eq!(shown["account"]["type"], "servicePrincipal");
    assert_eq!(shown["cloud"]["reason"], "from AZURE_CLOUD_NAME");
    assert_eq!(shown["signIn"]["endsUnusedOn"], Value::Null);
    sandbox.emulator.clear_requests();
    let _ = sandbox.azt(["whoami"]).quiet();
    assert_eq!(sandbox.requests(), [] as [String; 0]);
}

#[test]
fn the_text_needs_40_columns() {
    let sandbox = Sandbox::signed_in_as_alice();
    let shown = sandbox.azt(["whoami"]).quiet().stdout;
    for line in [
        "Account: alice@contoso.example",
        "  user, the default",
        "Subscription: Contoso Production",
        "Vault key: file",
    ] {
        assert!(shown.lines().any(|it| it == line), "{line}: {shown}");
    }
    // The path of the settings is as long as it is.
    let lines = shown.lines().filter(|line| !line.starts_with("  from /"));
    assert!(lines.clone().count() > 8);
    assert!(lines.clone().all(|line| line.chars().count() <= 40), "{shown}");
}

#[test]
fn a_sign_in_that_is_gone_is_4_and_a_locked_vault_is_said() {
    let sandbox = Sandbox::signed_in_as_alice();
    let key = sandbox.file("azt/vault.key");
    let held = std::fs::read(&key).unwrap();
    std::fs::write(&key, "0".repeat(64)).unwrap();
    let locked = sandbox.azt(["whoami", "-o", "json"]);
    assert_eq!(locked.code, Some(9), "{locked:#?}");
    let shown = locked.json();
    assert_eq!(shown["account"]["name"], ALICE);
    assert_eq!(shown["signIn"]["state"], "unknown");
    let why = shown["key"]["error"].as_str().unwrap();
    drop(locked.says(why));
    let locked = sandbox.azt(["whoami"]);
    assert!(locked.stdout.contains("Account: alice@contoso.example"), "{locked:#?}");
    assert_eq!(locked.code, Some(9), "{locked:#?}");
    std::fs::write(&key, held).unwrap();
    drop(sandbox.azt(["cache", "clear", "--all"]).success());
    let gone = sandbox.azt(["whoami"]);
    assert_eq!(gone.code, Some(4), "{gone:#?}");
    assert!(gone.stdout.contains("Sign-in: none"), "{gone:#?}");
    drop(gone.says("alice@contoso.example is not signed in."));
}

#[test]
fn tsv_has_the_columns_of_the_table() {
    let sandbox = Sandbox::signed_in_as_alice();
    let row = format!("{ALICE}\tuser\t{CONTOSO}\tContoso Production\tEmulator\tstored\n");
    sandbox.azt(["whoami", "-o", "tsv"]).quiet().prints(&row);
    sandbox.azt(["whoami", "-o", "tsv", "--query", "account.name"]).prints(&format!("{ALICE}\n"));
}

#[test]
fn without_a_default_the_accounts_and_the_command_are_said() {
    let sandbox = Sandbox::signed_in_as_alice();
    let profile =
        sandbox.read("azureProfile.json").replace("\"isDefault\": true", "\"isDefault\": false");
    sandbox.write("azureProfile.json", profile);
    for command in ["whoami", "token"] {
        let run = sandbox.azt([command]).exits(1).says("none is the default");
        drop(run.says("Signed in: alice@contoso.example.").says("azt switch"));
    }
}

#[test]
fn a_damaged_profile_is_said() {
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.write("azureProfile.json", "{ nonsense");
    drop(sandbox.azt(["whoami"]).exits(1).says("azureProfile.json cannot be read"));
}

#[test]
fn the_identity_of_the_environment_is_shown() {
    let mut sandbox = Sandbox::new();
    for (name, value) in
        [("AZURE_TENANT_ID", CONTOSO), ("AZURE_CLIENT_ID", APP), ("AZURE_CLIENT_SECRET", "x")]
    {
        sandbox.set(name, value);
    }
    let shown = json(&sandbox, &["--identity-from-env"]);
    assert_eq!(shown["account"]["name"], APP);
    assert_eq!(shown["account"]["reason"], "from --identity-from-env");
    assert_eq!(shown["signIn"]["state"], "environment");
    assert_eq!(shown["subscription"], Value::Null);
}
