//! `azt doctor --fix`, and how `azt doctor` looks on a terminal.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::screen::Screen;
use crate::session_bus::SessionBus;
use crate::support::*;

const TOKEN: [&str; 2] = ["account", "get-access-token"];
const FIX: [&str; 4] = ["doctor", "--fix", "--yes", "--offline"];

/// `doctor --fix` that leaves something wrong. It prints the page all the same.
#[track_caller]
fn fixes_in_part(sandbox: &Sandbox) -> Run {
    let run = sandbox.azt(FIX);
    assert_eq!(run.code, Some(1), "{run:?}");
    run
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().mode() & 0o7777
}

/// All folders and files in azt's folder.
fn places(sandbox: &Sandbox) -> Vec<PathBuf> {
    let azt = sandbox.file("azt");
    let inside = |folder: &Path| -> Vec<PathBuf> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    let mut all = vec![azt.clone()];
    for path in inside(&azt) {
        if path.is_dir() {
            all.extend(inside(&path));
        }
        all.push(path);
    }
    all
}

/// The checks called `what`, as JSON.
fn checks(sandbox: &Sandbox, what: &str) -> Vec<Value> {
    let run = sandbox.azt(["doctor", "--offline", "-o", "json"]);
    let all: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    all.as_array().unwrap().iter().filter(|it| it["check"] == what).cloned().collect()
}

#[test]
fn nothing_is_changed_without_consent() {
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.azt(["doctor", "--yes"]).exits(2);
    set_mode(&sandbox.file("azt/vault.key"), 0o644);
    let good = sandbox.read("config");
    sandbox.write("config", format!("{good}\n[core]\npersist = perhaps\n"));
    let before = sandbox.all_files();
    let run = sandbox.azt(["doctor", "--fix"]).exits(1).says("This will:");
    let run = run.says("  set mode 0600 of ").says("/azt/vault.key\n");
    let run = run.says("  remove core.persist from the settings\n");
    drop(run.says("Nothing was changed, because there is no terminal").says("--yes"));
    let mut screen = Screen::run(&sandbox, &["doctor", "--fix", "--offline"], (100, 12));
    screen.until(|it| it.shows("Continue?"));
    screen.send("n\r");
    let (rest, code) = screen.end();
    assert!(code == Some(130) && rest.contains("Nothing was changed."), "{rest}");
    assert_eq!(sandbox.all_files(), before);
    assert_eq!(mode(&sandbox.file("azt/vault.key")), 0o644);

    let mut screen = Screen::run(&sandbox, &["doctor", "--fix", "--offline"], (100, 40));
    screen.until(|it| it.shows("Continue?"));
    screen.send("y\r");
    screen.until(|it| it.shows("✓ set mode 0600 of ") && it.shows("✓ remove core.persist"));
    let (rest, code) = screen.end();
    assert_eq!(code, Some(0), "{rest}");
    assert_eq!(mode(&sandbox.file("azt/vault.key")), 0o600);
    drop(sandbox.azt(TOKEN).quiet());
}

#[test]
fn modes_are_repaired() {
    let sandbox = Sandbox::signed_in_as_alice();
    for path in places(&sandbox) {
        set_mode(&path, if path.is_dir() { 0o755 } else { 0o644 });
    }
    let found = checks(&sandbox, "folder");
    assert_eq!(found[1]["state"], "warning", "{found:?}");
    assert!(found[1]["fix"].as_str().unwrap().contains("set mode 0700 of "), "{found:?}");
    // Another user can replace what is in the folder, so azt reads nothing there before.
    set_mode(&sandbox.config_dir(), 0o777);
    set_mode(&sandbox.file("config"), 0o666);
    drop(sandbox.azt(FIX).success().says("change it: azt cache rekey"));
    // Whether the vault has service principals was unknown; the mode of a copied vault is a sign.
    let run = sandbox.azt(FIX).success();
    assert!(run.stdout.lines().all(|line| line.starts_with("ok ")), "{run:?}");
    for path in places(&sandbox) {
        let expected = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(&path), expected, "{}", path.display());
    }
    // az's own folder and files lose only what makes them unsafe.
    assert_eq!(mode(&sandbox.config_dir()), 0o755);
    assert_eq!(mode(&sandbox.file("config")), 0o644);
    drop(sandbox.azt(TOKEN).quiet());
    drop(sandbox.azt(["doctor", "--fix", "--offline"]).quiet());
}

#[test]
fn links_and_files_of_others_keep_their_mode() {
    let sandbox = Sandbox::signed_in_as_alice();
    let elsewhere = sandbox.root().join("elsewhere");
    fs::write(&elsewhere, "kept").unwrap();
    set_mode(&elsewhere, 0o644);
    std::os::unix::fs::symlink(&elsewhere, sandbox.file("azt/link")).unwrap();
    fs::hard_link(&elsewhere, sandbox.file("azt/second-name")).unwrap();
    let anothers = sandbox.file("azt/anothers");
    fs::write(&anothers, "").unwrap();
    set_mode(&anothers, 0o644);
    let is_root = std::os::unix::fs::chown(&anothers, Some(54321), None).is_ok();
    set_mode(&sandbox.file("azt"), 0o755);
    drop(sandbox.azt(FIX).success());
    assert_eq!(mode(&sandbox.file("azt")), 0o700);
    assert_eq!(mode(&elsewhere), 0o644);
    assert_eq!(mode(&anothers), if is_root { 0o644 } else { 0o600 });
}

#[test]
fn values_that_no_setting_can_have_are_removed() {
    let mut sandbox = Sandbox::signed_in_as_alice();
    let good = sandbox.read("config");
    let bad = "[core]\npersist = perhaps\nlogin_timeout = abc\noutpt = json\nmine = 1\ntheme = x\n";
    sandbox.write("config", format!("{good}\n{bad}"));
    sandbox.set("AZURE_CORE_ERROR_FORMAT", "xml");
    let run = fixes_in_part(&sandbox).says("remove core.persist").says("remove core.login_timeout");
    assert!(run.stdout.contains("AZURE_CORE_ERROR_FORMAT is 'xml'"), "{run:?}");
    sandbox.unset("AZURE_CORE_ERROR_FORMAT");
    let config = sandbox.read("config");
    // A name that only azt does not know may be another program's.
    for kept in ["outpt = json", "mine = 1", "theme = x"] {
        assert!(config.contains(kept), "{config}");
    }
    assert!(!config.contains("persist") && !config.contains("login_timeout"), "{config}");
    drop(sandbox.azt(TOKEN).quiet());
}

fn shared_with_az() -> Sandbox {
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.share_with_az(true);
    sandbox.azt(["login", "--use-device-code"]).success();
    sandbox.login_app().success();
    assert!(sandbox.file("msal_token_cache.json").exists());
    assert!(sandbox.file("service_principal_entries.json").exists());
    sandbox
}

#[test]
fn az_plain_text_goes_and_nobody_is_signed_out() {
    let sandbox = shared_with_az();
    let accounts = sandbox.azt(["account", "list", "--all"]).json();
    // While az shares them, it needs its files.
    assert!(checks(&sandbox, "plain text").iter().all(|it| it["fix"].is_null()));
    sandbox.share_with_az(false);
    // The vault is lost: the files have the only sign-ins.
    fs::remove_dir_all(sandbox.file("azt")).unwrap();
    let found = checks(&sandbox, "plain text");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|it| it["fix"].is_string()), "{found:?}");
    let run = sandbox.azt(FIX).success().says("ok move az's sign-ins into the vault");
    assert!(!run.stdout.contains("plain text"), "{run:?}");
    assert!(!sandbox.file("msal_token_cache.json").exists());
    assert!(!sandbox.file("service_principal_entries.json").exists());
    assert_eq!(sandbox.azt(["account", "list", "--all"]).json(), accounts);
    drop(sandbox.azt([&TOKEN[..], &["--account", ALICE]].concat()).quiet());
    drop(sandbox.azt([&TOKEN[..], &["--account", APP]].concat()).quiet());
}

#[test]
fn a_file_with_somebodys_only_sign_in_stays_and_the_other_repairs_go_on() {
    let sandbox = shared_with_az();
    sandbox.share_with_az(false);
    let entries = sandbox.read("service_principal_entries.json");
    let mut all: Value = serde_json::from_str(&entries).unwrap();
    let stranger = "cccccccc-0000-4000-8000-000000000009";
    all.as_array_mut().unwrap().push(json!({"client_id": stranger, "tenant": CONTOSO}));
    sandbox.write("service_principal_entries.json", all.to_string());
    // A token of another client cannot be replaced by azt's.
    let cache = sandbox.read("msal_token_cache.json");
    let mut tokens: Value = serde_json::from_str(&cache).unwrap();
    let rows = tokens["RefreshToken"].as_object_mut().unwrap();
    let mut row = rows.values().next().unwrap().clone();
    row["client_id"] = json!(stranger);
    rows.insert("another".to_owned(), row);
    sandbox.write("msal_token_cache.json", tokens.to_string());
    set_mode(&sandbox.file("azt/vault.key"), 0o644);
    let good = sandbox.read("config");
    sandbox.write("config", good.replacen("[core]", "[core]\nlogin_timeout = abc", 1));
    let run = fixes_in_part(&sandbox).says(stranger).says("1 repair failed");
    let run = run.says("WRONG move az's sign-ins").says("ok remove core.login_timeout");
    drop(run.says("ok set mode 0600"));
    assert_eq!(sandbox.read("service_principal_entries.json"), all.to_string());
    assert_eq!(sandbox.read("msal_token_cache.json"), tokens.to_string());
    assert!(!sandbox.read("config").contains("login_timeout"));
    drop(sandbox.azt(TOKEN).quiet());
}

#[test]
fn the_key_moves_to_a_keyring_that_answers_now() {
    let mut sandbox = Sandbox::new();
    sandbox.unset("AZURE_CORE_KEY_SOURCE");
    sandbox.login_app().success();
    assert!(sandbox.file("azt/vault.key").exists());
    drop(sandbox.azt(["doctor", "--fix", "--offline"]).success());
    assert!(sandbox.file("azt/vault.key").exists(), "no keyring answers");
    let bus = SessionBus::with_keyring();
    sandbox.set("DBUS_SESSION_BUS_ADDRESS", &bus.address());
    let found = checks(&sandbox, "keyring");
    assert_eq!(found[0]["command"], "azt vault move --to keyring", "{found:?}");
    // A source that was chosen is kept.
    sandbox.set("AZURE_CORE_KEY_SOURCE", "file");
    drop(sandbox.azt(FIX).success());
    assert!(sandbox.file("azt/vault.key").exists());
    sandbox.unset("AZURE_CORE_KEY_SOURCE");
    drop(sandbox.azt(FIX).success().says("ok move the vault's key from the file to the keyring"));
    assert!(!sandbox.file("azt/vault.key").exists());
    sandbox.emulator.clear_requests();
    drop(sandbox.azt(TOKEN).success());
    drop(sandbox.azt(FIX).success());
    drop(sandbox.azt(["cache", "clear", "--all"]).success());
}

/// Each check of a machine on which nearly all is wrong.
#[test]
fn each_check_fails_alone() {
    let mut sandbox = Sandbox::signed_in_as_alice();
    let dir = sandbox.config_dir();
    sandbox.set("AZURE_CONFIG_DIR", dir.to_str().unwrap());
    sandbox.unset("HOME");
    sandbox.write("config", "garbage\n[x");
    sandbox.write("azt/vault.key", "no key");
    let run = sandbox.azt(["doctor", "--offline"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    for what in ["folder", "vault", "settings", "proxy", "sign-in", "az", "account"] {
        let is_there = |line: &str| line.split_whitespace().nth(1) == Some(what);
        assert!(run.stdout.lines().any(is_there), "{what}: {run:?}");
    }
    assert!(run.stdout.contains("line 1: text before the first [section] header"), "{run:?}");
}

#[test]
fn each_line_has_one_command_at_its_end() {
    let mut sandbox = shared_with_az();
    sandbox.login_app().success();
    sandbox.azt(["cloud", "set", "--name", "AzureCloud"]).success();
    fs::remove_dir_all(sandbox.file("azt")).unwrap();
    fs::remove_file(sandbox.file("msal_token_cache.json")).unwrap();
    set_mode(&sandbox.config_dir(), 0o777);
    let pages = [sandbox.azt(["doctor", "--offline"]).stdout, {
        set_mode(&sandbox.config_dir(), 0o700);
        sandbox.set("AZURE_CORE_OUTPUT", "xml");
        sandbox.azt(["doctor", "--offline"]).stdout
    }];
    let page = pages.concat();
    let commands: Vec<&str> =
        page.lines().filter_map(|line| line.split_once("un: ")).map(|(_, it)| it).collect();
    assert!(commands.len() >= 5, "{page}");
    for command in commands {
        let programs = command.split([' ', ';']).filter(|it| ["azt", "chmod"].contains(it)).count();
        assert!(programs == 1 && !command.contains([';', ',']), "{command}");
    }
}

#[test]
fn a_terminal_shows_marks_and_colours() {
    let mut sandbox = Sandbox::signed_in_as_alice();
    let good = sandbox.read("config");
    sandbox.write("config", format!("{good}\n[core]\nlogin_timeout = abc\nmine = 1\n"));
    let doctor = ["doctor", "--offline"];
    let page = |sandbox: &Sandbox, term| Screen::of(term, sandbox, &doctor, (80, 24)).end();
    let (shown, code) = page(&sandbox, "xterm-256color");
    assert_eq!(code, Some(1), "{shown}");
    for part in [
        "\x1b[1m\x1b[32m✓\x1b[0m folder      ",
        "\x1b[1m\x1b[31m✗\x1b[0m settings    core.login_timeout in ",
        "\x1b[1m\x1b[33m!\x1b[0m settings    core.mine is not a setting",
        "\x1b[1mazt config unset core.login_timeout\x1b[0m",
        "To repair what loses nothing, run: azt doctor --fix",
    ] {
        assert!(shown.contains(part), "{part:?} in {shown:?}");
    }
    for (name, value, term, mark) in [
        ("NO_COLOR", "1", "xterm-256color", "✗ settings"),
        ("CLICOLOR", "0", "xterm-256color", "✗ settings"),
        ("LANG", "C.UTF-8", "dumb", "✗ settings"),
        ("AZURE_CORE_NO_COLOR", "on", "xterm-256color", "✗ settings"),
    ] {
        sandbox.set(name, value);
        let (shown, _) = page(&sandbox, term);
        assert!(shown.contains(mark) && !shown.contains('\x1b'), "{name} {shown:?}");
        sandbox.unset(name);
    }
    sandbox.set("LC_ALL", "C");
    let (shown, _) = page(&sandbox, "xterm-256color");
    assert!(shown.contains("WRONG\x1b[0m settings") && !shown.contains(['✗', '✓']), "{shown:?}");
    sandbox.unset("LC_ALL");
    let piped = sandbox.azt(doctor);
    assert!(piped.stdout.contains("WRONG settings") && piped.stdout.is_ascii(), "{piped:?}");
    assert!(!piped.stderr.contains("--fix"), "{piped:?}");
}
