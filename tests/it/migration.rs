//! Migrates `accessTokens.json` of az before 2.30 on first use.

use entra_emulator::{Action, Fault};
use serde_json::json;

use crate::support::*;

const TOKEN: [&str; 2] = ["account", "get-access-token"];

/// A machine where az 2.29 signed in Alice and the application: az's profile, and the old file
/// with these refresh tokens of Alice's; `{}` stands for a valid one.
fn left_by_old_az(refresh_tokens: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.share_with_az(true);
    sandbox.approve_as(ALICE);
    sandbox.login_app().success();
    sandbox.azt(["login", "--use-device-code"]).success();
    sandbox.list_app_in("Emulator");
    let cache: serde_json::Value =
        serde_json::from_str(&sandbox.read("msal_token_cache.json")).unwrap();
    let good =
        cache["RefreshToken"].as_object().unwrap().values().next().unwrap()["secret"].clone();
    for name in ["msal_token_cache.json", "service_principal_entries.json"] {
        std::fs::remove_file(sandbox.file(name)).unwrap();
    }
    sandbox.share_with_az(false);
    std::fs::remove_dir_all(sandbox.file("azt")).unwrap();
    let mut rows: Vec<serde_json::Value> = refresh_tokens
        .iter()
        .enumerate()
        .map(|(number, token)| {
            json!({
                "tokenType": "Bearer", "expiresIn": 3599,
                "expiresOn": format!("2021-04-{:02} 12:34:56.123456", 28 - number),
                "resource": format!("{}/", sandbox.emulator.url()),
                "accessToken": "an old access token", "isMRRT": true, "userId": "Alice@contoso.example",
                "refreshToken": if *token == "{}" { good.clone() } else { json!(token) },
                "_clientId": AZURE_CLI, "_authority": format!("{}/common", sandbox.emulator.url()),
            })
        })
        .collect();
    rows.push(json!({"servicePrincipalId": APP, "servicePrincipalTenant": CONTOSO, "accessToken": APP_SECRET}));
    let text = format!("\u{feff}{}]\n", serde_json::to_string(&rows).unwrap());
    sandbox.write("accessTokens.json", text);
    sandbox.emulator.clear_requests();
    sandbox
}

#[test]
fn users_and_applications_continue_without_a_new_sign_in() {
    let sandbox = left_by_old_az(&["dead", "{}", "{}"]);
    let before = sandbox.read("accessTokens.json");
    let run = sandbox.azt(TOKEN).exits(0);
    assert_eq!(run.text("tenant"), CONTOSO);
    let run = run.says("WARNING: Taken over from ").says(&format!("{APP}, Alice@contoso.example."));
    drop(run.says("The file still holds secrets in plain text"));
    // The revoked and the valid token are each tried once; the latter's answer is the requested token.
    assert_eq!(sandbox.requests(), ["POST token refresh_token"; 2]);
    sandbox.emulator.clear_requests();
    drop(sandbox.azt(TOKEN).quiet());
    assert_eq!(sandbox.requests(), Vec::<String>::new());
    drop(sandbox.azt(["account", "get-access-token", "--tenant", FABRIKAM]).quiet());
    assert_eq!(sandbox.read("accessTokens.json"), before, "nothing of it is lost");
    for (path, content) in sandbox.all_files() {
        let text = String::from_utf8_lossy(&content).into_owned();
        let is_old = path.ends_with("accessTokens.json");
        assert!(is_old || !text.contains(APP_SECRET), "{}", path.display());
    }
    let of_app = ["account", "get-access-token", "--account", APP];
    let found = sandbox.azt(["account", "list", "--all", "--query", "[].user.name"]).success();
    if found.stdout.contains(APP) {
        drop(sandbox.azt(of_app).quiet());
    }
}

#[test]
fn under_the_name_az_a_migration_is_silent() {
    let sandbox = left_by_old_az(&["{}"]);
    drop(sandbox.az(TOKEN).quiet());
}

#[test]
fn a_revoked_old_sign_in_is_reported_and_tried_once() {
    let sandbox = left_by_old_az(&["dead"]);
    let run = sandbox.azt(TOKEN).exits(4).says("WARNING: The sign-in of Alice@contoso.example in ");
    drop(run.says("is no longer valid: AADSTS"));
    let asked = sandbox.requests().len();
    assert_eq!(asked, 1);
    let run = sandbox.azt(TOKEN).exits(4).says("is not signed in. Run `azt login`.");
    assert!(!run.stderr.contains("WARNING"), "{run:?}");
    assert_eq!(sandbox.requests().len(), asked);
    // The application was migrated.
    let records = std::fs::read_dir(sandbox.file("azt/records")).unwrap();
    let names = records.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.starts_with("sp-")).count(), 1);
    // A changed refresh token is tried again.
    let file = sandbox.read("accessTokens.json").replace("dead", "dead too");
    sandbox.write("accessTokens.json", file);
    drop(sandbox.azt(TOKEN).exits(4).says("is no longer valid"));
}

#[test]
fn a_network_error_postpones_the_migration() {
    let sandbox = left_by_old_az(&["{}"]);
    sandbox.emulator.faults().push(Fault::on("/token", Action::Drop));
    sandbox.azt(TOKEN).exits(7);
    sandbox.emulator.faults().clear();
    drop(sandbox.azt(TOKEN).exits(0).says("Taken over from"));
}

#[test]
fn a_damaged_old_file_is_ignored() {
    for text in ["", "{}", "[{}, null, 7]", "\u{feff}", "[", "not json at all"] {
        let sandbox = left_by_old_az(&["{}"]);
        sandbox.write("accessTokens.json", text);
        sandbox.azt(TOKEN).exits(4).says("is not signed in. Run `azt login`.");
        assert_eq!(sandbox.read("accessTokens.json"), text);
    }
    let mut sandbox = left_by_old_az(&["{}"]);
    let elsewhere = sandbox.root().join("old.json");
    std::fs::rename(sandbox.file("accessTokens.json"), &elsewhere).unwrap();
    sandbox.set("AZURE_ACCESS_TOKEN_FILE", elsewhere.to_str().unwrap());
    drop(sandbox.azt(TOKEN).exits(0).says("Taken over from"));
}

/// A machine where az 2.29 signed in Alice in Contoso and Bob in Fabrikam.
fn left_by_two() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.share_with_az(true);
    for name in [BOB, ALICE] {
        sandbox.approve_as(name);
        sandbox.azt(["login", "--use-device-code"]).success();
    }
    let cache: serde_json::Value =
        serde_json::from_str(&sandbox.read("msal_token_cache.json")).unwrap();
    let rows: Vec<serde_json::Value> = [
        (ALICE, CONTOSO, "2021-04-28 12:00:00"),
        (BOB, FABRIKAM, "2021-04-19 12:00:00.5"),
    ]
    .iter()
    .map(|(name, tenant, expires_on)| {
        let find = |section: &str, member: &str, value: &serde_json::Value| {
            let rows = cache[section].as_object().unwrap();
            rows.values().find(|row| row[member] == *value).unwrap().clone()
        };
        let home = find("Account", "username", &json!(name))["home_account_id"].clone();
        json!({
            "tokenType": "Bearer", "expiresIn": 3599, "expiresOn": expires_on, "accessToken": "old",
            "resource": format!("{}/", sandbox.emulator.url()), "isMRRT": true, "userId": name,
            "refreshToken": find("RefreshToken", "home_account_id", &home)["secret"],
            "_clientId": AZURE_CLI, "_authority": format!("{}/{tenant}", sandbox.emulator.url()),
        })
    })
    .collect();
    sandbox.write("accessTokens.json", serde_json::to_string(&rows).unwrap());
    std::fs::remove_file(sandbox.file("msal_token_cache.json")).unwrap();
    sandbox.share_with_az(false);
    std::fs::remove_dir_all(sandbox.file("azt")).unwrap();
    sandbox.emulator.clear_requests();
    sandbox
}

const BOB: &str = "bob@fabrikam.example";

#[test]
fn a_network_error_halfway_loses_no_sign_in() {
    let sandbox = left_by_two();
    let before = sandbox.read("accessTokens.json");
    let down = format!("/{FABRIKAM}/");
    sandbox.emulator.faults().push(Fault::on(&down, Action::Drop));
    let run = sandbox.azt(["account", "get-access-token", "--tenant", CONTOSO]).exits(0);
    drop(run.says("Taken over from").says(&format!(": {ALICE}.")));
    assert_eq!(sandbox.read("accessTokens.json"), before);
    sandbox.emulator.faults().clear();
    sandbox.emulator.clear_requests();
    drop(sandbox.azt(["cache", "migrate", "-o", "none"]).exits(0).says(&format!(": {BOB}.")));
    assert_eq!(sandbox.requests(), ["POST token refresh_token"], "Bob's, and nobody's again");
    // A second run changes and sends nothing.
    drop(sandbox.azt(["cache", "migrate", "-o", "none"]).quiet());
    assert_eq!(sandbox.requests().len(), 1);
}

#[test]
fn remove_deletes_the_old_file_once_all_rows_are_migrated() {
    let sandbox = left_by_two();
    let file = sandbox.read("accessTokens.json");
    let broken = file.replacen("\"refreshToken\":\"", "\"refreshToken\":\"dead", 1);
    sandbox.write("accessTokens.json", &broken);
    let run = sandbox.azt(["cache", "migrate", "--remove", "-o", "json"]).exits(0);
    let dead = if broken.find("dead").unwrap() < broken.find(BOB).unwrap() { ALICE } else { BOB };
    let outcome = format!("[?account=='{dead}'].outcome | [0]");
    let run = run.says(&format!("stays: it has the only sign-in of {dead}."));
    assert!(run.stdout.contains("sign in again"), "{run:?} {outcome}");
    assert_eq!(sandbox.read("accessTokens.json"), broken);
    // With a valid refresh token again, removing the file loses nobody.
    sandbox.write("accessTokens.json", &file);
    sandbox.azt(["cache", "migrate", "--remove", "-o", "none"]).exits(0);
    assert!(!sandbox.file("accessTokens.json").exists());
    drop(sandbox.azt(["account", "get-access-token"]).quiet());

    // With the setting, on first use.
    let mut sandbox = left_by_two();
    sandbox.set("AZURE_CORE_REMOVE_MIGRATED", "on");
    drop(sandbox.azt(["account", "get-access-token"]).quiet());
    assert!(!sandbox.file("accessTokens.json").exists());
}

/// Users and outcomes that `cache migrate` prints.
fn outcomes(sandbox: &Sandbox, arguments: &[&str]) -> Vec<(String, String)> {
    let run = sandbox.azt(["cache", "migrate", "-o", "json"].iter().chain(arguments)).exits(0);
    let rows = run.json();
    let text = |row: &serde_json::Value, name: &str| row[name].as_str().unwrap().to_owned();
    rows.as_array().unwrap().iter().map(|it| (text(it, "account"), text(it, "outcome"))).collect()
}

/// A row without a usable token must not be reported as migrated.
#[test]
fn an_unusable_row_is_reported_as_unusable() {
    let sandbox = Sandbox::new();
    sandbox.list_app_in("Emulator");
    let home = "a.b";
    let host = sandbox.emulator.url().split("://").nth(1).unwrap().split(':').next().unwrap();
    let account = json!({"home_account_id": home, "environment": host, "realm": "b",
        "local_account_id": "a", "username": ALICE, "authority_type": "MSSTS"});
    let mut cache = json!({"Account": {"one": account}, "RefreshToken": {}});
    sandbox.write("msal_token_cache.json", cache.to_string());
    let entry = json!([{"client_id": APP, "client_secret": APP_SECRET}]);
    sandbox.write("service_principal_entries.json", entry.to_string());
    let of =
        |outcome: &str| [ALICE, APP].map(|name| (name.to_owned(), outcome.to_owned())).to_vec();
    for arguments in [&["--dry-run"][..], &[], &[]] {
        assert_eq!(outcomes(&sandbox, arguments), of("sign in again"), "{arguments:?}");
    }
    cache["RefreshToken"]["one"] = json!({"home_account_id": home, "environment": host,
        "client_id": AZURE_CLI, "family_id": "1", "secret": "s", "target": ""});
    sandbox.write("msal_token_cache.json", cache.to_string());
    let entry = json!([{"client_id": APP, "client_secret": APP_SECRET, "tenant": CONTOSO}]);
    sandbox.write("service_principal_entries.json", entry.to_string());
    assert_eq!(outcomes(&sandbox, &["--dry-run"]), of("would be taken over"));
    assert_eq!(outcomes(&sandbox, &[]), of("taken over"));
    assert_eq!(outcomes(&sandbox, &["--dry-run"]), of("is here"));
}

/// The old file is the only copy of such rows, and another program may still use it.
#[test]
fn rows_that_are_not_migrated_keep_the_old_file() {
    let sandbox = left_by_two();
    let two: serde_json::Value = serde_json::from_str(&sandbox.read("accessTokens.json")).unwrap();
    let with = |members: serde_json::Value| {
        let mut row = two[0].clone();
        row.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        row
    };
    let adfs = format!("{}/adfs", sandbox.emulator.url());
    let others = [
        with(json!({"userId": "adfs@contoso.example", "_authority": adfs})),
        with(
            json!({"userId": "china@contoso.example", "_authority": "https://login.chinacloudapi.cn/common"}),
        ),
        with(json!({"_clientId": "dddddddd-0000-4000-8000-000000000004"})),
    ];
    let not_taken = |name: &str| (name.to_owned(), "is of another cloud or client".to_owned());
    for (other, name) in others.iter().zip(["adfs@contoso.example", "china@contoso.example", ALICE])
    {
        let text = json!([two[0], two[1], other]).to_string();
        sandbox.write("accessTokens.json", &text);
        let dry = outcomes(&sandbox, &["--dry-run"]);
        assert!(dry.contains(&not_taken(name)), "{dry:?}");
        let said = sandbox.azt(["cache", "migrate", "--remove", "-o", "none"]).exits(0);
        let said = said.says("stays: it has sign-ins with other clients or clouds, of ");
        drop(said.says(&format!("of {name}. Remove it yourself")));
        assert_eq!(sandbox.read("accessTokens.json"), text);
        let done = outcomes(&sandbox, &[]);
        assert!(done.contains(&not_taken(name)), "{done:?}");
        assert!(done.contains(&(BOB.to_owned(), "is here".to_owned())), "{done:?}");
    }
    // Also another cloud's refresh token of a migrated user.
    let china = with(
        json!({"_authority": "https://login.chinacloudapi.cn/common", "refreshToken": "of China"}),
    );
    sandbox.write("accessTokens.json", json!([two[0], two[1], china]).to_string());
    let said = sandbox.azt(["cache", "migrate", "--remove", "-o", "none"]).exits(0);
    drop(said.says(&format!("with other clients or clouds, of {ALICE}.")));
    assert!(sandbox.file("accessTokens.json").exists());
    sandbox.write("accessTokens.json", two.to_string());
    assert_eq!(outcomes(&sandbox, &["--remove"])[0].1, "is here");
    assert!(!sandbox.file("accessTokens.json").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_loses_nothing() {
    let sandbox = left_by_two();
    let before = sandbox.read("accessTokens.json");
    let script = "cp -r $HOME/.azure $TMPDIR/kept; mount -t tmpfs -o size=128k none $HOME; \
                  cp -r $TMPDIR/kept $HOME/.azure; head -c 300000 /dev/zero >$HOME/filler || true; \
                  azt account get-access-token || cat $HOME/.azure/accessTokens.json";
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_azt"), sandbox.root().join("bin/azt")).unwrap();
    let run = sandbox.in_mount_namespace(script);
    assert_eq!(run.stdout, before, "it is as it was: {}", run.stderr);
    assert!(run.stderr.contains("ERROR: Cannot "), "{run:?}");
    drop(sandbox.azt(["account", "get-access-token"]).exits(0).says("Taken over from"));
}

/// The file holds Bob's sign-in too, and is read again for Bob.
#[test]
fn a_signed_out_user_is_not_migrated_with_the_others() {
    let sandbox = left_by_two();
    sandbox.azt(["logout", "--username", "ALICE@contoso.example"]).success();
    drop(sandbox.azt(["cache", "migrate"]).exits(0).says("Taken over from").says(BOB));
    let kept = sandbox.azt(["cache", "list", "--query", "[].account"]).quiet();
    assert!(kept.stdout.contains(BOB) && !kept.stdout.contains(ALICE), "{kept:?}");
    let told = sandbox.azt(["cache", "migrate", "-o", "json"]).exits(0);
    assert!(told.stdout.contains("It was signed out."), "{told:?}");
    // A new sign-in works.
    sandbox.approve_as(ALICE);
    drop(sandbox.azt(["login", "--use-device-code"]).success());
    drop(sandbox.azt(["account", "get-access-token", "--account", ALICE]).quiet());
}
