//! `azt cache`: what is stored, and its ways in and out.

use std::process::Stdio;
use std::thread;
use std::time::Duration;

use azt::sys::MsalLock;
use entra_emulator::Fault;
use serde_json::{Value, json};

use crate::support::*;

const TOKEN: [&str; 4] = ["account", "get-access-token", "--account", ALICE];
const OF_APP: [&str; 4] = ["account", "get-access-token", "--account", APP];

/// Alice and the application, signed in.
fn signed_in() -> Sandbox {
    let sandbox = Sandbox::signed_in_as_alice();
    // Second, because subscriptions that both see have one entry, the last sign-in's.
    sandbox.login_app().success();
    sandbox.emulator.clear_requests();
    sandbox
}

/// What Entra says of a token is what another program finds.
#[test]
fn a_token_is_kept_with_its_times_and_scopes_as_they_came() {
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

/// From now on another, empty configuration folder: another machine with the same clouds.
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
fn a_vault_moves_to_another_machine() {
    let mut sandbox = signed_in();
    let file = sandbox.root().join("moved.json");
    let path = file.to_str().unwrap();
    let run = sandbox.azt(["cache", "export", "--file", path]).exits(0).prints("");
    drop(run.says("WARNING: What is written are secrets in plain text"));
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
    // Nobody signed in: people came by their refresh token, the application by its secret.
    assert!(sandbox.requests().iter().all(|it| !it.contains("device")), "{:?}", sandbox.requests());
    drop(sandbox.azt(TOKEN).quiet());
    drop(sandbox.azt(OF_APP).quiet());
    let shown = sandbox.azt(["account", "show", "--query", "name"]).quiet();
    shown.prints("\"Contoso Production\"\n");

    // A second time changes nothing, and needs nobody.
    sandbox.emulator.clear_requests();
    sandbox.azt(["cache", "import", "--file", path]).exits(0);
    assert_eq!(sandbox.requests(), Vec::<String>::new());
}

#[test]
fn a_file_that_is_no_cache_is_refused() {
    let sandbox = Sandbox::signed_in_as_app();
    for (text, says) in [
        ("", "is not JSON."),
        ("{\"Account\": {", "is not JSON."),
        ("{\"value\": []}", "is no token cache"),
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
fn subscriptions_that_cannot_be_looked_up_keep_nobody_out() {
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
    // The tenant has one place in az's profile: the first of the two who were there.
    drop(sandbox.azt(TOKEN).quiet());
    sandbox.azt(["account", "list", "--refresh"]).success();
    let names = sandbox.azt(["account", "list", "--query", "[].name", "-o", "tsv"]).success();
    assert!(names.stdout.contains("Contoso Production"), "{names:?}");
}

#[test]
fn what_is_stored_is_shown_without_secrets() {
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
    // It is also what one asks when the vault does not open.
    sandbox.write("azt/vault.key", format!("{}\n", "00".repeat(32)));
    let status = sandbox.azt(["cache", "status"]).exits(0).json();
    assert_eq!(status["key"]["opens"], false);
    assert!(status["key"]["error"].as_str().unwrap().contains("is not the one"), "{status}");
    drop(sandbox.azt(["cache", "list"]).exits(9));
}

#[test]
fn plain_text_of_others_is_named() {
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
fn clear_forgets_tokens_and_keeps_sign_ins_unless_all_is_meant() {
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
fn a_new_key_seals_everything_anew() {
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
    // Without the file that says which key it is, that is found out first.
    std::fs::remove_file(sandbox.file("azt/vault.json")).unwrap();
    drop(sandbox.azt(["cache", "rekey"]).quiet());
    drop(sandbox.azt(TOKEN).quiet());
    // The old key opens nothing any more.
    sandbox.write("azt/vault.key", key);
    drop(sandbox.azt(TOKEN).exits(9).says("is not the one that the vault was sealed with"));
}

#[test]
fn a_key_that_is_not_ours_to_change_stays() {
    let mut sandbox = Sandbox::new();
    sandbox.azt(["cache", "rekey"]).exits(9).says("Nothing is stored");
    sandbox.set("AZURE_CORE_KEY_SOURCE", "env");
    sandbox.set("AZT_VAULT_KEY", &"ab".repeat(32));
    sandbox.login_app().success();
    drop(sandbox.azt(["cache", "rekey"]).exits(9).says("azt vault move --to file"));
    drop(sandbox.azt(OF_APP).quiet());
    // Bytes that are no text are no key, and not as if nothing were set.
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let mut command = sandbox.command(OF_APP);
        command.env("AZT_VAULT_KEY", std::ffi::OsStr::from_bytes(&[0xff; 32]));
        drop(Run::of(&mut command).exits(9).says("is neither 64 hex digits nor base64"));
    }
}

/// Killed at any moment, every record is there, and the next call clears away what was left.
#[cfg(unix)]
#[test]
fn a_change_of_keys_that_dies_loses_nothing() {
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

/// Callers that meet a change of keys are served as ever.
#[test]
fn callers_do_not_notice_a_change_of_keys() {
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
fn the_shared_cache_is_not_written_in_plain_text_unasked() {
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

/// A sign-in is not lost because az hangs, and a caller who wants a token does not wait for az.
#[test]
fn who_holds_azs_lock_holds_nobody_up() {
    let sandbox = Sandbox::new();
    sandbox.share_with_az(true);
    sandbox.approve_as(ALICE);
    std::fs::create_dir_all(sandbox.config_dir()).unwrap();
    let lock = sandbox.file("msal_token_cache.json.lockfile");
    let folder = azt::sys::Folder::at(sandbox.config_dir());
    let name = "msal_token_cache.json.lockfile";
    let held = MsalLock::acquire(&folder, name, Duration::ZERO).unwrap();
    let run = sandbox.azt(["login", "--use-device-code"]).exits(0);
    drop(run.says("WARNING: The real az was not told of this sign-in"));
    let cold = ["account", "get-access-token", "--resource", "https://vault.azure.net"];
    drop(sandbox.azt(cold).quiet());
    assert!(!sandbox.file("msal_token_cache.json").exists());
    drop(held);
    // What a killed az left behind is nobody's.
    std::fs::write(&lock, "4711 az").unwrap();
    sandbox.azt(["cache", "clear"]).quiet();
    drop(sandbox.azt(cold).quiet());
    assert!(sandbox.read("msal_token_cache.json").contains(ALICE) && !lock.exists());
}

/// The sign-ins of the real az, as it left them.
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
fn all_sign_ins_of_az_come_over_at_once() {
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
fn a_refresh_of_the_list_takes_over_what_az_has() {
    let sandbox = left_by_az();
    sandbox.azt(["account", "list", "--refresh"]).success();
    let listed = sandbox.azt(["cache", "list", "--query", "[].type"]).quiet();
    assert!(
        listed.stdout.contains("account") && listed.stdout.contains("application"),
        "{listed:?}"
    );
}

#[test]
fn as_az_the_group_is_the_other_azs() {
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
