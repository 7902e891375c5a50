//! Messages and remedies of sign-ins and sign-outs are true, and the remedies minimal.

use serde_json::Value;

use crate::support::*;

const TOKEN: [&str; 2] = ["account", "get-access-token"];
const GRAPH: [&str; 4] =
    ["account", "get-access-token", "--resource", "https://graph.microsoft.com"];

/// The command in a failure's remedy, which has its own line.
#[track_caller]
fn cure(run: &Run) -> String {
    let mut lines = run.stderr.lines().skip_while(|line| *line != "Sign in again:").skip(1);
    lines.next().unwrap_or_else(|| panic!("{run:#?}")).to_owned()
}

/// Runs a printed command line in a shell, with `more` appended.
fn as_printed(sandbox: &Sandbox, line: &str, more: &str) -> Run {
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_azt")).parent().unwrap();
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &format!("{line} {more}")]).env_clear().envs(sandbox.env());
    command.env("PATH", format!("{}:/usr/bin:/bin", bin.display())).current_dir(sandbox.root());
    Run::of(&mut command)
}

#[cfg(unix)]
#[test]
fn the_remedy_of_a_revoked_sign_in_is_a_bare_login() {
    let sandbox = Sandbox::signed_in_as_alice();
    let names = |sandbox: &Sandbox| {
        let list = sandbox.azt(["account", "list", "--all"]).quiet().json();
        let of = |it: &Value| {
            [&it["id"], &it["tenantDisplayName"], &it["isDefault"]].map(Value::to_string)
        };
        list.as_array().unwrap().iter().map(of).collect::<Vec<_>>()
    };
    sandbox.azt(["account", "set", "-s", "Fabrikam Shared"]).success();
    let before = names(&sandbox);
    sandbox.emulator.revoke(ALICE);
    drop(sandbox.azt(["cache", "clear"]).quiet());
    for args in [&TOKEN[..], &GRAPH] {
        assert_eq!(cure(&sandbox.azt(args).exits(5)), "azt login");
    }
    // Under the name az it is az's, to the byte.
    sandbox.az(TOKEN).exits(1).says("\naz login --tenant \"");
    as_printed(&sandbox, "azt login", "--use-device-code").success();
    assert_eq!(names(&sandbox), before);
    drop(sandbox.azt(TOKEN).quiet());
}

#[cfg(unix)]
#[test]
fn a_tenants_challenge_has_a_remedy_that_keeps_names_and_default() {
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.azt(["account", "set", "-s", "Fabrikam Shared"]).success();
    let profile = || {
        serde_json::from_str::<Value>(
            sandbox.read("azureProfile.json").trim_start_matches('\u{feff}'),
        )
        .unwrap()
    };
    let before = profile()["subscriptions"].clone();
    // Missing consent: a sign-in does not request this scope, so the remedy names it.
    let run = sandbox
        .azt(["account", "get-access-token", "--resource", "api://contoso-payroll"])
        .exits(5);
    let line = cure(&run);
    assert_eq!(
        line,
        format!("azt login --tenant {FABRIKAM} --scope api://contoso-payroll/.default")
    );
    assert!(!line.contains(['"', '\'']) && line.len() < 100, "{line}");
    // MFA for Resource Manager: every sign-in requests that scope, so the remedy omits it.
    sandbox.emulator.directory_mut(|directory| {
        directory.users.iter_mut().find(|it| it.username == ALICE).unwrap().mfa_required_in =
            vec![FABRIKAM.to_owned()];
    });
    drop(sandbox.azt(["cache", "clear"]).quiet());
    let run = sandbox.azt(TOKEN).exits(5);
    let line = cure(&run);
    assert!(
        line.starts_with(&format!("azt login --tenant {FABRIKAM} --claims-challenge ")),
        "{line}"
    );
    assert!(!line.contains(['"', '\'']) && !line.contains("--scope"), "{line}");
    sandbox.emulator.directory_mut(|directory| {
        directory.users.iter_mut().find(|it| it.username == ALICE).unwrap().mfa_required_in.clear();
    });
    as_printed(&sandbox, &cure(&run), "--use-device-code").success();
    assert_eq!(profile()["subscriptions"], before, "names, order and default stay");
}

/// A sign-in to one tenant does not fetch tenant names, and keeps the known ones.
#[test]
fn known_tenant_names_survive_a_sign_in_to_one_tenant() {
    let sandbox = Sandbox::signed_in_as_alice();
    let name = |list: &Value, id: &str| {
        let entry = list.as_array().unwrap().iter().find(|it| it["id"] == id).unwrap().clone();
        (entry["tenantDisplayName"].clone(), entry["tenantDefaultDomain"].clone())
    };
    let before = name(&sandbox.azt(["account", "list", "--all"]).json(), PRODUCTION);
    assert_eq!(before.0, "Contoso");
    sandbox.azt(["login", "--tenant", CONTOSO, "--use-device-code"]).success();
    assert_eq!(name(&sandbox.azt(["account", "list", "--all"]).json(), PRODUCTION), before);
}

/// In every state for which doctor has a remedy.
#[test]
fn no_remedy_of_doctor_signs_users_out() {
    let mut sandbox = Sandbox::signed_in_as_alice();
    sandbox.login_app().success();
    sandbox.share_with_az(true);
    sandbox.azt(["login", "--use-device-code"]).success();
    sandbox.login_app().success();
    let costs_nothing = |sandbox: &Sandbox, what: &str| {
        let run = sandbox.azt(["doctor", "--offline"]);
        for bad in ["account clear", "logout", "clear --all"] {
            assert!(!run.stdout.contains(bad), "{what}: {run:#?}");
        }
        run.stdout
    };
    let page = costs_nothing(&sandbox, "plain text");
    assert!(page.contains("azt cache migrate --remove"), "{page}");
    for name in [
        "config",
        "clouds.config",
        "azureProfile.json",
        "accessTokens.json",
        "msal_token_cache.json",
        "service_principal_entries.json",
    ] {
        let good = std::fs::read(sandbox.file(name)).ok();
        sandbox.write(name, "[{");
        costs_nothing(&sandbox, name);
        match good {
            Some(good) => sandbox.write(name, good),
            None => std::fs::remove_file(sandbox.file(name)).unwrap(),
        }
    }
    #[cfg(unix)]
    for (name, bad, good) in [
        ("azt/vault.key", 0o644, 0o600),
        ("azt", 0o777, 0o700),
        ("azureProfile.json", 0o666, 0o644),
    ] {
        use std::os::unix::fs::PermissionsExt;
        let set = |mode| {
            std::fs::set_permissions(sandbox.file(name), PermissionsExt::from_mode(mode)).unwrap()
        };
        set(bad);
        costs_nothing(&sandbox, name);
        set(good);
    }
    let clouds = sandbox.read("clouds.config");
    sandbox.write("clouds.config", clouds.replace("[Emulator]", "[Another]"));
    costs_nothing(&sandbox, "a cloud that is gone");
    sandbox.write("clouds.config", clouds);
    for (name, value) in
        [("AZT_VAULT_KEY", "x"), ("AZURE_CORE_KEY_SOURCE", "kernel"), ("AZT_ACCOUNT", "nobody")]
    {
        let before = sandbox.env().get(name).cloned();
        sandbox.set(name, value);
        costs_nothing(&sandbox, name);
        match before {
            Some(before) => sandbox.set(name, &before),
            None => sandbox.unset(name),
        }
    }
}

#[test]
fn azs_plain_text_files_are_imported_and_removed() {
    const FILES: [&str; 2] = ["msal_token_cache.json", "service_principal_entries.json"];
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.share_with_az(true);
    sandbox.azt(["login", "--use-device-code"]).success();
    sandbox.login_app().success();
    let kept = FILES.map(|name| sandbox.read(name));
    let run = sandbox.azt(["cache", "migrate", "--remove"]).success();
    // With sharing on they are written again.
    drop(run.says("run: azt config set core.share_with_az=false"));
    sandbox.share_with_az(false);
    let there = || FILES.map(|name| sandbox.file(name).exists());
    assert_eq!(there(), [false, false]);
    drop(sandbox.azt(GRAPH).quiet());
    drop(sandbox.azt(["doctor", "--offline"]).quiet());
    assert_eq!(sandbox.azt(["cache", "status"]).json()["plainText"], serde_json::json!([]));

    // A file with a sign-in that only az has stays, and the message names the account.
    drop(sandbox.azt(["cache", "clear", "--all"]).success());
    for (name, text) in FILES.iter().zip(&kept) {
        sandbox.write(name, text);
    }
    drop(sandbox.azt(["cache", "migrate", "--dry-run", "--remove"]).success());
    assert_eq!(there(), [true, true], "a dry run");
    let other = kept[1].replace(APP, "a1000000-0000-4000-8000-0000000000ff");
    sandbox.write(FILES[1], other);
    sandbox.write("config", sandbox.read("config").replace("share_with_az", "former"));
    let run = sandbox.azt(["cache", "migrate", "--remove"]).success();
    assert_eq!(there(), [false, true], "{run:#?}");
    drop(run.says("service_principal_entries.json stays: it has the only sign-in of a1000000-0000-4000-8000-0000000000ff"));
    // A file that is not az's cache is not removed.
    sandbox.write(FILES[0], "[7");
    sandbox
        .azt(["cache", "migrate", "--remove"])
        .success()
        .says("stays: it is not a readable az file");
    assert_eq!(sandbox.read(FILES[0]), "[7");
}

#[test]
fn a_sign_out_of_an_unknown_name_says_so() {
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.login_app().success();
    for name in ["typo@contoso.example", "alice", " alice@contoso.example", &format!("{APP}0")] {
        let run = sandbox.azt(["logout", "--username", name]).exits(4);
        drop(run.says(&format!(
            "ERROR: Nobody called '{name}' is signed in.\nSigned in: {ALICE}, {APP}.\n"
        )));
        // az prints nothing.
        drop(sandbox.az(["logout", "--username", name]).quiet());
    }
    drop(sandbox.azt(TOKEN).quiet());
    // Case-insensitively, and once.
    drop(sandbox.azt(["logout", "--username", &ALICE.to_uppercase()]).success());
    sandbox.azt(["logout", "--username", ALICE]).exits(4);
    drop(sandbox.azt(["logout", "--username", APP]).success());
    let run = sandbox.azt(["logout", "--username", APP]).exits(4);
    assert!(!run.stderr.contains("Signed in:"), "{run:?}");
}

/// Accounts in az's files only, or in the profile only.
#[test]
fn an_account_known_anywhere_can_be_signed_out() {
    let sandbox = Sandbox::new();
    sandbox.write("msal_token_cache.json", r#"{"Account": {"x": {"username": "jo@contoso.example", "home_account_id": "h", "environment": "elsewhere"}}}"#);
    drop(sandbox.azt(["logout", "--username", "Jo@contoso.example"]).success());
    sandbox.azt(["logout", "--username", "jo@contoso.example"]).exits(4);
    sandbox.list_app_in("Emulator");
    drop(sandbox.azt(["logout", "--username", APP]).success());
    sandbox.write(
        "service_principal_entries.json",
        format!(r#"[{{"client_id": "{APP}", "tenant": "t", "client_secret": "s"}}]"#),
    );
    drop(sandbox.azt(["logout", "--username", APP]).success());
    assert!(!sandbox.read("service_principal_entries.json").contains(APP));
}

#[cfg(target_os = "linux")]
#[test]
fn the_first_sign_in_says_where_the_key_is() {
    let mut sandbox = Sandbox::new();
    sandbox.unset("AZURE_CORE_KEY_SOURCE");
    sandbox.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus");
    let run = sandbox.login_app().success();
    let said = format!(
        "The vault key is kept in {}: no keyring here accepts it (azt doctor has the details).\n",
        sandbox.file("azt/vault.key").display()
    );
    assert_eq!(run.stderr, said);
    drop(sandbox.login_app().quiet());
    let page = sandbox.azt(["doctor", "--offline"]).quiet().stdout;
    assert!(
        page.contains("ok    keyring     the key is in a file. There is no keyring service here: "),
        "{page}"
    );

    // Nothing if the place was chosen, or with --only-show-errors.
    for (name, value) in [("AZURE_CORE_KEY_SOURCE", "file"), ("AZT_VAULT_KEY", &"ab".repeat(32))] {
        let mut sandbox = Sandbox::new();
        sandbox.unset("AZURE_CORE_KEY_SOURCE");
        sandbox.set(name, value);
        drop(sandbox.login_app().quiet());
    }
    let mut sandbox = Sandbox::new();
    sandbox.unset("AZURE_CORE_KEY_SOURCE");
    sandbox.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus");
    drop(sandbox.azt(LOGIN_APP.iter().chain(&["--only-show-errors"])).quiet());
}

#[cfg(target_os = "linux")]
#[test]
fn without_the_keyring_the_printed_export_line_works() {
    let mut sandbox = Sandbox::signed_in_as_app();
    sandbox.unset("AZURE_CORE_KEY_SOURCE");
    sandbox.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus");
    let vault = sandbox.read("azt/vault.json").replace("\"file\"", "\"keyring\"");
    sandbox.write("azt/vault.json", vault);
    for args in [&TOKEN[..], &["vault", "move", "--to", "file"], &["cache", "list"]] {
        let run = sandbox.azt(args).exits(9);
        // Not suggested to the command itself.
        let move_it =
            "In a session with an unlocked keyring, move the key: 'azt vault move --to file'.";
        assert_eq!(run.stderr.contains(move_it), !args.contains(&"move"), "{run:?}");
        let line = run.stderr.lines().find(|line| line.starts_with("export ")).unwrap().to_owned();
        let there = sandbox.config_dir().with_file_name(".azure-here");
        std::fs::create_dir_all(&there).unwrap();
        for name in ["config", "clouds.config"] {
            std::fs::copy(sandbox.file(name), there.join(name)).unwrap();
        }
        let more = format!(
            "--service-principal -u {APP} -p {APP_SECRET} -t {CONTOSO} && azt account get-access-token"
        );
        let run = as_printed(&sandbox, &line, &more).success();
        assert!(run.stdout.contains("accessToken"), "{run:?}");
    }
}

/// Needs the kernel's keyring, which containers may forbid.
#[cfg(target_os = "linux")]
#[test]
#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
fn a_key_in_the_kernels_keyring_names_its_lifetime() {
    const SAID: &str = "emptied when this machine restarts: all sign-ins end then.";
    let mut sandbox = Sandbox::new();
    sandbox.set("AZURE_CORE_KEY_SOURCE", "kernel");
    let run = sandbox.login_app();
    if run.code == Some(9) {
        eprintln!("skipped: the kernel's keyring takes no keys here");
        return;
    }
    drop(run.success().says(SAID));
    sandbox.unset("AZURE_CORE_KEY_SOURCE");
    sandbox.azt(["vault", "move", "--to", "file"]).success();
    sandbox.azt(["vault", "move", "--to", "kernel"]).success().says(SAID);
    let help = sandbox.azt(["vault", "move", "--help"]).success();
    let help = help.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        help.contains("kernel (until the machine restarts, which ends all sign-ins)"),
        "{help}"
    );
    sandbox.azt(["account", "clear"]).success();
}

#[test]
fn not_signed_in_is_said_plainly() {
    let sandbox = Sandbox::signed_in_as_alice();
    drop(sandbox.azt(["cache", "clear", "--all"]).success());
    let run = sandbox
        .azt(TOKEN)
        .exits(4)
        .says(&format!("ERROR: {ALICE} is not signed in. Run `azt login`."));
    assert!(!run.stderr.contains("MSAL"), "{run:?}");
    sandbox.az(TOKEN).exits(1).says(&format!(
        "ERROR: User '{ALICE}' does not exist in MSAL token cache. Run `az login`."
    ));
}

#[cfg(unix)]
#[test]
fn a_browser_that_fails_to_open_is_not_announced() {
    let mut sandbox = Sandbox::new();
    sandbox.set("AZURE_CORE_LOGIN_TIMEOUT", "1");
    sandbox.set("BROWSER", "/nowhere/browser");
    sandbox.set("PATH", "/nowhere");
    let run = sandbox.azt(["login"]).exits(5);
    assert!(!run.stderr.contains("has been opened"), "{run:?}");
    assert!(run.stderr.contains("Open this address yourself:\nhttps://"), "{run:?}");
    sandbox.set("PATH", "/usr/bin:/bin");
    sandbox.set("BROWSER", "true");
    drop(sandbox.azt(["login"]).exits(5).says("A web browser has been opened at https://"));
}

#[test]
fn remedies_have_lines_of_their_own() {
    let sandbox = Sandbox::signed_in_as_app();
    let key = sandbox.read("azt/vault.key");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let set = |mode| {
            std::fs::set_permissions(sandbox.file("azt/vault.key"), PermissionsExt::from_mode(mode))
                .unwrap()
        };
        set(0o644);
        let page = sandbox.azt(["doctor", "--offline"]).stdout;
        let chmod = format!(
            "                  Run: chmod 600 {}\n",
            sandbox.file("azt/vault.key").display()
        );
        assert!(page.contains(&chmod), "{page}");
        set(0o600);
    }
    sandbox.write("azt/vault.key", "00".repeat(32));
    let page = sandbox.azt(["doctor", "--offline"]).stdout;
    for line in page.lines().filter(|line| line.starts_with("      ")) {
        assert!(line.matches("Run: ").count() <= 1 && !line.contains("Or start"), "{page}");
    }
    sandbox.write("azt/vault.key", key);
}
