//! Changes to files of other programs: az's own files, and the cache of Azure's SDKs.

use std::fs::File;

use serde_json::{Value, json};

use crate::support::*;

const CACHE: &str = "msal_token_cache.json";
const APPLICATIONS: &str = "service_principal_entries.json";
const COLD: [&str; 4] = ["account", "get-access-token", "--resource", "https://vault.azure.net"];

/// A machine with sharing on, where Alice and the application are signed in.
fn sharing() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.share_with_az(true);
    sandbox.approve_as(ALICE);
    sandbox.login_app().success();
    sandbox.azt(["login", "--use-device-code"]).success();
    sandbox
}

/// Replaces `name` by a file that is too large to be read.
fn make_unreadable(sandbox: &Sandbox, name: &str) -> u64 {
    let size = 64 * 1024 * 1024 + 1;
    File::create(sandbox.file(name)).unwrap().set_len(size).unwrap();
    size
}

#[test]
fn an_unreadable_file_of_az_is_not_replaced() {
    let sandbox = sharing();
    let size = |name: &str| std::fs::metadata(sandbox.file(name)).unwrap().len();
    let kept = make_unreadable(&sandbox, CACHE);
    make_unreadable(&sandbox, APPLICATIONS);
    let run = sandbox.azt(["login", "--use-device-code"]).exits(0);
    drop(run.says("WARNING: The real az was not told of this sign-in").says("it is over 64 MiB"));
    let run = sandbox.login_app().exits(0);
    drop(run.says("WARNING: The real az was not told of this sign-in").says(APPLICATIONS));
    drop(sandbox.azt([&COLD[..], &["--account", ALICE]].concat()).quiet());
    let run = sandbox.azt(["logout", "--username", ALICE]).exits(1);
    drop(run.says("Cannot read").says(CACHE));
    let left = sandbox.azt(["cache", "list", "--query", "[?type=='account']"]).quiet();
    assert_eq!(left.json(), json!([]), "here Alice is signed out");
    assert_eq!((size(CACHE), size(APPLICATIONS)), (kept, kept));
    // With the files moved away it works.
    std::fs::remove_file(sandbox.file(CACHE)).unwrap();
    std::fs::remove_file(sandbox.file(APPLICATIONS)).unwrap();
    drop(sandbox.az(["logout", "--username", ALICE]).quiet());
}

/// It may hold the only copy of other programs' refresh tokens.
#[test]
fn a_sign_out_does_not_overwrite_an_unreadable_file() {
    let sandbox = sharing();
    let (cache, applications) = (sandbox.read(CACHE), sandbox.read(APPLICATIONS));
    for text in [format!("{cache}}}\n"), cache[..cache.len() / 2].to_owned(), "[]".to_owned()] {
        sandbox.write(CACHE, &text);
        sandbox.write(APPLICATIONS, &applications);
        let run = sandbox.azt(["logout", "--username", APP]).exits(1);
        drop(run.says(CACHE).says("Repair it or move it away, and try again"));
        assert_eq!(sandbox.read(CACHE), text);
        assert!(!sandbox.read(APPLICATIONS).contains(APP), "the other file is done all the same");
    }
    sandbox.write(CACHE, "");
    sandbox.write(APPLICATIONS, "{}");
    drop(sandbox.azt(["logout", "--username", APP]).exits(1).says(APPLICATIONS));
    assert_eq!((sandbox.read(CACHE), sandbox.read(APPLICATIONS)), (String::new(), "{}".to_owned()));
    sandbox.write(APPLICATIONS, "");
    drop(sandbox.az(["logout", "--username", APP]).quiet());
    // A sign-in writes every account of the vault.
    sandbox.write(CACHE, "{\"Account\": {");
    sandbox.azt(["login", "--use-device-code"]).success();
    let cache: Value = serde_json::from_str(&sandbox.read(CACHE)).unwrap();
    assert_eq!(cache["RefreshToken"].as_object().unwrap().len(), 1);
}

const SHARED: &str = "home/.IdentityService/msal.cache.nocae";

/// The plain-text shared cache, with Alice's refresh token received `seconds` later.
fn received_later(sandbox: &Sandbox, seconds: i64) -> Value {
    let path = sandbox.root().join(SHARED);
    let mut cache: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let tokens = cache["RefreshToken"].as_object_mut().unwrap();
    assert_eq!(tokens.len(), 1);
    let token = tokens.values_mut().next().unwrap();
    let at: i64 = token["last_modification_time"].as_str().unwrap().parse().unwrap();
    token["last_modification_time"] = json!((at + seconds).to_string());
    token["secret"] = json!("of another program");
    std::fs::write(path, cache.to_string()).unwrap();
    cache
}

#[test]
fn a_newer_sign_in_of_another_program_is_not_overwritten() {
    let sandbox = Sandbox::signed_in_as_alice();
    let publish = ["cache", "publish", "--allow-unencrypted", "--verbose"];
    let secrets = || {
        let text = std::fs::read_to_string(sandbox.root().join(SHARED)).unwrap();
        let cache: Value = serde_json::from_str(&text).unwrap();
        let rows = cache["RefreshToken"].as_object().unwrap();
        rows.values().map(|row| row["secret"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    sandbox.azt(publish).exits(0);
    let ours = secrets();
    received_later(&sandbox, 60);
    let run = sandbox.azt(publish).exits(0);
    let run = run.says(&format!("{ALICE} is in ")).says("with a later sign-in of another program");
    assert_eq!(run.stderr.matches("with a later sign-in").count(), 1, "{run:?}");
    assert_eq!(run.json().as_array().unwrap().len(), 2, "both places have her");
    assert_eq!(secrets(), ["of another program"]);
    received_later(&sandbox, -120);
    let run = sandbox.azt(publish).exits(0);
    assert!(!run.stderr.contains("later sign-in"), "{run:?}");
    assert_eq!(secrets(), ours, "an older one is replaced");
}

/// The keyring's item is changed as the file is: under MSAL's lock, and only if it is a cache.
#[cfg(target_os = "linux")]
#[test]
fn a_keyring_item_is_changed_under_msals_lock() {
    use std::process::Command;
    use std::time::{Duration, SystemTime};

    use azt::internals::sys::MsalLock;

    use crate::session_bus::SessionBus;

    const ATTRIBUTES: [&str; 4] =
        ["xdg:schema", "msal.cache.nocae", "MsalClientID", "Microsoft.Developer.IdentityService"];
    let bus = SessionBus::with_keyring();
    let mut sandbox = Sandbox::signed_in_as_alice();
    sandbox.set("DBUS_SESSION_BUS_ADDRESS", &bus.address());
    let secret_tool = |arguments: &[&str], secret: &str| {
        let mut shell = Command::new("sh");
        shell.args(["-c", "s=$1; shift; printf %s \"$s\" | exec secret-tool \"$@\"", "sh", secret]);
        shell.args(arguments).args(ATTRIBUTES).env_clear().envs(sandbox.env());
        Run::of(&mut shell)
    };
    let lookup = || secret_tool(&["lookup"], "").stdout;
    // A holder of MSAL's lock is waited for.
    let signal = sandbox.root().join(SHARED);
    std::fs::create_dir_all(signal.parent().unwrap()).unwrap();
    let folder = azt::internals::sys::Folder::at(signal.parent().unwrap());
    let name = signal.file_name().unwrap().to_str().unwrap();
    let lock = format!("{name}.lockfile");
    let held = MsalLock::acquire(&folder, &lock, Duration::ZERO).unwrap();
    let run = sandbox.azt(["cache", "publish"]).exits(1);
    drop(run.says("Cannot lock").says("another process holds it"));
    assert_eq!(lookup(), "");
    drop(held);
    // An unreadable item is not replaced, whatever the options.
    drop(secret_tool(&["store", "--label=MSALCache"], "no cache").success());
    for arguments in [&["cache", "publish"][..], &["cache", "publish", "--allow-unencrypted"]] {
        let run = sandbox.azt(arguments).exits(1);
        drop(run.says("the keyring's msal.cache.nocae does not hold a readable cache"));
    }
    assert_eq!(lookup(), "no cache");
    // Of the signal file only the modification time changes.
    drop(secret_tool(&["store", "--label=MSALCache"], "{\"Other\": {\"kept\": 1}}").success());
    let text = "x".repeat(64) + ": not for us";
    std::fs::write(&signal, &text).unwrap();
    let old = SystemTime::now() - Duration::from_hours(1);
    let file = std::fs::File::options().append(true).open(&signal).unwrap();
    file.set_modified(old).unwrap();
    let run = sandbox.azt(["cache", "publish"]).quiet();
    assert_eq!(run.json().as_array().unwrap().len(), 2);
    let cache: Value = serde_json::from_str(&lookup()).unwrap();
    assert_eq!(cache["Other"], json!({"kept": 1}));
    assert_eq!(cache["RefreshToken"].as_object().unwrap().len(), 1);
    assert_eq!(std::fs::read_to_string(&signal).unwrap(), text);
    assert!(file.metadata().unwrap().modified().unwrap() > old, "it is the same file");
    let other = signal.with_extension("cae");
    assert_eq!(std::fs::metadata(other).unwrap().len(), 0, "made where there was none");
    assert!(!folder.has(&lock));
}
