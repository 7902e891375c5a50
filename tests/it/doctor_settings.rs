//! `azt doctor` finds what commands fail on: settings, variables, file owners.

use serde_json::{Value, json};

use crate::support::*;

const TOKEN: [&str; 2] = ["account", "get-access-token"];

/// What `doctor` reports as wrong, with check and remedy. Asserts that it fails exactly when there is any.
#[track_caller]
fn wrong(run: &Run) -> Vec<Value> {
    let all: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    let is_wrong = |it: &&Value| it["state"] == "failure";
    let found: Vec<Value> = all.as_array().unwrap().iter().filter(is_wrong).cloned().collect();
    assert_eq!(run.code, Some(i32::from(!found.is_empty())), "{run:?}");
    found
}

/// Asserts that `doctor` reports one problem, in the words of the failing command: `failure`.
#[track_caller]
fn tells(sandbox: &Sandbox, what: &str, failure: &Run) {
    assert_ne!(failure.code, Some(0), "{failure:?}");
    let found = wrong(&sandbox.azt(["doctor", "--offline", "-o", "json"]));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["check"], what);
    let mut said = failure.stderr.lines();
    let sentence = said.next().unwrap().strip_prefix("ERROR: ").unwrap();
    assert!(found[0]["text"].as_str().unwrap().ends_with(sentence), "{found:?} {failure:?}");
    let remedy = said.collect::<Vec<_>>().join(" ");
    assert_eq!(found[0]["remedy"].as_str().unwrap_or_default(), remedy, "{failure:?}");
}

#[test]
fn a_bad_setting_has_the_failing_commands_text() {
    let mut sandbox = Sandbox::signed_in_as_alice();
    assert_eq!(wrong(&sandbox.azt(["doctor", "--offline", "-o", "json"])), Vec::<Value>::new());
    let device = ["login", "--use-device-code"];
    let cases: [(&str, &str, &[&str]); 5] = [
        ("RENEW_AHEAD", "x", &TOKEN),
        ("OUTPUT", "bogus", &TOKEN),
        ("SHARE_WITH_AZ", "x", &LOGIN_APP),
        ("LOGIN_TIMEOUT", "-5", &device),
        ("IDENTITY_FROM_ENV", "true", &TOKEN),
    ];
    for (name, value, command) in cases {
        let name = format!("AZURE_CORE_{name}");
        sandbox.set(&name, value);
        tells(&sandbox, "settings", &sandbox.azt(command));
        sandbox.unset(&name);
    }
    let before = sandbox.all_files();
    sandbox.set("AZURE_CORE_KEY_SOURCE", "env");
    for command in [&LOGIN_APP[..], &TOKEN] {
        drop(sandbox.azt(command).exits(9).says("kept in 'file'"));
    }
    let found = wrong(&sandbox.azt(["doctor", "--offline", "-o", "json"]));
    assert_eq!(
        (&found[0]["check"], &found[0]["command"]),
        // Another user may have planted the vault there, so no command takes it over.
        (&json!("vault"), &Value::Null)
    );
    assert_eq!(sandbox.all_files(), before, "nothing is changed by it");
}

#[test]
fn a_bad_account_selection_has_the_failing_commands_text() {
    let mut sandbox = Sandbox::signed_in_as_alice();
    for name in ["AZT_ACCOUNT", "AZT_SUBSCRIPTION"] {
        sandbox.set(name, "bob@contoso.example");
        tells(&sandbox, "selection", &sandbox.azt(TOKEN));
        let page = sandbox.azt(["doctor", "--offline"]).stdout;
        let mut lines = page.lines().skip_while(|line| !line.starts_with("WRONG selection"));
        let first = lines.next().unwrap();
        let remedies = lines.take_while(|line| line.starts_with(' '));
        assert!(std::iter::once(first).chain(remedies).any(|line| line.contains(name)), "{page}");
        sandbox.unset(name);
    }
    let profile = sandbox.read("azureProfile.json");
    let none = profile.replace("\"isDefault\": true", "\"isDefault\": false");
    assert_ne!(none, profile);
    sandbox.write("azureProfile.json", none);
    tells(&sandbox, "selection", &sandbox.azt(TOKEN).says("No subscription found"));
    sandbox.write("azureProfile.json", profile);
    sandbox.set("AZURE_CLOUD_NAME", "AzureCloud");
    tells(&sandbox, "selection", &sandbox.azt(TOKEN).exits(4));
}

#[test]
fn a_revoked_sign_in_has_the_login_command() {
    let mut sandbox = Sandbox::signed_in_as_alice();
    sandbox.emulator.revoke(ALICE);
    let token = ["account", "get-access-token", "--error-format", "json"];
    // The cached token would still be served.
    drop(sandbox.azt(["cache", "clear"]).quiet());
    let failure = sandbox.azt(token);
    assert_eq!(failure.code, Some(5), "{failure:?}");
    let failure: Value = serde_json::from_str(&failure.stderr).unwrap();
    let found = wrong(&sandbox.azt(["doctor", "-o", "json"]));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["check"], "account");
    let command = found[0]["command"].as_str().unwrap();
    assert_eq!(command, "azt login", "{found:?}");
    assert_eq!(found[0]["command"], failure["error"]["command"]);
    let ended = "The sign-in of alice@contoso.example has ended.";
    assert_eq!(found[0]["remedy"], format!("{ended} Sign in again: {command}"));

    // The clock is not blamed.
    let two_hours = 7200;
    let found = wrong(&sandbox.azt_later(two_hours, ["doctor", "-o", "json"]));
    let checks: Vec<&Value> = found.iter().map(|it| &it["check"]).collect();
    assert_eq!(checks, ["clock", "account"]);
    assert_eq!(found[1]["remedy"], format!("{ended} Sign in again: {command}"));

    sandbox.set("AZURE_CORE_PERSIST", "false");
    tells(&sandbox, "account", &sandbox.azt(["login"]));
}

#[test]
fn an_application_without_a_stored_credential_is_reported() {
    let mut sandbox = Sandbox::signed_in_as_app();
    sandbox.set("AZURE_CORE_PERSIST", "false");
    for args in [&["doctor", "-o", "json"][..], &["doctor", "--offline", "-o", "json"]] {
        let found = wrong(&sandbox.azt(args));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0]["check"], "account");
        let text = found[0]["text"].as_str().unwrap();
        assert!(text.starts_with(APP) && text.contains("core.persist is off"), "{text}");
        assert!(found[0]["remedy"].as_str().unwrap().contains("--identity-from-env"), "{found:?}");
    }
}

/// Not where az encrypts its files.
#[cfg(unix)]
#[test]
fn a_damaged_token_cache_of_az_is_not_counted_as_sign_ins() {
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.write("service_principal_entries.json", "[]");
    sandbox.write("msal_token_cache.json", "{");
    let run = sandbox.azt(["doctor", "--offline", "-o", "json"]).quiet();
    let all = run.json();
    let said = |name: &str| {
        let texts = all.as_array().unwrap().iter().filter(|it| it["check"] == "plain text");
        let mut texts = texts.filter_map(|it| Some((it["text"].as_str()?, it["remedy"].as_str()?)));
        texts.find(|(text, _)| text.contains(name)).unwrap()
    };
    assert!(said("service_principal_entries.json").0.ends_with(": sign-ins of the real az"));
    let (text, remedy) = said("msal_token_cache.json");
    assert!(text.contains("not a readable az file"), "{text}");
    assert_eq!(remedy, "It may hold sign-ins. Repair it or move it away.");
    let status = sandbox.azt(["cache", "status"]).quiet();
    assert!(status.stdout.contains("not a readable az file"), "{status:?}");
}

/// Another user than root.
#[cfg(unix)]
const PERSON: u32 = 54_321;

/// Gives the sandbox to PERSON and returns a copy of the program there; `None` unless root.
#[cfg(unix)]
fn give_away(sandbox: &Sandbox) -> Option<std::path::PathBuf> {
    std::os::unix::fs::chown(sandbox.root(), Some(PERSON), Some(PERSON)).ok()?;
    for path in std::iter::once(sandbox.root().join("home")).chain(under(sandbox.config_dir())) {
        std::os::unix::fs::chown(path, Some(PERSON), Some(PERSON)).unwrap();
    }
    let program = sandbox.root().join("azt");
    std::fs::copy(env!("CARGO_BIN_EXE_azt"), &program).unwrap();
    Some(program)
}

/// `folder` and everything below it.
#[cfg(unix)]
fn under(folder: std::path::PathBuf) -> Vec<std::path::PathBuf> {
    let mut found = vec![folder];
    let mut next = 0;
    while let Some(at) = found.get(next).cloned() {
        let entries = std::fs::read_dir(at).into_iter().flatten().flatten();
        found.extend(entries.map(|entry| entry.path()));
        next += 1;
    }
    found
}

#[cfg(unix)]
fn as_person(sandbox: &Sandbox, program: &std::path::Path, args: &[&str]) -> Run {
    use std::os::unix::process::CommandExt;
    let mut command = std::process::Command::new(program);
    command.args(args).env_clear().envs(sandbox.env()).current_dir("/").uid(PERSON).gid(PERSON);
    Run::of(&mut command)
}

/// As one call with sudo leaves it.
#[cfg(unix)]
#[test]
fn files_of_another_user_are_found_with_the_chown_remedy() {
    use std::os::unix::fs::chown;
    const DOCTOR: [&str; 4] = ["doctor", "--offline", "-o", "json"];
    let sandbox = Sandbox::signed_in_as_app();
    let Some(program) = give_away(&sandbox) else { return };
    assert_eq!(wrong(&as_person(&sandbox, &program, &DOCTOR)), Vec::<Value>::new());
    let (dir, azt) = (sandbox.config_dir(), sandbox.file("azt"));
    // Else commands cannot read its settings, and each names the owner.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&dir, open).unwrap();
    let file = std::fs::read_dir(azt.join("records")).unwrap().next().unwrap().unwrap().path();
    let all = [
        (azt.join("locks"), &azt),
        (azt.join("locks/settings.lock"), &azt),
        (file, &azt),
        (azt.join("vault.key"), &azt),
        (azt.clone(), &azt),
        (dir.clone(), &dir),
    ];
    for (path, cured) in all {
        chown(&path, Some(0), Some(0)).unwrap();
        let found = wrong(&as_person(&sandbox, &program, &DOCTOR));
        let whose = format!("{}: it belongs to another user (uid 0)", path.display());
        let cure = format!("Run: sudo chown -R {PERSON} {}", cured.display());
        assert_eq!((&found[0]["check"], &found[0]["text"]), (&"folder".into(), &whose.into()));
        assert_eq!(found[0]["remedy"], cure);
        for other in found.iter().skip(1) {
            let remedy = other["remedy"].as_str().unwrap();
            let is_possible = remedy.starts_with("Repair the ") || remedy.contains("sudo chown -R");
            assert!(is_possible && other["command"].is_null(), "{found:?}");
        }
        chown(&path, Some(PERSON), Some(PERSON)).unwrap();
    }
    let login = ["config", "set", "core.output=json"];
    chown(azt.join("locks/settings.lock"), Some(0), Some(0)).unwrap();
    as_person(&sandbox, &program, &login).exits(1).says("Cannot lock");
    // Files owned by root are no obstacle to root.
    assert_eq!(wrong(&sandbox.azt(DOCTOR)), Vec::<Value>::new());
}

#[cfg(unix)]
#[test]
fn the_group_writable_folder_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::signed_in_as_app();
    let folder = sandbox.file("azt");
    let before = std::fs::metadata(&folder).unwrap().permissions();
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o777)).unwrap();
    let found = wrong(&sandbox.azt(["doctor", "--offline", "-o", "json"]));
    let folder_shown = folder.display();
    assert_eq!(found[1]["remedy"], "Repair the folder first.", "{found:?}");
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0]["text"], format!("{folder_shown}: others can write there (mode 0777)"));
    let remedy = found[0]["remedy"].as_str().unwrap();
    assert!(remedy.starts_with(&format!("Run: chmod -R go-w {folder_shown} ")), "{remedy}");
    std::fs::set_permissions(&folder, before).unwrap();
}
