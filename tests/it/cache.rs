//! `azt cache`: list, export, import, publish, clear, rekey.

use std::process::Stdio;
use std::thread;
use std::time::Duration;

use azt::internals::sys::MsalLock;
use entra_emulator::Fault;
use serde_json::{Value, json};

use crate::support::*;

const TOKEN: [&str; 4] = ["account", "get-access-token", "--account", ALICE];
const OF_APP: [&str; 4] = ["account", "get-access-token", "--account", APP];

/// Signs in Alice and the application.
fn signed_in() -> Sandbox {
    let sandbox = Sandbox::signed_in_as_alice();
    // Alice second: a subscription that both see has one entry, the last sign-in's.
    sandbox.login_app().success();
    sandbox.emulator.clear_requests();
    sandbox
}

/// Times and scopes that Entra sent are published unchanged.
#[test]
fn a_token_keeps_the_times_and_scopes_of_the_answer() {
    let sandbox = signed_in();
    let body = json!({
        "token_type": "Bearer", "access_token": "one.two.three", "scope": "b/zeta a/alpha",
        "expires_in": 3600, "ext_expires_in": 7200, "refresh_in": 1800 });
    let answer = answer(body.to_string());
    sandbox.emulator.faults().push(Fault::on("/oauth2/v2.0/token", answer));
    sandbox.azt([&TOKEN[..], &["--resource", "https://vault.azure.net"]].concat()).success();
    let exported = sandbox.azt(["cache", "export"]).exits(0).json();
    let tokens = exported["AccessToken"].as_object().unwrap();
    let token = tokens.values().find(|token| token["secret"] == "one.two.three").unwrap();
    assert_eq!(token["target"], "a/alpha b/zeta", "in MSAL's order");
    let at = |name: &str| token[name].as_str().unwrap().parse::<i64>().unwrap();
    let after = |name: &str| at(name) - at("cached_at");
    assert_eq!(after("expires_on"), 3600);
    assert_eq!(after("extended_expires_on"), 7200);
    assert_eq!(after("refresh_on"), 1800);
    let account = exported["Account"].as_object().unwrap().values().next().unwrap();
    let (home, local) = (&account["home_account_id"], &account["local_account_id"]);
    assert_eq!(home.as_str().unwrap().split('.').next(), local.as_str(), "at home both are one");
}

/// Switches to an empty configuration folder with the same clouds, as on another machine.
fn move_to_another_machine(sandbox: &mut Sandbox) {
    let folder = sandbox.root().join("other machine/.azure");
    let clouds: Vec<(&str, String)> =
        ["config", "clouds.config"].map(|name| (name, sandbox.read(name))).into();
    std::fs::create_dir_all(&folder).unwrap();
    for (name, text) in clouds {
        std::fs::write(folder.join(name), text).unwrap();
    }
    sandbox.set("AZURE_CONFIG_DIR", folder.to_str().unwrap());
    sandbox.set("HOME", sandbox.root().join("other machine").to_str().unwrap());
    sandbox.emulator.clear_requests();
}

#[test]
fn export_and_import_move_sign_ins_to_another_machine() {
    let mut sandbox = signed_in();
    let file = sandbox.root().join("moved.json");
    let path = file.to_str().unwrap();
    let run = sandbox.azt(["cache", "export", "--file", path]).exits(0).prints("");
    drop(run.says("WARNING: The output has secrets in plain text"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let exported: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let piped = sandbox.azt(["cache", "export"]).exits(0).json();
    assert_eq!(piped, exported);
    let only = sandbox.azt(["cache", "export", "--account", APP]).exits(0).json();
    assert_eq!(only["Account"], json!({}));
    assert_eq!(only["ServicePrincipal"].as_object().unwrap().len(), 1);

    move_to_another_machine(&mut sandbox);
    sandbox.azt(TOKEN).exits(4);
    let run = sandbox.azt(["cache", "import", "--file", path, "-o", "json"]).exits(0);
    let accounts: Vec<Value> =
        run.json().as_array().unwrap().iter().map(|it| it["account"].clone()).collect();
    assert_eq!(accounts, [json!(ALICE), json!(APP)]);
    // No sign-in ran: users came with a refresh token, the application with its secret.
    assert!(sandbox.requests().iter().all(|it| !it.contains("device")), "{:?}", sandbox.requests());
    drop(sandbox.azt(TOKEN).quiet());
    drop(sandbox.azt(OF_APP).quiet());
    let shown = sandbox.azt(["account", "show", "--query", "name"]).quiet();
    shown.prints("\"Contoso Production\"\n");

    // A second import changes nothing and sends nothing.
    sandbox.emulator.clear_requests();
    sandbox.azt(["cache", "import", "--file", path]).exits(0);
    assert_eq!(sandbox.requests(), Vec::<String>::new());
}

#[test]
fn importing_a_file_that_is_no_cache_fails() {
    let sandbox = Sandbox::signed_in_as_app();
    for (text, says) in [
        ("", "is not JSON."),
        ("{\"Account\": {", "is not JSON."),
        ("{\"value\": []}", "is neither an MSAL token cache"),
        ("secret-in-no-json", "is not JSON."),
    ] {
        let file = sandbox.root().join("x.json");
        std::fs::write(&file, text).unwrap();
        let run =
            sandbox.azt(["cache", "import", "-f", file.to_str().unwrap()]).exits(1).says(says);
        assert!(!run.stderr.contains("secret-in-no-json"), "{run:?}");
    }
    drop(
        sandbox
            .azt(["cache", "import", "--file", "/nowhere"])
            .exits(1)
            .says("There is no /nowhere"),
    );
    drop(sandbox.azt(OF_APP).quiet());
}

#[test]
fn an_import_succeeds_when_subscriptions_cannot_be_listed() {
    let mut sandbox = signed_in();
    let file = sandbox.root().join("moved.json");
    let path = file.to_str().unwrap().to_owned();
    sandbox.azt(["cache", "export", "--file", &path]).exits(0);
    move_to_another_machine(&mut sandbox);
    sandbox
        .emulator
        .faults()
        .push(entra_emulator::Fault::on("/subscriptions", entra_emulator::Action::Drop));
    let run = sandbox.azt(["cache", "import", "--file", &path]).exits(0);
    let run = run.says("could not be looked up").says("or import again");
    assert_eq!(run.stderr.matches("could not be looked up").count(), 1, "{run:?}");
    let asked = sandbox.requests();
    assert!(asked.iter().any(|it| it == "POST token refresh_token"), "{asked:?}");
    let of_app = asked.iter().any(|it| it == "POST token client_credentials");
    assert!(!of_app, "nobody waits again for a network that is down: {asked:?}");
    sandbox.emulator.faults().clear();
    // A tenant has one entry in az's profile; the first of the two accounts gets it.
    drop(sandbox.azt(TOKEN).quiet());
    sandbox.azt(["account", "list", "--refresh"]).success();
    let names = sandbox.azt(["account", "list", "--query", "[].name", "-o", "tsv"]).success();
    assert!(names.stdout.contains("Contoso Production"), "{names:?}");
}

#[test]
fn cache_list_shows_no_secrets() {
    let sandbox = signed_in();
    let listed = sandbox.azt(["cache", "list"]).quiet();
    let status = sandbox.azt(["cache", "status"]).quiet();
    let exported = sandbox.azt(["cache", "export"]).exits(0).json();
    let mut secrets = vec![APP_SECRET.to_owned()];
    for section in ["AccessToken", "RefreshToken", "IdToken"] {
        for row in exported[section].as_object().unwrap().values() {
            secrets.push(row["secret"].as_str().unwrap().to_owned());
        }
    }
    assert!(secrets.len() > 5);
    for secret in &secrets {
        assert!(!listed.stdout.contains(secret) && !status.stdout.contains(secret));
    }
    let kinds: Vec<Value> =
        listed.json().as_array().unwrap().iter().map(|it| it["type"].clone()).collect();
    for kind in ["account", "application", "refreshToken", "accessToken"] {
        assert!(kinds.contains(&json!(kind)), "{kind}");
    }
    let status = status.json();
    assert_eq!(status["key"]["source"], "file");
    assert_eq!(status["key"]["opens"], true);
    assert_eq!(status["records"]["applications"], 1);
    assert_eq!(status["records"]["accounts"], 1);
    assert_eq!(status["plainText"], json!([]));
    // It also works when the vault cannot be opened.
    sandbox.write("azt/vault.key", format!("{}\n", "00".repeat(32)));
    let status = sandbox.azt(["cache", "status"]).exits(0).json();
    assert_eq!(status["key"]["opens"], false);
    assert!(status["key"]["error"].as_str().unwrap().contains("is not the one"), "{status}");
    drop(sandbox.azt(["cache", "list"]).exits(9));
}

#[test]
fn plain_text_caches_of_other_programs_are_listed() {
    let sandbox = Sandbox::new();
    sandbox.share_with_az(true);
    sandbox.approve_as(ALICE);
    sandbox.azt(["login", "--use-device-code"]).success();
    sandbox.write("accessTokens.json", "[]");
    sandbox.azt(["cache", "publish", "--allow-unencrypted"]).exits(0);
    let found = sandbox.azt(["cache", "status", "--query", "plainText[].path"]).quiet().json();
    let names: Vec<&str> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|path| path.as_str().unwrap().rsplit('/').next().unwrap())
        .collect();
    assert_eq!(
        names,
        ["msal_token_cache.json", "accessTokens.json", "msal.cache.nocae", "msal.cache.cae"]
    );
}

#[test]
fn clear_removes_tokens_and_clear_all_sign_ins_too() {
    let sandbox = signed_in();
    drop(sandbox.azt(["cache", "clear"]).quiet());
    let count = |query: &str| sandbox.azt(["cache", "status", "--query", query]).quiet().stdout;
    assert_eq!(count("records.accessTokens"), "0\n");
    drop(sandbox.azt(TOKEN).quiet());
    assert_eq!(sandbox.requests(), ["POST token refresh_token"]);
    drop(sandbox.azt(["cache", "clear", "--all"]).quiet());
    assert_eq!(count("key"), "");
    sandbox.azt(TOKEN).exits(4);
    assert!(sandbox.read("azureProfile.json").contains("Contoso Production"));
}

#[test]
fn rekey_seals_every_record_with_a_new_key() {
    let sandbox = signed_in();
    let (before, key) = (sandbox.read("azt/vault.json"), sandbox.read("azt/vault.key"));
    let names = |sandbox: &Sandbox| {
        let folder = std::fs::read_dir(sandbox.file("azt/records")).unwrap();
        let mut all: Vec<String> =
            folder.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        all.sort();
        all
    };
    let old = names(&sandbox);
    let id = sandbox.azt(["cache", "rekey"]).quiet().text("keyId");
    let new = names(&sandbox);
    assert_eq!(old.len(), new.len());
    assert!(new.iter().all(|name| !old.contains(name)), "nothing sealed with the old key is left");
    assert_ne!(sandbox.read("azt/vault.key"), key);
    assert!(sandbox.read("azt/vault.json").contains(&id) && !before.contains(&id));
    assert!(!sandbox.file("azt/vault.key.next").exists());
    drop(sandbox.azt(TOKEN).quiet());
    drop(sandbox.azt(OF_APP).quiet());
    assert_eq!(sandbox.requests(), Vec::<String>::new());
    // Without the manifest the key is identified first.
    std::fs::remove_file(sandbox.file("azt/vault.json")).unwrap();
    drop(sandbox.azt(["cache", "rekey"]).quiet());
    drop(sandbox.azt(TOKEN).quiet());
    // The old key opens nothing now.
    sandbox.write("azt/vault.key", key);
    drop(sandbox.azt(TOKEN).exits(9).says("is not the one that the vault was sealed with"));
}

#[test]
fn rekey_refuses_a_key_from_the_environment() {
    let mut sandbox = Sandbox::new();
    sandbox.azt(["cache", "rekey"]).exits(9).says("Nothing is stored");
    sandbox.set("AZURE_CORE_KEY_SOURCE", "env");
    sandbox.set("AZT_VAULT_KEY", &"ab".repeat(32));
    sandbox.login_app().success();
    drop(sandbox.azt(["cache", "rekey"]).exits(9).says("azt vault move --to file"));
    drop(sandbox.azt(OF_APP).quiet());
    // A non-UTF-8 variable is set, and is no valid key.
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let mut command = sandbox.command(OF_APP);
        command.env("AZT_VAULT_KEY", std::ffi::OsStr::from_bytes(&[0xff; 32]));
        drop(Run::of(&mut command).exits(9).says("is neither 64 hex digits nor base64"));
    }
}

/// Killed at any moment, the vault keeps every record, and the next call removes leftovers.
#[cfg(unix)]
#[test]
fn a_killed_rekey_loses_nothing() {
    let sandbox = signed_in();
    let mut deaths = 0;
    for round in 0..60u64 {
        let mut child = sandbox
            .command(["cache", "rekey"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_micros(3_000 + round * 700));
        deaths += u32::from(child.try_wait().unwrap().is_none());
        let _ = child.kill();
        child.wait().unwrap();
        drop(sandbox.azt(TOKEN).quiet());
        let accounts = sandbox.azt(["cache", "list", "--query", "length([?type=='account'])"]);
        accounts.quiet().prints("1\n");
    }
    assert!(deaths > 5, "{deaths} of 60 were killed at work");
    drop(sandbox.azt(["cache", "rekey"]).quiet());
    drop(sandbox.azt(OF_APP).quiet());
    assert_eq!(sandbox.requests(), Vec::<String>::new(), "nothing had to be asked for again");
    let names = std::fs::read_dir(sandbox.file("azt")).unwrap();
    let names: Vec<String> =
        names.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!names.iter().any(|name| name.contains("next")), "{names:?}");
    let status = sandbox.azt(["cache", "status"]).quiet().json();
    let of_status: u64 =
        status["records"].as_object().unwrap().values().map(|it| it.as_u64().unwrap()).sum();
    let files = std::fs::read_dir(sandbox.file("azt/records")).unwrap();
    let sealed =
        files.filter(|it| !it.as_ref().unwrap().file_name().to_string_lossy().starts_with('.'));
    assert_eq!(sealed.count() as u64, of_status, "no file of a former key is left");
}

#[test]
fn callers_are_served_during_a_rekey() {
    let sandbox = signed_in();
    let callers: Vec<_> = (0..60)
        .map(|number| {
            let mut command = if number % 20 == 10 {
                sandbox.command(["cache", "rekey"])
            } else {
                sandbox.command(TOKEN)
            };
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for caller in callers {
        drop(Run::from(caller.wait_with_output().unwrap()).success());
    }
    drop(sandbox.azt(TOKEN).quiet());
}

#[test]
fn the_shared_cache_is_plain_text_only_when_allowed() {
    let mut sandbox = signed_in();
    let run = sandbox.azt(["cache", "publish"]).exits(9);
    drop(run.says("The keyring cannot keep the shared cache").says("--allow-unencrypted"));
    let folder = sandbox.root().join("home/.IdentityService");
    assert!(!folder.exists());
    let run = sandbox.azt(["cache", "publish", "--allow-unencrypted"]).quiet();
    assert_eq!(run.json().as_array().unwrap().len(), 2);
    for name in ["msal.cache.nocae", "msal.cache.cae"] {
        let cache = std::fs::read_to_string(folder.join(name)).unwrap();
        assert!(!cache.contains(APP_SECRET), "applications are not people");
        let cache: Value = serde_json::from_str(&cache).unwrap();
        assert!(cache.get("AccessToken").is_none(), "everybody gets their own");
        assert_eq!(cache["RefreshToken"].as_object().unwrap().len(), 1);
    }
    drop(sandbox.azt(["cache", "publish", "--account", "nobody@x.example"]).exits(4));
    drop(sandbox.azt(["cache", "publish", "--name", "../x"]).exits(2));

    let shared = folder.clone();
    move_to_another_machine(&mut sandbox);
    drop(sandbox.azt(["cache", "import"]).exits(1).says("There is no shared cache 'msal.cache'"));
    let here = sandbox.root().join("other machine/.IdentityService");
    std::fs::rename(shared, here).unwrap();
    let run = sandbox.azt(["cache", "import", "-o", "json"]).exits(0);
    assert_eq!(run.json().as_array().unwrap().len(), 1, "Alice, once");
    drop(sandbox.azt(TOKEN).quiet());
}

/// A hung az must not lose a sign-in nor delay callers.
#[test]
fn a_held_lock_of_az_delays_no_caller() {
    let sandbox = Sandbox::new();
    sandbox.share_with_az(true);
    sandbox.approve_as(ALICE);
    std::fs::create_dir_all(sandbox.config_dir()).unwrap();
    let lock = sandbox.file("msal_token_cache.json.lockfile");
    let folder = azt::internals::sys::Folder::at(sandbox.config_dir());
    let name = "msal_token_cache.json.lockfile";
    let held = MsalLock::acquire(&folder, name, Duration::ZERO).unwrap();
    let run = sandbox.azt(["login", "--use-device-code"]).exits(0);
    drop(run.says("WARNING: The real az was not told of this sign-in"));
    let cold = ["account", "get-access-token", "--resource", "https://vault.azure.net"];
    drop(sandbox.azt(cold).quiet());
    assert!(!sandbox.file("msal_token_cache.json").exists());
    drop(held);
    // A killed az leaves a stale lock file.
    std::fs::write(&lock, "4711 az").unwrap();
    sandbox.azt(["cache", "clear"]).quiet();
    drop(sandbox.azt(cold).quiet());
    assert!(sandbox.read("msal_token_cache.json").contains(ALICE) && !lock.exists());
}

/// Sign-ins as the real az stored them.
fn left_by_az() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.share_with_az(true);
    sandbox.approve_as(ALICE);
    sandbox.azt(["login", "--use-device-code"]).success();
    sandbox.login_app().success();
    sandbox.share_with_az(false);
    std::fs::remove_dir_all(sandbox.file("azt")).unwrap();
    sandbox.emulator.clear_requests();
    sandbox
}

#[test]
fn import_takes_all_sign_ins_of_az() {
    let sandbox = left_by_az();
    let outcomes = |run: Run| {
        let rows = run.json();
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| {
            (
                row["account"].as_str().unwrap().to_owned(),
                row["outcome"].as_str().unwrap().to_owned(),
            )
        })
        .collect::<Vec<_>>()
    };
    let of = |outcome: &str| {
        vec![(ALICE.to_owned(), outcome.to_owned()), (APP.to_owned(), outcome.to_owned())]
    };
    let dry = sandbox.azt(["cache", "migrate", "--dry-run", "-o", "json"]).quiet();
    assert_eq!(outcomes(dry), of("would be taken over"));
    assert!(!sandbox.file("azt").exists(), "a dry run changes nothing");
    assert_eq!(
        outcomes(sandbox.azt(["cache", "migrate", "-o", "json"]).exits(0)),
        of("taken over")
    );
    assert_eq!(outcomes(sandbox.azt(["cache", "migrate", "-o", "json"]).quiet()), of("is here"));
    assert_eq!(sandbox.requests(), Vec::<String>::new());
    drop(sandbox.azt(TOKEN).quiet());
}

#[test]
fn list_refresh_imports_azs_sign_ins() {
    let sandbox = left_by_az();
    sandbox.azt(["account", "list", "--refresh"]).success();
    let listed = sandbox.azt(["cache", "list", "--query", "[].type"]).quiet();
    assert!(
        listed.stdout.contains("account") && listed.stdout.contains("application"),
        "{listed:?}"
    );
}

#[test]
fn under_the_name_az_the_cache_group_is_passed_to_az() {
    let mut sandbox = Sandbox::new();
    let other = sandbox.root().join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("az"), "#!/bin/sh\necho other \"$@\"\n").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(other.join("az"), mode).unwrap();
    }
    sandbox.set("PATH", &format!("{}:/usr/bin:/bin", other.display()));
    sandbox.az(["cache", "list"]).quiet().prints("other cache list\n");
}
