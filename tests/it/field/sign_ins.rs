//! Sign-ins of az and of any MSAL are imported whatever the form of their rows.

use serde_json::{Map, Value, json};

use crate::support::*;

const CACHE: &str = "msal_token_cache.json";
const APPLICATIONS: &str = "service_principal_entries.json";
const GRAPH: [&str; 4] =
    ["account", "get-access-token", "--resource", "https://graph.microsoft.com"];

/// A machine where az signed in Alice and the application, and azt nobody; and the content of
/// az's cache.
fn signed_in_with_az() -> (Sandbox, Value) {
    let sandbox = Sandbox::new();
    sandbox.share_with_az(true);
    sandbox.login_app().success();
    sandbox.approve_as(ALICE);
    sandbox.azt(["login", "--use-device-code"]).success();
    sandbox.share_with_az(false);
    sandbox.list_app_in("Emulator");
    let cache = serde_json::from_str(&sandbox.read(CACHE)).unwrap();
    (sandbox, cache)
}

fn forget(sandbox: &Sandbox) {
    std::fs::remove_dir_all(sandbox.file("azt")).unwrap();
}

/// The only row of a section.
fn row<'c>(cache: &'c mut Value, section: &str) -> &'c mut Map<String, Value> {
    let rows = cache[section].as_object_mut().unwrap();
    assert_eq!(rows.len(), 1, "{section}");
    rows.values_mut().next().unwrap().as_object_mut().unwrap()
}

/// `cache` with these members of a section's rows replaced; `"absent"` removes one.
fn with(cache: &Value, section: &str, members: &Value) -> Value {
    let mut cache = cache.clone();
    for row in cache[section].as_object_mut().unwrap().values_mut() {
        for (name, value) in members.as_object().unwrap() {
            let row = row.as_object_mut().unwrap();
            match value {
                Value::String(away) if away == "absent" => drop(row.remove(name)),
                value => drop(row.insert(name.clone(), value.clone())),
            }
        }
    }
    cache
}

#[test]
fn rows_in_any_form_are_imported() {
    let (sandbox, cache) = signed_in_with_az();
    for (section, members) in [
        ("RefreshToken", json!({"family_id": ""})),
        ("RefreshToken", json!({"family_id": 1})),
        ("RefreshToken", json!({"family_id": null})),
        ("RefreshToken", json!({"family_id": "absent"})),
        ("RefreshToken", json!({"family_id": "0"})),
        ("RefreshToken", json!({"family_id": " "})),
        ("RefreshToken", json!({"family_id": "1", "client_id": "absent"})),
        ("RefreshToken", json!({"family_id": "1", "client_id": null})),
        ("RefreshToken", json!({"family_id": 1, "client_id": "00000000-another-client"})),
        ("RefreshToken", json!({"family_id": "1", "client_id": 7})),
        ("RefreshToken", json!({"target": null})),
        ("RefreshToken", json!({"target": "absent"})),
        ("RefreshToken", json!({"target": ["a", "b"]})),
        ("RefreshToken", json!({"last_modification_time": null})),
        ("RefreshToken", json!({"last_modification_time": ""})),
        ("RefreshToken", json!({"last_modification_time": 1_790_000_000.5})),
        ("RefreshToken", json!({"last_modification_time": "1790000000.5"})),
        ("RefreshToken", json!({"credential_type": null, "account": null})),
        ("RefreshToken", json!({"environment": "LOCALHOST"})),
        ("Account", json!({"realm": null})),
        ("Account", json!({"realm": "absent"})),
        ("Account", json!({"realm": "organizations"})),
        ("Account", json!({"local_account_id": null})),
        ("Account", json!({"local_account_id": "absent"})),
        ("Account", json!({"local_account_id": 7})),
        ("Account", json!({"authority_type": null})),
        ("Account", json!({"authority_type": "absent"})),
        ("Account", json!({"client_info": {}, "account_source": 7, "signed_in_at": null})),
        ("Account", json!({"username": ALICE.to_uppercase()})),
        ("IdToken", json!({"realm": null, "client_id": null})),
    ] {
        sandbox.write(CACHE, with(&cache, section, &members).to_string());
        for import in [false, true] {
            forget(&sandbox);
            if import {
                let file = sandbox.file(CACHE);
                let run = sandbox.azt(["cache", "import", "--file", file.to_str().unwrap()]);
                assert_eq!(run.code, Some(0), "{members}: {run:?}");
                sandbox.write(CACHE, "{}");
            }
            let run = sandbox.azt([&GRAPH[..], &["--account", ALICE]].concat());
            assert_eq!(run.code, Some(0), "import {import}: {section} {members}: {run:?}");
        }
    }
    // Rows that MSAL ignores are not imported.
    for (section, members) in [
        ("RefreshToken", json!({"family_id": "", "client_id": null})),
        ("RefreshToken", json!({"family_id": null, "client_id": "00000000-another-client"})),
        ("RefreshToken", json!({"secret": null})),
        ("RefreshToken", json!({"home_account_id": null})),
        ("Account", json!({"username": null})),
    ] {
        sandbox.write(CACHE, with(&cache, section, &members).to_string());
        forget(&sandbox);
        drop(sandbox.azt([&GRAPH[..], &["--account", ALICE]].concat()).exits(4));
    }
}

#[test]
fn caches_in_any_encoding_and_with_invalid_rows_are_imported() {
    let (sandbox, cache) = signed_in_with_az();
    let applications = sandbox.read(APPLICATIONS);
    let text = cache.to_string();
    let utf16 = |text: &str| -> Vec<u8> {
        format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
    };
    let mut odd = cache.clone();
    for section in ["Account", "RefreshToken", "IdToken", "AccessToken"] {
        for (name, row) in [("a", json!(null)), ("b", json!([])), ("c", json!("x"))] {
            odd[section][name] = row;
        }
    }
    odd["AppMetadata"] = json!(null);
    odd["Unknown"] = json!(7);
    for (cache, applications) in [
        (format!("\u{feff}{text}").into_bytes(), format!("\u{feff}{applications}").into_bytes()),
        (utf16(&text), utf16(&applications)),
        (
            odd.to_string().into_bytes(),
            format!("[null, 7, {}", &applications.trim()[1..]).into_bytes(),
        ),
    ] {
        sandbox.write(CACHE, &cache);
        sandbox.write(APPLICATIONS, &applications);
        forget(&sandbox);
        sandbox.azt([&GRAPH[..], &["--account", ALICE]].concat()).success();
        sandbox.azt([&GRAPH[..], &["--account", APP]].concat()).success();
    }
}

/// A directory can reuse a user name, and a cache may hold the deleted user too.
#[test]
fn of_two_users_with_one_name_the_one_with_a_refresh_token_is_used() {
    let (sandbox, cache) = signed_in_with_az();
    let other = json!("00000000-0000-4000-8000-0000000000aa.00000000-0000-4000-8000-0000000000bb");
    for (time_of_other, has_token) in [(json!("1"), true), (json!(null), true), (json!(2), false)] {
        let mut two = cache.clone();
        for section in ["Account", "RefreshToken"] {
            let mut double = Value::Object(row(&mut two, section).clone());
            double["home_account_id"] = other.clone();
            double["realm"] = json!("00000000-0000-4000-8000-0000000000bb");
            if section == "RefreshToken" {
                double["secret"] = json!("dead");
                double["last_modification_time"] = time_of_other.clone();
            }
            if section == "Account" || has_token {
                // In both orders.
                let rows = two[section].as_object_mut().unwrap();
                let kept = rows.clone();
                rows.clear();
                rows.insert("0".to_owned(), double.clone());
                rows.extend(kept);
                rows.insert("z".to_owned(), double);
            }
        }
        for import in [false, true] {
            sandbox.write(CACHE, two.to_string());
            forget(&sandbox);
            if import {
                let file = sandbox.file(CACHE);
                sandbox.azt(["cache", "import", "--file", file.to_str().unwrap()]).success();
                sandbox.write(CACHE, "{}");
            }
            let run = sandbox.azt([&GRAPH[..], &["--account", ALICE]].concat()).success();
            assert_eq!(run.text("tenant"), CONTOSO, "import {import}: {time_of_other}");
        }
    }
}

#[test]
fn an_applications_row_with_unexpected_types_is_read() {
    let (sandbox, _) = signed_in_with_az();
    sandbox.emulator.directory_mut(|directory| {
        let app = directory.applications.iter_mut().find(|it| it.client_id == APP).unwrap();
        app.secrets[0].value = "12345678".to_owned();
    });
    for members in [
        json!({"client_secret": 12_345_678}),
        json!({"client_secret": "12345678",
        "use_cert_sn_issuer": "false", "certificate": null, "environment": null}),
    ] {
        let mut entry = json!({"client_id": APP, "tenant": CONTOSO});
        entry.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        sandbox.write(APPLICATIONS, json!([entry]).to_string());
        forget(&sandbox);
        sandbox.azt([&GRAPH[..], &["--account", APP]].concat()).success();
    }
}

/// A login host has several names, and each MSAL stores another; matching them needs no request.
#[test]
fn every_alias_of_the_login_host_matches() {
    for (host, outcome) in [
        ("login.microsoftonline.com", Some("taken over")),
        ("Login.Windows.net", Some("taken over")),
        ("sts.windows.net", Some("taken over")),
        ("login.microsoft.com", Some("taken over")),
        ("login.microsoftonline.us", None),
        ("login.evil.example", None),
    ] {
        let sandbox = Sandbox::without_cloud();
        let home = format!("00000000-0000-4000-8000-0000000000aa.{CONTOSO}");
        let cache = json!({
            "Account": {"a": {"home_account_id": home, "environment": host, "username": ALICE}},
            "RefreshToken": {"r": {"home_account_id": home, "environment": host, "secret": "s",
                "client_id": AZURE_CLI}},
        });
        sandbox.write(CACHE, cache.to_string());
        let told = sandbox.azt(["cache", "migrate"]).exits(0).json();
        let found = told.as_array().unwrap().iter().map(|it| it.to_string()).collect::<String>();
        assert_eq!(found.contains(ALICE), outcome.is_some(), "{host}: {found}");
        assert!(outcome.is_none_or(|outcome| found.contains(outcome)), "{host}: {found}");
    }
}
