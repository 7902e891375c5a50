//! Signing in, signing out and cures: what is said is so, and costs no more than it must.

use serde_json::Value;

use crate::support::*;

const TOKEN: [&str; 2] = ["account", "get-access-token"];
const GRAPH: [&str; 4] =
    ["account", "get-access-token", "--resource", "https://graph.microsoft.com"];

/// The command of a failure, which stands on a line of its own.
#[track_caller]
fn cure(run: &Run) -> String {
    let mut lines = run.stderr.lines().skip_while(|line| *line != "Sign in again:").skip(1);
    lines.next().unwrap_or_else(|| panic!("{run:#?}")).to_owned()
}

/// Runs a command line that was printed, as a shell does, with more behind it.
fn as_printed(sandbox: &Sandbox, line: &str, more: &str) -> Run {
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_azt")).parent().unwrap();
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &format!("{line} {more}")]).env_clear().envs(sandbox.env());
    command.env("PATH", format!("{}:/usr/bin:/bin", bin.display())).current_dir(sandbox.root());
    Run::of(&mut command)
}

#[cfg(unix)]
#[test]
fn the_cure_of_an_ended_sign_in_is_the_least() {
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
    // As az it is az's, to the byte.
    sandbox.az(TOKEN).exits(1).says("\naz login --tenant \"");
    as_printed(&sandbox, "azt login", "--use-device-code").success();
    assert_eq!(names(&sandbox), before);
    drop(sandbox.azt(TOKEN).quiet());
}

#[cfg(unix)]
#[test]
fn where_a_tenant_wants_more_the_cure_names_it_and_keeps_names_and_default() {
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.azt(["account", "set", "-s", "Fabrikam Shared"]).success();
    let profile = || {
        serde_json::from_str::<Value>(
            sandbox.read("azureProfile.json").trim_start_matches('\u{feff}'),
        )
        .unwrap()
    };
    let before = profile()["subscriptions"].clone();
    // No consent: the scope is not what every sign-in asks for.
    let run = sandbox
        .azt(["account", "get-access-token", "--resource", "api://contoso-payroll"])
        .exits(5);
    let line = cure(&run);
    assert_eq!(
        line,
        format!("azt login --tenant {FABRIKAM} --scope api://contoso-payroll/.default")
    );
    assert!(!line.contains(['"', '\'']) && line.len() < 100, "{line}");
    // A second factor for Resource Manager itself: the scope goes without saying.
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

/// A sign-in to one tenant does not ask for its names; it forgets none that are known.
#[test]
fn a_tenants_names_outlive_a_sign_in_to_it_alone() {
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

/// What cures something must not cost a sign-in: in every state that doctor has a cure for.
#[test]
fn doctor_names_no_cure_that_signs_people_out() {
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
fn azs_plain_text_is_taken_over_and_removed() {
    const FILES: [&str; 2] = ["msal_token_cache.json", "service_principal_entries.json"];
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.share_with_az(true);
    sandbox.azt(["login", "--use-device-code"]).success();
    sandbox.login_app().success();
    let kept = FILES.map(|name| sandbox.read(name));
    let run = sandbox.azt(["cache", "migrate", "--remove"]).success();
    // They come again while az is told.
    drop(run.says("azt config set core.share_with_az=false keeps them out"));
    sandbox.share_with_az(false);
    let there = || FILES.map(|name| sandbox.file(name).exists());
    assert_eq!(there(), [false, false]);
    drop(sandbox.azt(GRAPH).quiet());
    drop(sandbox.azt(["doctor", "--offline"]).quiet());
    assert_eq!(sandbox.azt(["cache", "status"]).json()["plainText"], serde_json::json!([]));

    // Where az alone has a sign-in, its file stays and says whose.
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
    // What is no file of az's is nobody's to remove.
    sandbox.write(FILES[0], "[7");
    sandbox
        .azt(["cache", "migrate", "--remove"])
        .success()
        .says("stays: it is no file of az's that can be read");
    assert_eq!(sandbox.read(FILES[0]), "[7");
}

#[test]
fn a_misspelt_name_is_not_signed_out_without_a_word() {
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.login_app().success();
    for name in ["typo@contoso.example", "alice", " alice@contoso.example", &format!("{APP}0")] {
        let run = sandbox.azt(["logout", "--username", name]).exits(4);
        drop(run.says(&format!(
            "ERROR: Nobody called '{name}' is signed in.\nSigned in: {ALICE}, {APP}.\n"
        )));
        // az says nothing.
        drop(sandbox.az(["logout", "--username", name]).quiet());
    }
    drop(sandbox.azt(TOKEN).quiet());
    // In any case, and once only.
    drop(sandbox.azt(["logout", "--username", &ALICE.to_uppercase()]).quiet());
    sandbox.azt(["logout", "--username", ALICE]).exits(4);
    drop(sandbox.azt(["logout", "--username", APP]).quiet());
    let run = sandbox.azt(["logout", "--username", APP]).exits(4);
    assert!(!run.stderr.contains("Signed in:"), "{run:?}");
}

/// Who is in az's files alone, or in the profile alone, is signed out as before.
#[test]
fn whoever_is_known_anywhere_can_be_signed_out() {
    let sandbox = Sandbox::new();
    sandbox.write("msal_token_cache.json", r#"{"Account": {"x": {"username": "jo@contoso.example", "home_account_id": "h", "environment": "elsewhere"}}}"#);
    drop(sandbox.azt(["logout", "--username", "Jo@contoso.example"]).quiet());
    sandbox.azt(["logout", "--username", "jo@contoso.example"]).exits(4);
    sandbox.list_app_in("Emulator");
    drop(sandbox.azt(["logout", "--username", APP]).quiet());
    sandbox.write(
        "service_principal_entries.json",
        format!(r#"[{{"client_id": "{APP}", "tenant": "t", "client_secret": "s"}}]"#),
    );
    drop(sandbox.azt(["logout", "--username", APP]).quiet());
    assert!(!sandbox.read("service_principal_entries.json").contains(APP));
}

#[test]
fn a_setting_that_is_none_is_said_when_it_is_set() {
    let mut sandbox = Sandbox::new();
    sandbox.unset("AZURE_CORE_KEY_SOURCE");
    for (pair, said) in [
        (
            "core.outpt=json",
            "core.outpt is no setting that azt or az knows. Did you mean core.output?",
        ),
        ("core.Key-Source=file", "Did you mean core.key_source?"),
        ("core.mine=1", "core.mine is no setting that azt or az knows.\n"),
        (
            "core.output=xml",
            "The setting core.output is 'xml', which is no output format. It is kept all the same.",
        ),
        ("core.key_source=bogus", "'bogus' is no key source"),
        ("core.login_timeout=abc", "core.login_timeout is not a number of seconds"),
        (
            "core.key_cache_seconds=-1",
            "core.key_cache_seconds is '-1', which is no number of seconds",
        ),
        ("core.persist=perhaps", "core.persist is 'perhaps', which is neither on nor off"),
        ("core.NO_COLOR=2", "core.no_color is '2', which is neither on nor off"),
    ] {
        sandbox.azt(["config", "set", pair]).success().says("WARNING: ").says(said);
        let (name, value) = pair.split_once('=').unwrap();
        assert_eq!(sandbox.azt(["config", "get", &name.to_lowercase()]).json()["value"], value);
        sandbox.azt(["config", "unset", name]).success();
        // As az, az's words alone.
        let run = sandbox.az(["config", "set", pair]).success();
        assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
        sandbox.azt(["config", "unset", name]).success();
    }
    for pair in [
        "core.output=table",
        "core.output=json",
        "core.key_source=AUTO",
        "core.login_timeout= 60",
        "core.persist=Yes",
        "core.collect_telemetry=no",
        "core.error_format=json",
        "core.error_format=text",
        "defaults.group=x",
        "mine.own=1",
        "cloud.name=Emulator",
    ] {
        drop(sandbox.azt(["config", "set", pair]).quiet());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_first_line_about_the_key_is_calm() {
    let mut sandbox = Sandbox::new();
    sandbox.unset("AZURE_CORE_KEY_SOURCE");
    sandbox.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus");
    let run = sandbox.login_app().success();
    let said = format!(
        "The vault key is kept in {}: no keyring takes it here (azt doctor has the details).\n",
        sandbox.file("azt/vault.key").display()
    );
    assert_eq!(run.stderr, said);
    drop(sandbox.login_app().quiet());
    let page = sandbox.azt(["doctor", "--offline"]).quiet().stdout;
    assert!(
        page.contains("ok    keyring     the key is in a file. There is no keyring service here: "),
        "{page}"
    );

    // Nothing where it was chosen, or where errors are all that is wanted.
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
fn without_the_keyring_the_last_line_of_the_cure_works_where_it_stands() {
    let mut sandbox = Sandbox::signed_in_as_app();
    sandbox.unset("AZURE_CORE_KEY_SOURCE");
    sandbox.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus");
    let vault = sandbox.read("azt/vault.json").replace("\"file\"", "\"keyring\"");
    sandbox.write("azt/vault.json", vault);
    for args in [&TOKEN[..], &["vault", "move", "--to", "file"], &["cache", "list"]] {
        let run = sandbox.azt(args).exits(9);
        // Not as advice to who has just run it.
        let move_it = "In a session where the keyring is unlocked the key can be moved: 'azt vault move --to file'.";
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

/// Where the kernel takes keys; a container may forbid it.
#[cfg(target_os = "linux")]
#[test]
#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
fn a_key_in_the_kernel_says_how_long_it_stays() {
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
fn who_is_not_signed_in_is_told_so_in_plain_words() {
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
fn a_browser_that_does_not_open_is_not_said_to_have_opened() {
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
fn cures_stand_on_lines_of_their_own() {
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
