//! A vault written by azt 0.1 still works. The fixture was made by azt 0.1: Alice and an application,
//! signed in to a registered cloud.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use azt::internals::program::Program;
use azt::internals::secret::Secret;
use azt::internals::sys::{Env, System};
use azt::internals::vault::{KeyChoice, KeySource, Options, ServicePrincipal, Vault};
use serde_json::{Value, json};

use crate::support::*;

/// The time of the fixture, at which its tokens were fresh.
const MADE_AT: i64 = 1_795_887_335;
const LOGIN_HOST: &str = "localhost:41443";
const OF_APP: [&str; 4] = ["account", "get-access-token", "--account", APP];

/// A machine with the fixture.
fn left_by_0_1() -> Sandbox {
    let mut sandbox = Sandbox::without_cloud();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/vault-0.1");
    copy(&from, &sandbox.config_dir());
    sandbox.unset("AZURE_CORE_KEY_SOURCE");
    sandbox
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    set_mode(to, 0o700);
    for entry in std::fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            std::fs::copy(&from, &to).unwrap();
            set_mode(&to, 0o600);
        }
    }
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn set_mode(_path: &Path, _mode: u32) {}

/// Runs the program a minute after that time.
fn then<'a>(sandbox: &Sandbox, args: impl IntoIterator<Item = &'a str>) -> Run {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    sandbox.azt_later(MADE_AT + 60 - i64::try_from(now).unwrap(), args)
}

fn applications(sandbox: &Sandbox) -> BTreeSet<OsString> {
    let files = std::fs::read_dir(sandbox.file("azt/records")).unwrap();
    let names = files.map(|it| it.unwrap().file_name());
    names.filter(|it| it.to_string_lossy().starts_with("sp-")).collect()
}

fn all_records(sandbox: &Sandbox) -> BTreeSet<PathBuf> {
    let files = std::fs::read_dir(sandbox.file("azt/records")).unwrap();
    files.map(|it| it.unwrap().path()).collect()
}

#[test]
fn accounts_and_tokens_of_azt_0_1_work_without_a_request() {
    let sandbox = left_by_0_1();
    let before = all_records(&sandbox);
    let shown = then(&sandbox, ["account", "show", "--query", "name"]).quiet();
    drop(shown.prints("\"Contoso Production\"\n"));
    let listed = then(&sandbox, ["account", "list", "--query", "length(@)"]).success();
    drop(listed.prints("3\n"));
    for name in [ALICE, APP] {
        let run = then(&sandbox, ["account", "get-access-token", "--account", name]).quiet();
        assert!(run.text("accessToken").starts_with("ey"));
        assert_eq!(run.text("tenant").len(), 36);
    }
    assert_eq!(all_records(&sandbox), before, "nothing had to be changed for it");
    assert_eq!(sandbox.requests(), Vec::<String>::new());
}

#[test]
fn a_former_application_record_is_bound_to_its_cloud() {
    let sandbox = left_by_0_1();
    let before = applications(&sandbox);
    let list = ["cache", "list", "--query", "[?type=='application'].environment", "--verbose"];
    let run = then(&sandbox, list).exits(0);
    let said = format!("The stored credential of service principal {APP} is now bound to");
    let run = run.says(&format!("INFO: {said} {LOGIN_HOST}."));
    assert_eq!(run.json(), json!([LOGIN_HOST]));
    let after = applications(&sandbox);
    assert_eq!((before.len(), after.len()), (1, 1));
    assert!(before.is_disjoint(&after), "it is filed anew");
    let run = then(&sandbox, list).exits(0);
    assert!(!run.stderr.contains("is now bound to"), "{run:?}");
    assert_eq!(applications(&sandbox), after);
    drop(then(&sandbox, OF_APP).quiet());
    let count = then(&sandbox, ["cache", "list", "--query", "length(@)"]).quiet();
    assert_eq!(count.stdout.trim(), "7", "with the account, its refresh token and four tokens");
    let exported = then(&sandbox, ["cache", "export", "--account", APP]).exits(0).json();
    let row = exported["ServicePrincipal"].as_object().unwrap().values().next().unwrap().clone();
    assert_eq!(
        (&row["client_secret"], &row["environment"]),
        (&APP_SECRET.into(), &LOGIN_HOST.into())
    );
}

/// Even if the settings name another cloud now.
#[test]
fn a_former_secret_is_sent_to_no_other_cloud() {
    for is_swept in [false, true] {
        let sandbox = left_by_0_1();
        if is_swept {
            // Without its tokens no sealed record names its cloud, and unsealed files are not trusted.
            then(&sandbox, ["cache", "clear"]).quiet();
        }
        let url = sandbox.emulator.url();
        let clouds = sandbox.read("clouds.config");
        let other = clouds.replace("[Emulator]", "[Other]").replace("https://localhost:41443", url);
        sandbox.write("clouds.config", format!("{clouds}\n{other}"));
        let profile = sandbox.read("azureProfile.json");
        then(&sandbox, ["config", "set", "cloud.name=Other"]).quiet();
        sandbox.write("azureProfile.json", profile.replacen("\"Emulator\"", "\"Other\"", 1));
        if is_swept {
            sandbox.write("azureProfile.json", profile.clone());
            then(&sandbox, ["cache", "list"]).quiet();
            sandbox.write("azureProfile.json", profile.replacen("\"Emulator\"", "\"Other\"", 1));
        }
        let run = then(&sandbox, OF_APP).exits(4);
        let run = match is_swept {
            false => run.says(&format!("is for {LOGIN_HOST} and is not sent to ")),
            true => run.says("not known which cloud").says("azt login --service-principal"),
        };
        drop(run.says(url.split_once("://").unwrap().1));
        assert_eq!(sandbox.requests(), Vec::<String>::new());
    }
}

/// An imported token does not prove which cloud the application's secret belongs to.
#[test]
fn an_imported_token_binds_no_former_secret() {
    let mut sandbox = Sandbox::new();
    put_former(&sandbox, APP_SECRET, &json!({}));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let host = sandbox.emulator.url().split_once("://").unwrap().1.to_owned();
    let scope = "https://vault.azure.net/.default";
    let token = |requested: bool| {
        let mut row = json!({"credential_type": "AccessToken", "environment": host, "realm": CONTOSO,
            "client_id": APP, "target": scope, "secret": "ey", "home_account_id": "",
            "token_type": "Bearer", "cached_at": now.to_string(),
            "expires_on": (now + 3600).to_string()});
        if requested {
            row["requested"] = json!(scope);
        }
        row
    };
    let other =
        json!({"client_id": APP, "tenant": NORTHWIND, "client_secret": "x", "environment": host});
    let file = sandbox.root().join("token_cache.json");
    sandbox.set("AZURE_CLOUD_NAME", "Emulator");
    for cache in [
        json!({"AccessToken": {"a": token(false)}}),
        json!({"AccessToken": {"a": token(true)}}),
        json!({"AccessToken": {"a": token(true)}, "ServicePrincipal": {"b": other}}),
    ] {
        std::fs::write(&file, cache.to_string()).unwrap();
        drop(sandbox.azt(["cache", "import", "--file", file.to_str().unwrap()]).exits(0));
        let run = sandbox.azt(OF_APP);
        assert_ne!(run.code, Some(0), "{run:?}");
        let sent = sandbox.emulator.requests();
        let has_secret = sent
            .iter()
            .any(|it| it.form.get("client_secret").is_some_and(|secret| secret == APP_SECRET));
        assert!(!has_secret, "{cache}");
        assert!(hosts(&sandbox).as_array().unwrap().contains(&json!([null])), "{cache}");
    }
}

/// Its cloud is unknown, so it is not sent.
#[test]
fn a_former_secret_of_unknown_cloud_is_not_sent() {
    let sandbox = left_by_0_1();
    then(&sandbox, ["cache", "clear"]).quiet();
    let profile = sandbox.read("azureProfile.json");
    sandbox.write("azureProfile.json", profile.replace("\"Emulator\"", "\"Unregistered\""));
    let before = applications(&sandbox);
    let listed = then(&sandbox, ["cache", "list", "--query", "[?type=='application'].environment"]);
    drop(listed.quiet().prints("[]\n"));
    assert_eq!(applications(&sandbox), before);
    sandbox.write("azureProfile.json", profile.replacen("\"Emulator\"", "\"Unregistered\"", 1));
    // Listed in two clouds, one of them unregistered.
    let run = then(&sandbox, OF_APP);
    assert_ne!(run.code, Some(0), "{run:?}");
    assert_eq!(sandbox.requests(), Vec::<String>::new());
    // A new sign-in fixes it.
    then(&sandbox, ["logout", "--username", APP]).success();
    assert!(applications(&sandbox).is_empty());
}

/// Stores a record as azt 0.1 does, with additional `members`.
fn put_former(sandbox: &Sandbox, secret: &str, members: &Value) {
    let system = System { env: Env::fixed(sandbox.env().clone()), ..System::real(Program::Azt) };
    let key_source = KeyChoice::Source(KeySource::File);
    let options = Options { key_source, ..Options::default() };
    let vault = Vault::open_or_create(&system, sandbox.file("azt").as_path(), options).unwrap();
    let record = ServicePrincipal {
        client_secret: Some(Secret::new(secret)),
        other: members.as_object().unwrap().clone(),
        ..ServicePrincipal::without_credential("", APP, CONTOSO)
    };
    vault.put(&record).unwrap();
}

fn hosts(sandbox: &Sandbox) -> Value {
    let list = ["cache", "list", "--query", "[?type=='application'].[environment]"];
    sandbox.azt(list).quiet().json()
}

/// A former record beside a new sign-in: the new one wins.
#[test]
fn a_former_record_does_not_replace_a_newer_one() {
    let sandbox = Sandbox::signed_in_as_app();
    put_former(&sandbox, "of long ago", &json!({}));
    assert_eq!(applications(&sandbox).len(), 2);
    let host = sandbox.emulator.url().split_once("://").unwrap().1.to_owned();
    assert_eq!(hosts(&sandbox), json!([[host]]));
    assert_eq!(applications(&sandbox).len(), 1);
    let exported = sandbox.azt(["cache", "export"]).exits(0).stdout;
    assert!(exported.contains(APP_SECRET) && !exported.contains("of long ago"));
    // azt 0.1 seals a record again at its own place, and keeps the unknown member `environment`.
    drop(sandbox.azt(["logout", "--username", APP]).success());
    for is_listed in [true, false] {
        put_former(&sandbox, APP_SECRET, &json!({"environment": host}));
        let former = applications(&sandbox);
        if is_listed {
            assert_eq!(hosts(&sandbox), json!([[host]]));
            assert!(former.is_disjoint(&applications(&sandbox)));
        }
        drop(sandbox.azt(["logout", "--username", APP]).success());
        assert!(applications(&sandbox).is_empty(), "wherever it lies");
    }
}

/// Without evidence it belongs to the active cloud, if that is an unmodified built-in one.
#[test]
fn an_unattributed_former_record_belongs_to_a_built_in_active_cloud() {
    let made = [
        ("", "AzureCloud", json!([["login.microsoftonline.com"]])),
        ("", "AzureChinaCloud", json!([["login.chinacloudapi.cn"]])),
        (
            "[AzureCloud]\nendpoint_active_directory = https://evil.example\n",
            "AzureCloud",
            json!([[null]]),
        ),
        (
            "[AzureCloud]\nendpoint_active_directory = https://evil.example\n",
            "AzureUSGovernment",
            json!([["login.microsoftonline.us"]]),
        ),
        ("[Evil]\nendpoint_active_directory = https://evil.example\n", "Evil", json!([[null]])),
    ];
    for (clouds, active, expected) in made {
        let mut sandbox = Sandbox::without_cloud();
        put_former(&sandbox, APP_SECRET, &json!({}));
        sandbox.write("clouds.config", clouds);
        sandbox.set("AZURE_CLOUD_NAME", active);
        assert_eq!(hosts(&sandbox), expected, "{active} with {clouds}");
    }
}
