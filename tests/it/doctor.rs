//! `azt doctor`, `azt vault move`, and failures as JSON.

use entra_emulator::{Action, Fault};
use serde_json::{Value, json};

use crate::support::*;

const TOKEN: [&str; 2] = ["account", "get-access-token"];

/// The states of the checks called `what`, and their texts with the remedies.
fn checks(sandbox: &Sandbox, what: &str) -> Vec<(String, String)> {
    let run = sandbox.azt(["doctor", "-o", "json"]);
    let all: Value = serde_json::from_str(&run.stdout).unwrap();
    let is_wrong = all.as_array().unwrap().iter().any(|it| it["state"] == "failure");
    assert_eq!(run.code, Some(i32::from(is_wrong)), "{run:?}");
    let all = all.as_array().unwrap().iter().filter(|it| it["check"] == what);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    all.map(|it| (text(&it["state"]), format!("{} {}", text(&it["text"]), text(&it["remedy"]))))
        .collect()
}

#[track_caller]
pub fn finds(sandbox: &Sandbox, what: &str, state: &str, says: &str) {
    let found = checks(sandbox, what);
    assert!(
        found.iter().any(|(it, text)| it == state && text.contains(says)),
        "no {state} '{says}' of {what} in {found:?}"
    );
}

#[test]
fn a_healthy_machine_has_only_ok_lines() {
    let sandbox = Sandbox::signed_in_as_alice();
    let run = sandbox.azt(["doctor"]).quiet();
    let page = &run.stdout;
    assert!(page.lines().all(|line| line.starts_with("ok    ")), "{page}");
    for what in ["folder", "vault", "account", "network", "clock", "sign-in", "az"] {
        assert!(
            page.lines().any(|line| line.split_whitespace().nth(1) == Some(what)),
            "{what}: {page}"
        );
    }
    assert!(page.contains("alice@contoso.example: gets tokens"), "{page}");
    assert_eq!(sandbox.requests().len(), 2, "the time, a token");
    sandbox.emulator.clear_requests();
    let run = sandbox.azt(["doctor", "--offline"]).quiet();
    assert!(run.stdout.contains("alice@contoso.example: can refresh silently"), "{run:?}");
    assert_eq!(sandbox.requests(), Vec::<String>::new());
}

/// A tenant may demand what only some machines can give.
#[test]
fn the_ways_to_sign_in_are_named() {
    let mut sandbox = Sandbox::new();
    sandbox.set("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22");
    finds(&sandbox, "sign-in", "ok", "browser: not here, because this is an SSH session");
    finds(&sandbox, "sign-in", "ok", "azt login --no-browser uses a browser on another machine");
    finds(&sandbox, "sign-in", "ok", "identity broker: not here, because");
    finds(&sandbox, "sign-in", "ok", "Kerberos ticket: not here, because");
    sandbox.set("BROWSER", "firefox");
    finds(&sandbox, "sign-in", "ok", "browser: it can give what a tenant demands of it");
}

#[test]
fn each_problem_is_named_with_its_remedy() {
    let mut sandbox = Sandbox::new();
    finds(&sandbox, "accounts", "warning", "Run: azt login");
    let nobody = sandbox.azt(["doctor", "-o", "json", "--query", "[?check=='accounts'].command"]);
    assert_eq!(nobody.json(), json!(["azt login"]));
    sandbox.approve_as(ALICE);
    sandbox.azt(["login", "--use-device-code"]).success();
    let clouds = sandbox.read("clouds.config");
    sandbox.write("clouds.config", clouds.replace("[Emulator]", "[Another]"));
    finds(&sandbox, "account", "warning", "its cloud 'Emulator' is not registered");
    sandbox.write("clouds.config", clouds);
    let key = sandbox.read("azt/vault.key");
    sandbox.write("azt/vault.key", format!("{}\n", "00".repeat(32)));
    finds(&sandbox, "vault", "failure", "Put the old key back");
    finds(&sandbox, "account", "warning", "cannot check its sign-in Repair the vault first.");
    let run = sandbox.azt(["doctor"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stdout.contains("WRONG vault") && run.stderr.contains("see above"), "{run:?}");
    sandbox.write("azt/vault.key", key);

    sandbox.write("azt/records/at-00000000000000000000000000000000", "not sealed");
    sandbox.azt(["cache", "list"]).success();
    finds(&sandbox, "vault", "warning", "set aside");
    sandbox.write("accessTokens.json", "[]");
    finds(&sandbox, "plain text", "warning", "azt cache migrate --remove");

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let set = |mode| {
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(sandbox.config_dir(), mode).unwrap();
        };
        set(0o777);
        // Nothing in the folder is read, not even its settings.
        let run = sandbox.azt(["doctor"]);
        assert_eq!(run.code, Some(1), "{run:?}");
        for text in ["others can write there (mode 0777)\n", "Run: chmod -R go-w ", "not checked"] {
            assert!(run.stdout.contains(text), "{run:?}");
        }
        assert_eq!(run.stdout.matches("Run: ").count(), 1, "one cure: {run:?}");
        set(0o755);
        finds(&sandbox, "folder", "ok", ".azure");
    }

    sandbox.set("HTTPS_PROXY", "http://jo:hunter2@127.0.0.1:1");
    finds(&sandbox, "network", "failure", "HTTPS_PROXY");
    let shown = sandbox.azt(["doctor", "-o", "json"]).stdout;
    assert!(shown.contains("http://…@127.0.0.1:1") && !shown.contains("hunter2"), "{shown}");
    sandbox.set("HTTPS_PROXY", "");

    std::fs::remove_dir_all(sandbox.file("azt")).unwrap();
    finds(&sandbox, "account", "failure", "listed, but not signed in Run: azt login");
}

/// On its own disk, full and then read-only. Not tested where mounting is forbidden.
#[cfg(target_os = "linux")]
#[test]
fn a_full_or_read_only_folder_is_found() {
    let sandbox = Sandbox::signed_in_as_app();
    let script = r#"
        mount -t tmpfs -o size=128k,mode=700 tmpfs "$DISK" || { echo no mount; exit 0; }
        cp -r "$AZURE_CONFIG_DIR/." "$DISK"; export AZURE_CONFIG_DIR="$DISK"
        "$AZT" doctor | grep '^[a-zA-Z]* *folder '
        dd if=/dev/zero of="$DISK/fill" bs=1k 2>"$DISK/../dd"
        "$AZT" doctor | grep '^[a-zA-Z]* *folder '
        "$AZT" login --service-principal -u "$APP" -p "$SECRET" -t "$TENANT"
        "$AZT" account get-access-token --resource https://vault.azure.net --query tokenType
        rm "$DISK/fill"; mount -o remount,ro "$DISK"
        "$AZT" doctor | grep '^[a-zA-Z]* *folder '"#;
    let disk = sandbox.root().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let mut command = std::process::Command::new("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-c", script]);
    command.env_clear().envs(sandbox.env()).envs([
        ("AZT", env!("CARGO_BIN_EXE_azt")),
        ("AZURE_CONFIG_DIR", sandbox.config_dir().to_str().unwrap()),
        ("DISK", disk.to_str().unwrap()),
        ("APP", APP),
        ("SECRET", APP_SECRET),
        ("TENANT", CONTOSO),
    ]);
    let run = Run::of(&mut command);
    if run.stdout.starts_with("no mount") || run.stderr.starts_with("unshare") {
        return;
    }
    let said: Vec<&str> = run.stdout.lines().collect();
    let disk = disk.display();
    assert_eq!(said[0], format!("ok    folder      {disk}"), "{run:?}");
    assert!(said[1].ends_with("there is no room left on its disk"), "{run:?}");
    assert_eq!(said[2], "\"Bearer\"", "a token all the same: {run:?}");
    assert!(said[3].contains("it cannot be written: Read-only file system"), "{run:?}");
    assert!(run.stderr.contains(": No space left on device (os error 28).\n"), "{run:?}");
}

/// A stored sign-in may have been revoked.
#[test]
fn each_account_is_asked_for_a_token() {
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.login_app().success();
    let before = sandbox.all_files();
    finds(&sandbox, "account", "ok", "alice@contoso.example: gets tokens");
    finds(&sandbox, "account", "ok", &format!("{APP}: gets tokens"));
    sandbox.emulator.revoke(ALICE);
    finds(&sandbox, "account", "failure", "alice@contoso.example: AADSTS");
    finds(&sandbox, "account", "ok", &format!("{APP}: gets tokens"));
    assert_eq!(sandbox.all_files(), before, "nothing is changed by it");
}

/// A refresh token of another client cannot refresh azt's tokens.
#[test]
fn a_sign_in_that_cannot_refresh_is_reported() {
    use azt::internals::program::Program;
    use azt::internals::sys::{Env, System};
    use azt::internals::vault::{KeyChoice, KeySource, Options, Record, RefreshToken, Vault};

    let sandbox = Sandbox::signed_in_as_alice();
    let system = System { env: Env::fixed(sandbox.env().clone()), ..System::real(Program::Azt) };
    let options = Options { key_source: KeyChoice::Source(KeySource::File), ..Options::default() };
    let vault = Vault::open(&system, sandbox.file("azt").as_path(), options).unwrap().unwrap();
    for token in vault.all::<RefreshToken>().unwrap() {
        vault.remove(&token.key()).unwrap();
        let client_id = "dddddddd-0000-4000-8000-000000000004".to_owned();
        vault.put(&RefreshToken { client_id, family_id: None, ..token }).unwrap();
    }
    let run = sandbox.azt(["doctor", "--offline"]);
    assert!(run.stdout.contains(&format!("{ALICE}: listed, but not signed in")), "{run:?}");
}

/// A bare `login` would sign in to the active cloud.
#[test]
fn the_remedy_for_another_clouds_account_names_that_cloud() {
    let sandbox = Sandbox::signed_in_as_alice();
    std::fs::remove_dir_all(sandbox.file("azt")).unwrap();
    sandbox.azt(["cloud", "set", "--name", "AzureCloud"]).success();
    let query = "[?check=='account'].[state, remedy, command]";
    let found = sandbox.azt(["doctor", "--offline", "-o", "json", "--query", query]);
    let remedy = "Run: azt cloud set --name Emulator Then run: azt login";
    assert_eq!(
        serde_json::from_str::<Value>(&found.stdout).unwrap(),
        json!([["failure", remedy, null]])
    );
    sandbox.azt(["cloud", "set", "--name", "Emulator"]).success();
    let found = sandbox.azt(["doctor", "--offline", "-o", "json", "--query", query]);
    assert!(found.stdout.contains("\"azt login\""), "{found:?}");
}

#[test]
fn a_server_that_is_not_entra_is_found() {
    let sandbox = Sandbox::signed_in_as_alice();
    for (status, body) in [(404, "{}"), (200, "no JSON")] {
        let answer = Action::Answer { status, headers: Default::default(), body: body.to_owned() };
        sandbox.emulator.faults().push(Fault::on("openid-configuration", answer));
        let said = format!("did not answer like Entra (HTTP {status})");
        finds(&sandbox, "network", "failure", &said);
        sandbox.emulator.faults().clear();
    }
}

#[test]
fn a_wrong_clock_is_found() {
    let sandbox = Sandbox::signed_in_as_alice();
    let run = sandbox.azt_later(600, ["doctor", "-o", "json"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    let found: Value = serde_json::from_str(&run.stdout).unwrap();
    let clock = found.as_array().unwrap().iter().find(|it| it["check"] == "clock").unwrap().clone();
    assert_eq!(clock["state"], "failure");
    assert!(clock["text"].as_str().unwrap().ends_with("s ahead of Entra's"), "{clock}");
}

#[test]
fn vault_move_moves_the_key_and_the_setting() {
    let mut sandbox = Sandbox::new();
    drop(sandbox.azt(["config", "set", "core.key_source=file"]).quiet());
    sandbox.unset("AZURE_CORE_KEY_SOURCE");
    sandbox.login_app().success();
    let key = "cd".repeat(32);
    sandbox.azt(["vault", "move", "--to", "env"]).exits(9).says("AZT_VAULT_KEY, which is not set");
    drop(sandbox.azt(TOKEN).quiet());
    sandbox.set("AZT_VAULT_KEY", &key);
    let moved = sandbox.azt(["vault", "move", "--to", "env"]).quiet();
    assert_eq!(moved.text("keySource"), "env");
    assert!(!sandbox.file("azt/vault.key").exists(), "nobody needs it any more");
    assert!(sandbox.read("config").contains("key_source = env"));
    drop(sandbox.azt(TOKEN).quiet());
    drop(sandbox.azt(["vault", "move", "--to", "file"]).success().says("Now unset AZT_VAULT_KEY"));
    sandbox.unset("AZT_VAULT_KEY");
    drop(sandbox.azt(TOKEN).quiet());
    // The setting alone can be `auto`.
    for place in ["cloud", "auto"] {
        let said = format!("'{place}' is no place for the key: use keyring, ");
        sandbox.azt(["vault", "move", "--to", place]).exits(2).says(&said);
    }
    sandbox.emulator.clear_requests();
    drop(sandbox.azt(TOKEN).quiet());
    assert_eq!(sandbox.requests(), Vec::<String>::new(), "nothing was lost on the way");
}

#[test]
fn a_failure_can_be_json() {
    let mut sandbox = Sandbox::signed_in_as_alice();
    let failure = |run: &Run| -> Value {
        let last = run.stderr.lines().last().unwrap();
        serde_json::from_str::<Value>(last).unwrap_or_else(|error| panic!("{error}: {run:?}"))["error"].clone()
    };
    sandbox.emulator.revoke(ALICE);
    let graph = [
        "account",
        "get-access-token",
        "--resource",
        "https://graph.microsoft.com",
        "--error-format",
        "json",
    ];
    let run = sandbox.azt(graph);
    let error = failure(&run);
    assert_eq!((run.code, &error["exitCode"]), (Some(5), &json!(5)));
    assert_eq!(
        (&error["kind"], &error["aadsts"]),
        (&json!("interaction_required"), &json!([50173]))
    );
    assert!(error["command"].as_str().unwrap().starts_with("azt login"), "{error}");
    assert!(error["correlationId"].is_string() && error["traceId"].is_string(), "{error}");
    // Under the name az too, when requested.
    let error = failure(&sandbox.az(graph));
    assert_eq!(error["exitCode"], 1);
    assert!(error["command"].as_str().unwrap().starts_with("az login --tenant"), "{error}");
    // A failure that no sign-in fixes has az's text and no command.
    for (error, code) in
        [("invalid_resource", 500_011), ("invalid_grant", 50_057), ("access_denied", 53_003)]
    {
        let fault = Fault::on("/oauth2/v2.0/", refusal(error, code, ""));
        sandbox.emulator.faults().push(fault);
        for args in [&graph[..], &["login", "--use-device-code", "--error-format", "json"]] {
            let error = failure(&sandbox.az(args));
            assert_eq!(error["aadsts"], json!([code]));
            assert!(error["remedy"].to_string().contains("\"az logout\",\"az login"), "{error}");
            assert_eq!(error["command"], Value::Null);
        }
        sandbox.emulator.faults().clear();
    }
    assert_eq!(failure(&sandbox.azt(["accunt", "--error-format=JSON"]))["kind"], "usage");
    for shortened in [&["--error", "json"][..], &["--error-f=json"], &["--er=text", "--e", "json"]]
    {
        let run = sandbox.azt([&["account", "show", "-s", "nope"][..], shortened].concat());
        assert_eq!(failure(&run)["kind"], "failed");
    }
    sandbox.azt(["account", "show", "--error-format", "xml"]).exits(2);
    sandbox.set("AZURE_CORE_ERROR_FORMAT", "json");
    assert_eq!(failure(&sandbox.azt(["account", "show", "-s", "nope"]))["kind"], "failed");
    let nobody = failure(&sandbox.azt(["account", "show", "--account", "bob"]));
    assert_eq!(
        (&nobody["kind"], &nobody["command"]),
        (&json!("not_signed_in"), &json!("azt login"))
    );
    let nobody = failure(&sandbox.azt(["account", "show", "--account", APP]));
    assert_eq!((&nobody["kind"], &nobody["command"]), (&json!("not_signed_in"), &Value::Null));
    // No command that would delete stored secrets.
    let key = sandbox.file("azt/vault.key");
    std::fs::write(&key, "no key").unwrap();
    let error = failure(&sandbox.azt(TOKEN));
    assert!(error["remedy"].to_string().contains("azt account clear"), "{error}");
    assert_eq!((&error["kind"], &error["command"]), (&json!("vault"), &Value::Null));
    let text = sandbox.azt(["account", "show", "-s", "nope", "--error-format", "text"]);
    drop(text.exits(1).says("ERROR: Subscription 'nope' not found."));
}

/// The process becomes non-dumpable before it reads a secret.
#[cfg(target_os = "linux")]
#[test]
fn the_process_is_not_dumpable() {
    let sandbox = Sandbox::signed_in_as_alice();
    let log = tempfile::NamedTempFile::new().unwrap();
    let command = sandbox.command(TOKEN);
    let mut traced = std::process::Command::new("strace");
    traced.arg("-o").arg(log.path()).arg(command.get_program()).args(command.get_args());
    traced.env_clear().envs(sandbox.env());
    drop(Run::of(&mut traced).quiet());
    let calls = std::fs::read_to_string(log.path()).unwrap();
    let place = |text: &str| calls.find(text).unwrap_or_else(|| panic!("no {text} in {calls}"));
    assert!(place("prctl(PR_SET_DUMPABLE, SUID_DUMP_DISABLE") < place("vault.key"));
}
