//! `azt doctor` finds what commands fail on: settings, variables, whose the files are.

use serde_json::{Value, json};

use crate::support::*;

const TOKEN: [&str; 2] = ["account", "get-access-token"];

/// What `doctor` says is wrong, each with its check and its remedy. It fails exactly when there is any.
#[track_caller]
fn wrong(run: &Run) -> Vec<Value> {
    let all: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    let is_wrong = |it: &&Value| it["state"] == "failure";
    let found: Vec<Value> = all.as_array().unwrap().iter().filter(is_wrong).cloned().collect();
    assert_eq!(run.code, Some(i32::from(!found.is_empty())), "{run:?}");
    found
}

/// `doctor` finds one thing wrong, and says of it what the command that fails says: `failure`.
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
fn a_setting_that_commands_fail_on_is_told_as_they_do() {
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
        // Somebody else may have laid the vault there, so no program is told to take it over.
        (&json!("vault"), &Value::Null)
    );
    assert_eq!(sandbox.all_files(), before, "nothing is changed by it");
}

#[test]
fn a_selection_that_commands_fail_on_is_told_as_they_do() {
    let mut sandbox = Sandbox::signed_in_as_alice();
    for name in ["AZT_ACCOUNT", "AZT_SUBSCRIPTION"] {
        sandbox.set(name, "bob@contoso.example");
        tells(&sandbox, "selection", &sandbox.azt(TOKEN));
        let page = sandbox.azt(["doctor", "--offline"]).stdout;
        let row = page.lines().find(|line| line.starts_with("WRONG selection")).unwrap();
        assert!(row.contains(name), "{page}");
        sandbox.unset(name);
    }
    let profile = sandbox.read("azureProfile.json");
    let none = profile.replace("\"isDefault\": true", "\"isDefault\": false");
    assert_ne!(none, profile);
    sandbox.write("azureProfile.json", none);
    tells(&sandbox, "selection", &sandbox.azt(TOKEN).says("No subscription found."));
    sandbox.write("azureProfile.json", profile);
    sandbox.set("AZURE_CLOUD_NAME", "AzureCloud");
    tells(&sandbox, "selection", &sandbox.azt(TOKEN).exits(4));
}

/// A sign-in that was revoked is told as to who asks for a token.
#[test]
fn a_sign_in_that_is_gone_has_the_command_that_brings_it_back() {
    let mut sandbox = Sandbox::signed_in_as_alice();
    sandbox.emulator.revoke(ALICE);
    let token = ["account", "get-access-token", "--error-format", "json"];
    // The token that the vault still has would be served.
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
    assert_eq!(found[0]["remedy"], format!("Sign in again: {command}"));

    // A clock has no part in it.
    let two_hours = 7200;
    let found = wrong(&sandbox.azt_later(two_hours, ["doctor", "-o", "json"]));
    let checks: Vec<&Value> = found.iter().map(|it| &it["check"]).collect();
    assert_eq!(checks, ["clock", "account"]);
    assert_eq!(found[1]["remedy"], format!("Sign in again: {command}"));

    sandbox.set("AZURE_CORE_PERSIST", "false");
    tells(&sandbox, "account", &sandbox.azt(["login"]));
}

#[test]
fn an_application_of_which_nothing_is_kept_is_told_so() {
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

/// Where az encrypts its files there is no such one.
#[cfg(unix)]
#[test]
fn a_file_of_az_s_that_is_broken_is_not_told_as_a_sign_in() {
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
    assert!(text.contains("no file of az's that can be read"), "{text}");
    assert_eq!(remedy, "It may hold sign-ins: mend it or move it away.");
    let status = sandbox.azt(["cache", "status"]).quiet();
    assert!(status.stdout.contains("no file of az's that can be read"), "{status:?}");
}

/// Another user, who is not root.
#[cfg(unix)]
const PERSON: u32 = 54_321;

/// The sandbox made PERSON's, and the program to run there; `None` unless this is root.
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

/// `folder` and all that is in it.
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

/// What one call with sudo leaves behind.
#[cfg(unix)]
#[test]
fn what_another_user_owns_is_found_with_the_way_to_have_it_back() {
    use std::os::unix::fs::chown;
    const DOCTOR: [&str; 4] = ["doctor", "--offline", "-o", "json"];
    let sandbox = Sandbox::signed_in_as_app();
    let Some(program) = give_away(&sandbox) else { return };
    assert_eq!(wrong(&as_person(&sandbox, &program, &DOCTOR)), Vec::<Value>::new());
    let (dir, azt) = (sandbox.config_dir(), sandbox.file("azt"));
    // Or no command reads its settings, and each says whose it is.
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
            let is_possible = remedy.starts_with("Mend the ") || remedy.contains("sudo chown -R");
            assert!(is_possible && other["command"].is_null(), "{found:?}");
        }
        chown(&path, Some(PERSON), Some(PERSON)).unwrap();
    }
    let login = ["config", "set", "core.output=json"];
    chown(azt.join("locks/settings.lock"), Some(0), Some(0)).unwrap();
    as_person(&sandbox, &program, &login).exits(1).says("Cannot lock");
    // Root is in nobody's way.
    assert_eq!(wrong(&sandbox.azt(DOCTOR)), Vec::<Value>::new());
}

#[cfg(unix)]
#[test]
fn the_folder_that_others_can_write_to_is_the_one_that_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::signed_in_as_app();
    let folder = sandbox.file("azt");
    let before = std::fs::metadata(&folder).unwrap().permissions();
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o777)).unwrap();
    let found = wrong(&sandbox.azt(["doctor", "--offline", "-o", "json"]));
    let folder_shown = folder.display();
    assert_eq!(found[1]["remedy"], "Mend the folder first.", "{found:?}");
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0]["text"], format!("{folder_shown}: others can write there (mode 0777)"));
    let remedy = found[0]["remedy"].as_str().unwrap();
    assert!(remedy.starts_with(&format!("Run: chmod -R go-w {folder_shown};")), "{remedy}");
    std::fs::set_permissions(&folder, before).unwrap();
}
