//! Azure Identity 1.27, msal and msal-extensions read the cache that `azt cache publish` writes; and
//! forty processes of az write az's cache beside azt.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::own_network::{again_in_own_network, emulator_at_443};
use crate::support::*;
use crate::venv;

const SCOPE: &str = "https://graph.microsoft.com/.default";

fn script(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name)
}

/// Alice on a machine whose cloud is at port 443: Python's libraries drop any other port.
fn alice_at_443() -> Sandbox {
    let sandbox = Sandbox::at(emulator_at_443());
    sandbox.approve_as(ALICE);
    sandbox.azt(["login", "--use-device-code"]).success();
    sandbox.emulator.clear_requests();
    sandbox
}

fn upn(token: &Value) -> String {
    use base64::Engine;
    let payload = token["token"].as_str().unwrap().split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    let claims: Value = serde_json::from_slice(&bytes).unwrap();
    claims["unique_name"].as_str().unwrap().to_owned()
}

/// One sandbox for both stores: there is one port 443.
#[test]
fn azure_identity_and_msal_use_the_published_cache() {
    if again_in_own_network("shared_cache::azure_identity_and_msal_use_the_published_cache") {
        return;
    }
    let sandbox = alice_at_443();
    in_plain_text(&sandbox);
    std::fs::remove_dir_all(sandbox.root().join("home/.IdentityService")).unwrap();
    in_the_keyring(&sandbox);
}

fn in_plain_text(sandbox: &Sandbox) {
    drop(sandbox.azt(["cache", "publish", "--allow-unencrypted"]).quiet());
    // SharedTokenCacheCredential last: it requests no profile scope and then writes an account
    // without a name, which the others cannot find.
    for kind in ["options", "msal", "shared"] {
        sandbox.emulator.clear_requests();
        let mut command = Command::new(venv::program("python"));
        command
            .arg(script("shared_cache.py"))
            .args([kind, "localhost", SCOPE, ALICE])
            .env_clear()
            .envs(sandbox.env());
        let token = Run::of(&mut command).success().json();
        assert_eq!((upn(&token), &token["encrypted"]), (ALICE.to_owned(), &Value::Bool(false)));
        let asked = sandbox.requests();
        // The first refreshes, the others may find its token.
        assert!(asked.iter().all(|it| !it.contains("device")), "{kind}: {asked:?}");
    }
    // Publishing again keeps their tokens.
    let cache = || {
        let path = sandbox.root().join("home/.IdentityService/msal.cache.nocae");
        serde_json::from_str::<Value>(&std::fs::read_to_string(path).unwrap()).unwrap()
    };
    let theirs = cache()["AccessToken"].clone();
    assert!(!theirs.as_object().unwrap().is_empty());
    drop(sandbox.azt(["cache", "publish", "--allow-unencrypted"]).quiet());
    assert_eq!(cache()["AccessToken"], theirs);
}

/// With a Secret Service: its own bus and gnome-keyring.
fn in_the_keyring(sandbox: &Sandbox) {
    let site = venv::program("python").parent().unwrap().join("../lib");
    let site =
        std::fs::read_dir(site).unwrap().next().unwrap().unwrap().path().join("site-packages");
    let run = sandbox.root().join("run");
    std::fs::create_dir_all(sandbox.root().join("home/.local/share/keyrings")).unwrap();
    std::fs::create_dir(&run).unwrap();
    let text = r#"
        set -e
        printf x | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
        "$AZT" cache publish >&2
        for kind in options msal shared; do
            /usr/bin/python3 "$SCRIPT" $kind localhost "$SCOPE" "$WHO"
        done
        rm -r "$HOME/.azure/azt" "$HOME/.azure/azureProfile.json"
        "$AZT" cache import --only-show-errors -o none
        "$AZT" account get-access-token --query expires_on
    "#;
    let mut command = Command::new("dbus-run-session");
    command
        .args(["--", "sh", "-c", text])
        .env_clear()
        .envs(sandbox.env())
        .env("XDG_RUNTIME_DIR", run)
        .env("AZT", env!("CARGO_BIN_EXE_azt"))
        .env("SCRIPT", script("shared_cache.py"))
        .env("SCOPE", SCOPE)
        .env("WHO", ALICE)
        .env("PYTHONPATH", site)
        .stderr(Stdio::piped());
    let run = Run::of(&mut command).success();
    let mut lines = run.stdout.lines();
    for kind in ["options", "msal", "shared"] {
        let token: Value = serde_json::from_str(lines.next().unwrap_or_default())
            .unwrap_or_else(|error| panic!("{kind}: {error}: {run:#?}"));
        assert_eq!(upn(&token), ALICE, "{kind}");
        assert_eq!(token["encrypted"], true, "{kind}: needs python3-gi and gir1.2-secret-1");
    }
    assert!(lines.next().is_some_and(|line| line.parse::<i64>().is_ok()), "{run:#?}");
    let plain = sandbox.root().join("home/.IdentityService/msal.cache.nocae");
    assert_eq!(std::fs::metadata(plain).unwrap().len(), 0, "only its time says something");
}

/// Forty processes with az's library, twenty rounds, and sign-ins of azt at the same time.
#[test]
fn forty_writers_of_az_lose_no_sign_in_of_azt() {
    let sandbox = Sandbox::new();
    sandbox.share_with_az(true);
    sandbox.approve_as(ALICE);
    sandbox.azt(["login", "--use-device-code"]).success();
    let mut writers = Command::new(venv::program("python"))
        .arg(script("az_writers.py"))
        .arg(sandbox.file("msal_token_cache.json"))
        .arg("20")
        .env_clear()
        .envs(sandbox.env())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut rounds = 0;
    while writers.try_wait().unwrap().is_none() {
        let username = ["bob@fabrikam.example", ALICE][rounds % 2];
        sandbox.approve_as(username);
        // The wait for the lock may time out; the sign-in itself succeeds.
        let run = sandbox.azt(["login", "--use-device-code", "-o", "none"]);
        assert!(run.code == Some(0) || run.stderr.contains("Cannot lock"), "{run:#?}");
        rounds += 1;
    }
    let run = Run::from(writers.wait_with_output().unwrap()).success();
    let made: usize = run.stdout.split_whitespace().next().unwrap().parse().unwrap();
    assert!(made > 400, "the writers wrote: {run:?}");
    assert!(rounds >= 2, "and so did we");
    // Whatever is left of the file, a sign-in restores all accounts from the vault.
    sandbox.approve_as(ALICE);
    sandbox.azt(["login", "--use-device-code"]).success();
    let cache: Value = serde_json::from_str(&sandbox.read("msal_token_cache.json")).unwrap();
    let names: Vec<&str> = cache["Account"]
        .as_object()
        .unwrap()
        .values()
        .map(|row| row["username"].as_str().unwrap())
        .collect();
    for name in [ALICE, "bob@fabrikam.example"] {
        assert!(names.contains(&name), "{name} is missing in {names:?}");
    }
    assert!(!sandbox.file("msal_token_cache.json.lockfile").exists());
}
