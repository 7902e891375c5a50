//! `azt doctor` finds what commands fail on: settings, variables, whose the files are.

use serde_json::Value;

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
    let login = ["login", "--service-principal", "-u", APP, "-p", APP_SECRET, "-t", CONTOSO];
    let cases: [(&str, &str, &[&str]); 5] = [
        ("RENEW_AHEAD", "x", &TOKEN),
        ("OUTPUT", "bogus", &TOKEN),
        ("SHARE_WITH_AZ", "x", &login),
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
    tells(&sandbox, "settings", &sandbox.azt(login).exits(9).says("kept in 'file'"));
    let found = wrong(&sandbox.azt(["doctor", "--offline", "-o", "json"]));
    assert_eq!(found[0]["command"], "azt vault move --to env");
    assert_eq!(sandbox.all_files(), before, "nothing is changed by it");
}

#[test]
fn a_selection_that_commands_fail_on_is_told_as_they_do() {
    let mut sandbox = Sandbox::signed_in_as_alice();
    for name in ["AZT_ACCOUNT", "AZT_SUBSCRIPTION"] {
        sandbox.set(name, "bob@contoso.example");
        tells(&sandbox, "selection", &sandbox.azt(TOKEN));
        let page = sandbox.azt(["doctor", "--offline"]).stdout;
        assert!(page.contains(&format!("WRONG selection   {name}: ")), "{page}");
        sandbox.unset(name);
    }
    let profile = sandbox.read("azureProfile.json");
    let none = profile.replace("\"isDefault\": true", "\"isDefault\": false");
    assert_ne!(none, profile);
    sandbox.write("azureProfile.json", none);
    tells(&sandbox, "selection", &sandbox.azt(TOKEN).says("No subscription found."));
}
