//! Only a sealed record can name a command, a path or a URL that azt uses.
//!
//! Each file here names a command that would leave a marker file, in every place that could matter.

use std::path::PathBuf;

use entra_emulator::directory::NIGHTLY_BUILD_CERTIFICATE;
use rexpect::session::spawn_command;
use serde_json::{Value, json};

use super::{MALLORY, is_root};
use crate::support::*;

const NIGHTLY: &str = "a1000000-0000-4000-8000-000000000002";
const WORKFLOW: &str = "a1000000-0000-4000-8000-000000000003";
const ISSUER: &str = "https://token.actions.githubusercontent.com";
const SUBJECT: &str = "repo:contoso/app:ref:refs/heads/main";
const OF_APP: [&str; 6] =
    ["account", "get-access-token", "--account", APP, "--resource", "https://vault.azure.net"];

/// A machine, the marker file, and the command that makes it.
fn trapped() -> (Sandbox, PathBuf, String) {
    let sandbox = Sandbox::new();
    let mark = sandbox.root().join("owned");
    let command = format!("touch '{}'; echo a.b.c", mark.display());
    (sandbox, mark, command)
}

fn row(members: &Value) -> Value {
    let mut row = json!({"client_id": APP, "tenant": CONTOSO});
    row.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    row
}

fn import(sandbox: &Sandbox, cache: &Value, more: &[&str]) -> Run {
    let file = sandbox.root().join("token_cache.json");
    std::fs::write(&file, cache.to_string()).unwrap();
    let command = ["cache", "import", "--file", file.to_str().unwrap(), "-o", "json"];
    sandbox.azt(command.iter().chain(more))
}

/// The stored applications.
fn stored(sandbox: &Sandbox) -> Vec<Value> {
    let listed = sandbox.azt(["cache", "list", "--query", "[?type=='application']", "-o", "json"]);
    listed.success().json().as_array().unwrap().clone()
}

#[test]
fn an_imported_file_runs_no_command() {
    let (sandbox, mark, command) = trapped();
    sandbox.list_app_in("Emulator");
    let source = json!({"kind": "command", "command": command});
    let trap = row(&json!({"client_assertion_source": source}));
    for cache in [
        json!([trap]),
        json!({"ServicePrincipal": {"one": trap}}),
        json!({"ServicePrincipal": {"one": trap}, "AccessToken": {}, "Account": {"x": trap}}),
        // With the file's host, and with an unknown one.
        json!([row(&json!({"client_assertion_source": source, "environment": host(&sandbox)}))]),
        json!([row(&json!({"client_assertion_source": source, "environment": "evil.example"}))]),
        // Beside an expired assertion.
        json!([row(&json!({"client_assertion_source": source, "client_assertion": "a.b.c"}))]),
    ] {
        let run = import(&sandbox, &cache, &["--cloud", "Emulator"]);
        assert_eq!(run.code, Some(1), "{run:?}");
        let run = run.says(&format!("ERROR: Service principal {APP} was left out: it would sign"));
        let run = run.says(&format!("that this command prints: {command:?}"));
        let run = run.says("run this again with --with-sources");
        assert_eq!(run.json(), json!([]), "nobody came in");
        let run = sandbox.azt(OF_APP);
        assert_ne!(run.code, Some(0));
        assert!(!mark.exists(), "{cache}");
        assert_eq!(stored(&sandbox), Vec::<Value>::new(), "{cache}");
    }
    // In forms that no version reads, and in other sections.
    for cache in [
        json!([row(&json!({"client_assertion_source": [source]}))]),
        json!([row(&json!({"Client_Assertion_Source": source}))]),
        json!([row(&json!({"client_assertion_source": {"Kind": "command", "Command": command}}))]),
        json!([row(&json!({"credential": {"client_assertion_source": source}}))]),
        json!({"RefreshToken": {"x": trap}, "IdToken": {"x": trap}, "AppMetadata": {"x": trap}}),
        json!({"ServicePrincipal": [trap]}),
    ] {
        drop(import(&sandbox, &cache, &["--with-sources"]));
        assert_ne!(sandbox.azt(OF_APP).code, Some(0));
        assert!(!mark.exists(), "{cache}");
        assert_eq!(stored(&sandbox), Vec::<Value>::new(), "{cache}");
    }
}

fn host(sandbox: &Sandbox) -> String {
    sandbox.emulator.url().split_once("://").unwrap().1.to_owned()
}

/// Of a repeated JSON member the last one counts.
#[test]
fn a_repeated_member_runs_no_command() {
    let (sandbox, mark, command) = trapped();
    sandbox.list_app_in("Emulator");
    let source = json!({"kind": "command", "command": command});
    for text in [
        format!(
            r#"[{{"client_id":"{APP}","tenant":"{CONTOSO}","client_assertion_source":null,"client_assertion_source":{source}}}]"#
        ),
        format!(
            r#"[{{"client_id":"x","client_id":"{APP}","tenant":"{CONTOSO}","client_secret":"s","client_secret":"","client_assertion_source":{source}}}]"#
        ),
    ] {
        let file = sandbox.root().join("twice.json");
        std::fs::write(&file, text).unwrap();
        let run = sandbox.azt(["cache", "import", "--file", file.to_str().unwrap()]);
        assert_eq!(run.code, Some(1), "{run:?}");
        assert!(!mark.exists() && stored(&sandbox).is_empty());
    }
}

/// Other rows are imported, and stored records stay.
#[test]
fn a_refused_row_affects_no_other_row_or_record() {
    let (sandbox, mark, command) = trapped();
    sandbox.login_app().success();
    let before = sandbox.azt(["cache", "export"]).exits(0).json()["ServicePrincipal"].clone();
    let source = json!({"kind": "command", "command": command});
    let other = json!({"client_id": WORKFLOW, "tenant": CONTOSO, "environment": host(&sandbox),
        "client_assertion_source": source});
    let third = json!({"client_id": "a1000000-0000-4000-8000-00000000000f", "tenant": CONTOSO,
        "client_secret": "s", "environment": host(&sandbox), "client_assertion_source": source,
        "client_assertion_command": command, "use_cert_sn_issuer": true});
    let mine = row(&json!({"client_assertion_source": source, "environment": host(&sandbox)}));
    for more in [&[][..], &["--with-sources"]] {
        let run = import(&sandbox, &json!([mine, other, third]), more);
        assert_eq!(run.code, Some(i32::from(more.is_empty())), "{run:?}");
        let after = sandbox.azt(["cache", "export", "--account", APP]).exits(0).json();
        assert_eq!(after["ServicePrincipal"], before, "a credential that is there stays");
    }
    let exported = sandbox.azt(["cache", "export", "--with-sources"]).exits(0).json();
    let rows = exported["ServicePrincipal"].as_object().unwrap();
    let of = |id: &str| rows.values().find(|it| it["client_id"] == id).unwrap().clone();
    assert_eq!(of(WORKFLOW)["client_assertion_source"], source, "as the call agreed");
    let third = of("a1000000-0000-4000-8000-00000000000f");
    let kept: Vec<&String> = third.as_object().unwrap().keys().collect();
    assert_eq!(kept, ["client_id", "client_secret", "environment", "tenant"], "nothing unknown");
    assert_eq!(sandbox.azt(OF_APP).code, Some(0));
    drop(std::fs::remove_file(mark));
}

/// Every call for a token reads az's own list.
#[test]
fn azs_list_of_applications_runs_no_command_and_sends_no_file() {
    let (sandbox, mark, command) = trapped();
    sandbox.list_app_in("Emulator");
    let jwt = sandbox.root().join("somebody's token; id");
    std::fs::write(&jwt, sandbox.emulator.assertion(ISSUER, SUBJECT)).unwrap();
    let calls: [&[&str]; 5] = [
        &OF_APP,
        &["account", "list", "--refresh"],
        &["cache", "migrate"],
        &["doctor"],
        &["account", "get-access-token", "--account", APP, "--tenant", CONTOSO],
    ];
    let name = sandbox.root().join("somebody's token; id").display().to_string();
    for source in [
        json!({"client_assertion_source": {"kind": "command", "command": command}}),
        json!({"client_assertion_source": {"kind": "file", "path": name}}),
        json!({"client_assertion_source": {"kind": "github-actions", "audience": "x"}}),
        json!({"certificate": "/etc/ssl/private/host.pem"}),
    ] {
        let list = json!([row(&source)]);
        sandbox.write("service_principal_entries.json", list.to_string());
        for call in calls {
            for run in [sandbox.azt(call), sandbox.az(call)] {
                assert!(!mark.exists(), "{call:?}");
                assert!(!run.stdout.contains("accessToken"), "{run:?}");
            }
        }
        assert!(!sandbox.requests().iter().any(|it| it.starts_with("POST token")), "{source}");
        assert_eq!(stored(&sandbox), Vec::<Value>::new());
    }
    // The message shows the sign-in as a command, unless it would run another command.
    let said = sandbox.azt(OF_APP).exits(4);
    said.says("with the certificate \"/etc/ssl/private/host.pem\"").says(&format!(
        "azt login --service-principal --username {APP} --tenant {CONTOSO} --certificate /etc/ssl/private/host.pem"
    ));
    let migrated = sandbox.azt(["cache", "migrate", "-o", "json"]).success().json();
    assert_eq!(migrated[0]["outcome"], "sign in again");
    assert!(migrated[0]["reason"].as_str().unwrap().contains("--certificate /etc/ssl/private"));
    let list =
        json!([row(&json!({"client_assertion_source": {"kind": "command", "command": command}}))]);
    sandbox.write("service_principal_entries.json", list.to_string());
    let said = sandbox.azt(OF_APP).exits(4).says("azt does not use sources named in az's list.");
    assert!(!said.stderr.contains("--federated-token-command"), "{said:?}");
    let programs = sandbox.azt([&OF_APP[..], &["--error-format", "json"]].concat());
    let error: Value = serde_json::from_str(programs.stderr.lines().last().unwrap()).unwrap();
    assert_eq!(error["error"]["command"], Value::Null, "no program is told to run it");
    // A plain secret in az's list is imported for the cloud that the profile names.
    let list = json!([row(&json!({"client_secret": APP_SECRET}))]);
    sandbox.write("service_principal_entries.json", list.to_string());
    drop(sandbox.azt(OF_APP).success());
    assert_eq!(stored(&sandbox)[0]["environment"], json!(host(&sandbox)));
}

/// Any program of the user may have written the SDKs' shared cache.
#[test]
fn the_shared_cache_runs_no_command() {
    let (sandbox, mark, command) = trapped();
    sandbox.list_app_in("Emulator");
    let folder = sandbox.root().join("home/.IdentityService");
    std::fs::create_dir_all(&folder).unwrap();
    let source = json!({"kind": "command", "command": command});
    let trap = row(&json!({"client_assertion_source": source, "environment": host(&sandbox)}));
    let cache = json!({"ServicePrincipal": {"one": trap}, "Account": {}});
    std::fs::write(folder.join("msal.cache.nocae"), cache.to_string()).unwrap();
    drop(sandbox.azt(["cache", "import"]).exits(0).says("1 rows were skipped"));
    let _usage = sandbox.azt(["cache", "import", "--with-sources"]).exits(2);
    assert!(!mark.exists() && stored(&sandbox).is_empty());
    assert_ne!(sandbox.azt(OF_APP).code, Some(0));
    assert!(!mark.exists());
}

/// `accessTokens.json` names certificates by path.
#[test]
fn a_certificate_path_in_the_old_file_is_shown_but_not_used() {
    let sandbox = Sandbox::new();
    sandbox.list_app_in("Emulator");
    let rows = json!([{"servicePrincipalId": APP, "servicePrincipalTenant": CONTOSO,
        "accessToken": "x", "certificateFile": "/srv/k e y.pem", "thumbprint": "AA",
        "client_assertion_source": {"kind": "command", "command": "id"}}]);
    sandbox.write("accessTokens.json", rows.to_string());
    let run = sandbox.azt(OF_APP);
    assert_ne!(run.code, Some(0), "{run:?}");
    let migrated = sandbox.azt(["cache", "migrate", "--remove", "-o", "json"]).exits(0);
    let migrated = migrated.says("accessTokens.json stays: it has the only sign-in of");
    assert_eq!(migrated.json()[0]["outcome"], "sign in again");
    let reason = migrated.json()[0]["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("--certificate '/srv/k e y.pem'"), "{reason}");
    assert_eq!(stored(&sandbox), Vec::<Value>::new());
    assert!(sandbox.file("accessTokens.json").exists());
}

/// A user's own sources are exported on request, and confirmed on import.
#[test]
fn own_sources_can_be_exported_and_imported_on_request() {
    let sandbox = Sandbox::new();
    let token = sandbox.root().join("token");
    std::fs::write(&token, sandbox.emulator.assertion(ISSUER, SUBJECT)).unwrap();
    let command = format!("cat '{}'", token.display());
    let login = ["login", "--service-principal", "-u", WORKFLOW, "-t", CONTOSO];
    sandbox.azt(login.iter().chain(&["--federated-token-command", &command])).success();
    let file = sandbox.root().join("moved.json");
    let path = file.to_str().unwrap();
    let run = sandbox.azt(["cache", "export", "--file", path]).exits(0);
    drop(run.says("Left out, because they sign in with").says(WORKFLOW));
    assert!(!std::fs::read_to_string(&file).unwrap().contains("cat "));
    let run = sandbox.azt(["cache", "export", "--account", WORKFLOW, "--file", path]).exits(1);
    drop(run.says("ERROR: Nothing is written. Left out, because").says("--with-sources"));
    sandbox.azt(["cache", "export", "--with-sources", "--file", path]).exits(0);
    assert!(std::fs::read_to_string(&file).unwrap().contains("cat "));
    // All applications are known here: no question, no failure.
    drop(sandbox.azt(["cache", "import", "--file", path]).exits(0));

    drop(sandbox.azt(["account", "clear"]).success());
    let run = sandbox.azt(["cache", "import", "--file", path]);
    assert_eq!(run.code, Some(1), "{run:?}");
    drop(run.says(&format!("{command:?}")).says("--with-sources"));
    assert_eq!(stored(&sandbox), Vec::<Value>::new());
    let run = sandbox.azt(["cache", "import", "--file", path, "--with-sources"]).exits(0);
    assert_eq!(run.json()[0]["account"], WORKFLOW);
    let of = ["account", "get-access-token", "--account", WORKFLOW, "--resource"];
    drop(sandbox.azt(of.iter().chain(&["https://vault.azure.net"])).quiet());
}

/// On a terminal the whole command is shown, with escape codes made visible.
#[test]
fn the_user_confirms_the_whole_command_before_import() {
    let (sandbox, mark, command) = trapped();
    let hidden = format!("true \u{1b}[2K\r\u{202e}\u{200b}\u{e0041}harmless\n; {command}");
    let source = json!({"kind": "command", "command": hidden});
    let trap = row(&json!({"client_assertion_source": source, "environment": host(&sandbox)}));
    let file = sandbox.root().join("token_cache.json");
    std::fs::write(&file, json!([trap]).to_string()).unwrap();
    let ask = |answer: &str| {
        let mut command = sandbox.command(["cache", "import", "--file", file.to_str().unwrap()]);
        command.env("TERM", "xterm-256color").env("COLUMNS", "4000");
        let mut session = spawn_command(command, Some(30_000)).unwrap();
        let shown = session.exp_string("Use that from now on?").unwrap();
        session.send(answer).unwrap();
        session.flush().unwrap();
        (shown, session.exp_eof().unwrap())
    };
    for answer in ["\r", "n\r", "\u{1b}"] {
        let (shown, rest) = ask(answer);
        for part in
            [APP, CONTOSO, r"\u{1b}[2K\r\u{202e}\u{200b}\u{e0041}harmless\n; touch", "owned"]
        {
            assert!(shown.contains(part), "{part} {shown:?}");
        }
        assert!(!shown.contains("\u{1b}[2K\r"), "{shown:?}");
        assert!(!rest.contains("ERROR"), "{rest:?}");
        assert!(!mark.exists() && stored(&sandbox).is_empty());
    }
    // A command too long to review is refused without a question.
    let long = json!({"kind": "command", "command": format!("{command}#{}", "x".repeat(5000))});
    let trap = row(&json!({"client_assertion_source": long, "environment": host(&sandbox)}));
    std::fs::write(&file, json!([trap]).to_string()).unwrap();
    let command = sandbox.command(["cache", "import", "--file", file.to_str().unwrap()]);
    let rest = spawn_command(command, Some(30_000)).unwrap().exp_eof().unwrap();
    assert!(rest.contains("was left out") && !rest.contains("Use that"), "{rest}");
    assert!(!mark.exists() && stored(&sandbox).is_empty());
}

/// A cloned repository whose `.env` names a folder in it, with a vault and its key.
#[test]
fn a_folder_in_the_working_directory_runs_no_command() {
    let mut sandbox = Sandbox::new();
    let token = sandbox.root().join("token");
    std::fs::write(&token, sandbox.emulator.assertion(ISSUER, SUBJECT)).unwrap();
    let mark = sandbox.root().join("owned");
    let command = format!("touch '{}'; cat '{}'", mark.display(), token.display());
    let clouds: Vec<(&str, String)> =
        ["config", "clouds.config"].map(|name| (name, sandbox.read(name))).into();
    let folder = sandbox.root().join("repository/.cfg");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, text) in clouds {
        std::fs::write(folder.join(name), text).unwrap();
    }
    sandbox.set("AZURE_CONFIG_DIR", folder.to_str().unwrap());
    for source in [
        ["--federated-token-command", &command],
        ["--federated-token-file", token.to_str().unwrap()],
    ] {
        let login = ["login", "--service-principal", "-u", WORKFLOW, "-t", CONTOSO];
        sandbox.azt(login.iter().chain(&source)).success();
        drop(std::fs::remove_file(&mark));
        sandbox.emulator.clear_requests();
        let cold = ["account", "get-access-token", "--resource", "https://vault.azure.net"];
        for name in [".cfg", "./.cfg", "../repository/.cfg"] {
            for mut command in [sandbox.command(cold), sandbox.az_command(cold)] {
                command.current_dir(folder.parent().unwrap()).env("AZURE_CONFIG_DIR", name);
                let run = Run::of(&mut command).exits(1);
                drop(run.says("its path is relative").says("AZURE_CONFIG_DIR"));
                assert!(!mark.exists());
            }
        }
        // HOME is a variable too.
        let home = sandbox.root().join("repository/home");
        std::fs::create_dir_all(&home).unwrap();
        let link = home.join(".azure");
        if !link.exists() {
            std::os::unix::fs::symlink(&folder, &link).unwrap();
        }
        let mut command = sandbox.command(cold);
        command.current_dir(folder.parent().unwrap()).env_remove("AZURE_CONFIG_DIR");
        let run = Run::of(command.env("HOME", "home"));
        assert_ne!(run.code, Some(0), "{run:?}");
        assert!(!mark.exists());
        let asked = sandbox.requests();
        assert!(!asked.iter().any(|it| it.starts_with("POST token")), "{asked:?}");
        // An absolute path is the user's own choice.
        drop(sandbox.azt(cold).quiet());
    }
}

/// Certificates too; a path in the call itself is used.
#[test]
fn a_folder_in_the_working_directory_opens_no_certificate() {
    let sandbox = Sandbox::new();
    let certificate = sandbox.root().join("nightly.pem");
    std::fs::write(&certificate, NIGHTLY_BUILD_CERTIFICATE).unwrap();
    let token = sandbox.root().join("token");
    std::fs::write(&token, sandbox.emulator.assertion(ISSUER, SUBJECT)).unwrap();
    let print = format!("cat '{}'", token.display());
    let run = |args: &[&str], dir: &str| {
        let mut command = sandbox.command(args);
        command.current_dir(sandbox.root().join("home")).env("AZURE_CONFIG_DIR", dir);
        Run::of(&mut command)
    };
    for (id, source) in [
        (NIGHTLY, ["--certificate", certificate.to_str().unwrap()]),
        (WORKFLOW, ["--federated-token-file", token.to_str().unwrap()]),
        (WORKFLOW, ["--federated-token-command", &print]),
    ] {
        let login = [&["login", "--service-principal", "-u", id, "-t", CONTOSO][..], &source];
        run(&login.concat(), ".azure").success();
        let cold = ["account", "get-access-token", "--resource", "https://vault.azure.net"];
        sandbox.emulator.clear_requests();
        drop(run(&cold, ".azure").exits(1).says("its path is relative"));
        let asked = sandbox.requests();
        assert!(!asked.iter().any(|it| it.starts_with("POST token")), "{asked:?}");
        drop(sandbox.azt(cold).quiet());
        sandbox.azt(["logout", "--username", id]).success();
    }
}

/// Root with a user's HOME must not open root's files for that user.
#[test]
fn root_opens_no_certificate_named_by_a_users_folder() {
    if !is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let certificate = sandbox.root().join("nightly.pem");
    std::fs::write(&certificate, NIGHTLY_BUILD_CERTIFICATE).unwrap();
    let args = ["login", "--service-principal", "-u", NIGHTLY, "-t", CONTOSO, "--certificate"];
    let login = [&args[..], &[certificate.to_str().unwrap()]].concat();
    sandbox.azt(&login).success();
    let mut folders = vec![sandbox.config_dir()];
    while let Some(folder) = folders.pop() {
        std::os::unix::fs::chown(&folder, Some(MALLORY), Some(MALLORY)).unwrap();
        for entry in std::fs::read_dir(&folder).unwrap().map(|it| it.unwrap().path()) {
            std::os::unix::fs::chown(&entry, Some(MALLORY), Some(MALLORY)).unwrap();
            if entry.is_dir() {
                folders.push(entry);
            }
        }
    }
    sandbox.emulator.clear_requests();
    let cold = ["account", "get-access-token", "--resource", "https://vault.azure.net"];
    drop(sandbox.azt(cold).exits(1).says("it belongs to another user"));
    assert!(!sandbox.requests().iter().any(|it| it.starts_with("POST token")));
    sandbox.azt(&login).success();
}

/// A variable of one call must not leave plain text behind.
#[test]
fn a_variable_does_not_turn_sharing_with_az_on() {
    let mut sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    let none = |sandbox: &Sandbox| {
        for name in ["msal_token_cache.json", "service_principal_entries.json"] {
            assert!(!sandbox.file(name).exists(), "{name}");
        }
    };
    sandbox.set("AZURE_CORE_SHARE_WITH_AZ", "1");
    sandbox.azt(["login", "--use-device-code"]).success();
    sandbox.az(["login", "--use-device-code"]).success();
    sandbox.login_app().success();
    let cold = ["account", "get-access-token", "--resource", "https://vault.azure.net"];
    drop(sandbox.azt(cold).quiet());
    none(&sandbox);
    // A variable can turn it off for one call.
    sandbox.unset("AZURE_CORE_SHARE_WITH_AZ");
    sandbox.share_with_az(true);
    sandbox.set("AZURE_CORE_SHARE_WITH_AZ", "off");
    sandbox.login_app().success();
    none(&sandbox);
    sandbox.unset("AZURE_CORE_SHARE_WITH_AZ");
    sandbox.login_app().success();
    assert!(sandbox.read("service_principal_entries.json").contains(APP_SECRET));
}
