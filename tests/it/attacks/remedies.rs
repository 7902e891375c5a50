//! Remedies quote names and paths, so that a shell reads them as data.

use std::path::Path;

use serde_json::json;

use super::foreign_text::{HOSTILE, SHOWING, look};
use crate::support::*;

/// An attacker's profile.
pub(super) fn profile(name: &str, user: &str, id: &str, cloud: &str, kind: &str) -> String {
    let entry = json!({
        "id": id, "name": name, "state": "Enabled", "isDefault": true, "tenantId": name,
        "environmentName": cloud, "homeTenantId": name, "tenantDefaultDomain": name,
        "tenantDisplayName": name, "user": {"name": user, "type": kind}, name: name,
    });
    format!("\u{feff}{}", json!({"subscriptions": [entry], "installationId": "i"}))
}

#[test]
fn names_in_a_profile_are_one_line_and_no_command() {
    for kind in ["user", "servicePrincipal"] {
        for cloud in ["Emulator", "Gone"] {
            let sandbox = Sandbox::new();
            sandbox.write("azureProfile.json", profile(HOSTILE, HOSTILE, HOSTILE, cloud, kind));
            let before = sandbox.read("azureProfile.json");
            for args in SHOWING {
                drop(look(&sandbox, args));
            }
            drop(look(&sandbox, &["account", "get-access-token"]));
            drop(look(&sandbox, &["account", "get-access-token", "--error-format", "json"]));
            drop(look(&sandbox, &["login", "--identity"]));
            assert_eq!(sandbox.read("azureProfile.json"), before, "to the byte");
            drop(look(&sandbox, &["logout"]));
        }
    }
}

/// A user pastes a remedy into a shell.
#[test]
fn a_remedy_quotes_the_names_in_it() {
    for user in [
        "ann@x; touch owned #",
        "$(touch owned)",
        "`touch owned`",
        "it's; touch owned",
        "\";touch owned;\"",
        "ann@x\ntouch owned",
    ] {
        let (kind, cloud) = ("servicePrincipal", "Emulator");
        let sandbox = Sandbox::new();
        sandbox.write("azureProfile.json", profile(user, user, PRODUCTION, cloud, kind));
        let checks = sandbox.azt(["doctor", "--offline", "-o", "json"]).json();
        let mut remedies = checks.as_array().unwrap().iter().filter_map(|it| it["remedy"].as_str());
        let remedy = remedies.rfind(|it| it.contains("--username")).unwrap();
        let (_, command) = remedy.rsplit_once("azt log").unwrap();
        let command = command.strip_suffix(", with its credential.").unwrap_or(command);
        let ran = std::process::Command::new("sh")
            .args(["-c", &format!("printf '%s|' {command}")])
            .current_dir(sandbox.root())
            .output()
            .unwrap();
        let words = String::from_utf8(ran.stdout).unwrap();
        let named = user.replace('\n', " ");
        assert!(words.contains(&format!("|--username|{named}|")), "{remedy}: {words}");
        assert!(!sandbox.root().join("owned").exists(), "{remedy}");
    }
}

#[test]
fn a_shell_reads_a_quoted_word_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    for word in ["plain", "", "two words", "it's", "$(id)", "`id`", "a;b", "-x\ny", "é", "~", "#"]
    {
        let quoted = azt::internals::shell::quoted(word);
        let script = format!("printf %s {quoted}");
        let mut shell = std::process::Command::new("sh");
        let read = shell.args(["-c", &script]).current_dir(&folder).output().unwrap();
        assert_eq!(String::from_utf8(read.stdout).unwrap(), word, "{quoted}");
    }
}

/// A folder can have any name.
#[test]
fn a_remedy_quotes_the_paths_in_it_or_names_none() {
    use std::os::unix::fs::PermissionsExt;
    let set_mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    for (name, is_named) in [
        ("it's $(touch owned)", true),
        ("a; touch owned #", true),
        ("a\nazt logout --username pwned", false),
        ("a\u{202e}b", false),
        ("##vso[x]\n::add-path::", false),
    ] {
        let mut sandbox = Sandbox::new();
        let folder = sandbox.root().join(name);
        std::fs::create_dir(&folder).unwrap();
        sandbox.set("AZURE_CONFIG_DIR", folder.to_str().unwrap());
        sandbox.azt(["cache", "status"]).success();
        set_mode(&folder, 0o777);
        let run = look(&sandbox, &["doctor", "--offline", "-o", "json"]);
        let said = format!("{}{}", run.stdout, run.stderr);
        assert_eq!(said.contains("go-w '"), is_named, "{said}");
        drop(look(&sandbox, &["doctor", "--offline"]));
    }
}
