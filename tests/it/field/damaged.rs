//! Settings files that a crash, an editor or another program has damaged.

use crate::support::*;

/// A proxy port where nothing listens, so that a request to the public cloud stays on this machine.
const NOWHERE: &str = "http://127.0.0.1:9";
const NO_TEXT: &str = "is neither UTF-8 nor UTF-16 text";

fn utf16(text: &str) -> Vec<u8> {
    [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
}

/// Damaged contents of a file, each with a part of the message about it.
type Damages = Vec<(Vec<u8>, &'static str)>;

fn is(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn profiles() -> Damages {
    vec![
        (is("{\"subscriptions\": ["), "EOF while parsing"),
        (is("[]"), "it is not a JSON object"),
        (is("null"), "it is not a JSON object"),
        (is("{\"subscriptions\": 3}"), "'subscriptions' is not a list"),
        (is("{\"subscriptions\": [7]}"), "a subscription is not an object"),
        (is("{}{}"), "trailing characters"),
        (is("<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> other\n"), "expected value"),
        (utf16("{\"subscriptions\": ["), "EOF while parsing"),
        (b"\xff\xfe{\0}".to_vec(), NO_TEXT),
        (b"\xfe\xff\xd8\0\0{".to_vec(), NO_TEXT),
        (b"{\"name\": \"M\xfcnchen\"}".to_vec(), NO_TEXT),
        (vec![0; 512], "holds only zero bytes, as after a system crash"),
        (b"\x1f\x8b\x08\0\0".to_vec(), NO_TEXT),
    ]
}

fn ini_files() -> Damages {
    vec![
        (is("garbage\n[x"), "line 1: text before the first [section] header"),
        (is("[core\noutput = json\n"), "line 1"),
        (is("[core]\noutput\n"), "line 2"),
        (is("[core]\na = 1\na = 2\n"), "line 3"),
        (is("{\"core\": {}}"), "line 1"),
        (is("<<<<<<< HEAD\n[core]\n"), "line 1"),
        (utf16("[core]\r\noutput\r\n"), "line 2"),
        (b"[\0c\0o\0r\0e\0]".to_vec(), NO_TEXT),
        (b"[core]\nname = M\xfcnchen\n".to_vec(), NO_TEXT),
        (vec![0; 64], "holds only zero bytes"),
    ]
}

/// Asserts that `name` was set aside unchanged as `aside`, and that `run` says why and where.
#[track_caller]
fn is_aside(sandbox: &Sandbox, run: &Run, name: &str, aside: &str, content: &[u8], why: &str) {
    let (at, now) = (sandbox.file(name), sandbox.file(aside));
    let said = format!("WARNING: {} ", at.display());
    let line = run.stderr.lines().find(|line| line.starts_with(&said));
    let line = line.unwrap_or_else(|| panic!("{why}: {run:#?}"));
    assert!(line.contains(why), "{why}: {run:#?}");
    assert!(line.ends_with(&format!("It was put aside as {}.", now.display())), "{run:#?}");
    assert_eq!(std::fs::read(now).unwrap(), content, "{why}");
}

#[test]
fn a_sign_in_sets_a_damaged_profile_aside() {
    for (content, why) in profiles() {
        let sandbox = Sandbox::new();
        sandbox.write("azureProfile.json", &content);
        let cure = if why.starts_with("is ") || why.starts_with("holds ") {
            "Save it as UTF-8, or move it away."
        } else {
            "sign in again, which puts it aside"
        };
        sandbox.azt(["account", "show"]).exits(1).says(why).says(cure);
        assert_eq!(std::fs::read(sandbox.file("azureProfile.json")).unwrap(), content);
        let run = sandbox.azt(LOGIN_APP).success();
        is_aside(&sandbox, &run, "azureProfile.json", "azureProfile.json.damaged", &content, why);
        assert_eq!(sandbox.azt(["account", "show"]).quiet().json()["user"]["name"], APP);
    }
}

#[test]
fn repeated_damaged_profiles_get_numbered_names() {
    let sandbox = Sandbox::new();
    for (content, aside) in [
        ("{", "azureProfile.json.damaged"),
        ("[", "azureProfile.json.damaged-2"),
        ("", ""),
        ("{", "azureProfile.json.damaged-3"),
    ] {
        sandbox.write("azureProfile.json", content);
        let run = sandbox.az(LOGIN_APP).success();
        if aside.is_empty() {
            assert!(!run.stderr.contains("aside"), "{run:?}");
        } else {
            is_aside(&sandbox, &run, "azureProfile.json", aside, content.as_bytes(), "");
        }
    }
    // Even with --only-show-errors: accounts have disappeared from the list.
    sandbox.write("azureProfile.json", "{");
    let run = sandbox.azt(LOGIN_APP.iter().chain(&["--only-show-errors"])).success();
    is_aside(&sandbox, &run, "azureProfile.json", "azureProfile.json.damaged-4", b"{", "");
}

#[test]
fn a_failed_command_sets_nothing_aside() {
    let sandbox = Sandbox::new();
    sandbox.write("azureProfile.json", "{");
    for (args, code) in [
        (&["login", "--only-show-errors", "--debug"][..], 2),
        (&["login", "--identity", "--tenant", CONTOSO], 2),
        (&["login", "--service-principal", "-u", APP, "-t", CONTOSO, "-p", "wrong"], 6),
        (&["logout"], 4),
        (&["logout", "--username", "nobody@contoso.example"], 4),
    ] {
        let run = sandbox.azt(args).exits(code);
        assert!(!run.stderr.contains("aside"), "{args:?}: {run:?}");
        assert_eq!(sandbox.read("azureProfile.json"), "{", "{args:?}");
    }
    let run = Run::of(sandbox.command(LOGIN_APP).env("AZURE_CORE_NO_COLOR", "maybe")).exits(1);
    assert!(!run.stderr.contains("aside"), "{run:?}");
}

/// `config` decides which cloud gets secrets, and where the key is.
#[test]
fn a_damaged_config_prevents_a_sign_in() {
    for (content, why) in ini_files() {
        let sandbox = Sandbox::new();
        sandbox.write("config", &content);
        for command in [LOGIN_APP.as_slice(), &["account", "list"]] {
            drop(sandbox.azt(command).exits(1).says(why));
        }
        assert_eq!(std::fs::read(sandbox.file("config")).unwrap(), content);
        assert_eq!(sandbox.requests(), Vec::<String>::new());
    }
}

#[test]
fn a_sign_out_works_with_a_damaged_profile() {
    for (content, why) in profiles() {
        let sandbox = Sandbox::signed_in_as_alice();
        sandbox.write("azureProfile.json", &content);
        let run = sandbox.azt(["logout", "--username", ALICE]).success();
        is_aside(&sandbox, &run, "azureProfile.json", "azureProfile.json.damaged", &content, why);
        assert_eq!(sandbox.azt(["cache", "list"]).json().as_array().map(Vec::len), Some(0));

        sandbox.azt(["login", "--use-device-code"]).success();
        sandbox.write("azureProfile.json", &content);
        let run = sandbox.azt(["account", "clear"]).success();
        is_aside(&sandbox, &run, "azureProfile.json", "azureProfile.json.damaged-2", &content, why);
        assert!(!sandbox.file("azt/vault.json").exists());
    }
}

#[test]
fn a_bare_sign_out_with_a_damaged_profile_lists_the_accounts() {
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.login_app().success();
    sandbox.write("azureProfile.json", "{");
    sandbox
        .azt(["logout"])
        .exits(4)
        .says("There are no active accounts.\n")
        .says(&format!("\nazt logout --username {ALICE}\n"))
        .says(&format!("\nazt logout --username {APP}\n"));
    for name in [ALICE, APP] {
        sandbox.azt(["logout", "--username", name]).success();
    }
    let run = sandbox.azt(["logout"]).exits(4);
    assert!(!run.stderr.contains("signed in"), "{run:?}");
}

#[test]
fn a_damaged_clouds_file_prevents_a_sign_in_and_is_set_aside_by_a_sign_out() {
    for (content, why) in ini_files() {
        let sandbox = Sandbox::signed_in_as_app();
        sandbox.emulator.clear_requests();
        sandbox.write("clouds.config", &content);
        drop(sandbox.azt(["account", "list"]).exits(1).says(why));
        // The active cloud is defined there; without it the secret would go to the public cloud.
        let login = || {
            let mut login = sandbox.command(LOGIN_APP);
            login.env("HTTPS_PROXY", NOWHERE);
            login
        };
        drop(Run::of(&mut login()).exits(1).says(why));
        drop(sandbox.azt(["logout"]).exits(1).says(why));
        assert_eq!(std::fs::read(sandbox.file("clouds.config")).unwrap(), content);
        assert_eq!(sandbox.requests(), Vec::<String>::new());
        // A failed sign-in sets nothing aside.
        let run = Run::of(login().env("AZURE_CLOUD_NAME", "AzureCloud")).exits(7);
        assert!(!run.stderr.contains("aside"), "{run:?}");

        let run = sandbox.azt(["logout", "--username", APP]).success();
        is_aside(&sandbox, &run, "clouds.config", "clouds.config.damaged", &content, why);
        sandbox.write("clouds.config", &content);
        let run = sandbox.azt(["account", "clear"]).success();
        is_aside(&sandbox, &run, "clouds.config", "clouds.config.damaged-2", &content, why);
    }
}

#[test]
fn an_unreadable_profile_is_not_moved() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.file("azureProfile.json")).unwrap();
    sandbox.azt(LOGIN_APP).exits(1).says("ERROR: Cannot read ");
    assert!(sandbox.file("azureProfile.json").is_dir());
    assert_eq!(sandbox.requests(), Vec::<String>::new());
}

#[test]
fn doctor_finishes_despite_damaged_files() {
    let sandbox = Sandbox::signed_in_as_alice();
    let files = [
        ("config", ini_files()),
        ("clouds.config", ini_files()),
        ("azureProfile.json", profiles()),
    ];
    for (name, contents) in files {
        let good = sandbox.read(name);
        for (content, why) in contents {
            sandbox.write(name, &content);
            for args in [["doctor", "--offline"].as_slice(), &["doctor"]] {
                let mut doctor = sandbox.command(args);
                let run =
                    Run::of(doctor.env("HTTPS_PROXY", NOWHERE).env("AZURE_CLOUD_NAME", "Emulator"));
                assert_eq!(run.code, Some(1), "{name}, {why}: {run:#?}");
                let wrong =
                    run.stdout.lines().find(|line| line.starts_with("WRONG") && line.contains(why));
                assert!(wrong.is_some(), "{name}, {why}: {run:#?}");
                for check in ["folder", "vault", "az"] {
                    let ok = format!("ok    {check:<12}");
                    assert!(run.stdout.contains(&ok), "{name}, {why}: no {check} in {run:#?}");
                }
            }
            // As JSON too.
            assert!(
                sandbox.azt(["doctor", "--offline", "-o", "json"]).json().as_array().unwrap().len()
                    > 4
            );
        }
        sandbox.write(name, good);
    }
    drop(sandbox.azt(["doctor", "--offline"]).quiet());
}

#[test]
fn an_invalid_setting_stops_neither_doctor_nor_config_set() {
    let mut sandbox = Sandbox::signed_in_as_alice();
    sandbox.unset("AZURE_CORE_KEY_SOURCE");
    let good = sandbox.read("config");
    for (setting, bad, cure) in [
        ("core.only_show_errors", "perhaps", "false"),
        ("core.no_color", "2", "true"),
        ("core.output", "xml", "json"),
        ("core.key_source", "usb-stick", "file"),
        ("core.login_timeout", "soon", "60"),
        ("core.persist", "maybe", "true"),
        ("cloud.name", "5%", "Emulator"),
    ] {
        let (section, name) = setting.split_once('.').unwrap();
        let line = format!("{good}\n[more]\n[{section}]\n{name} = {bad}\n");
        let line = if section == "cloud" { format!("[cloud]\nname = {bad}\n") } else { line };
        sandbox.write("config", line);
        let run = sandbox.azt(["doctor", "--offline", "--query", "[].text"]);
        assert!(run.stdout.contains(name) || run.stdout.contains(bad), "{setting}: {run:#?}");
        let page = sandbox.azt(["doctor", "--offline"]).stdout;
        assert!(page.contains("WRONG") && page.contains("ok    folder"), "{setting}: {page}");
        if section == "core" {
            let run = sandbox.azt(["config", "get", setting]).success();
            assert_eq!(run.text("value"), bad);
        }
        drop(sandbox.azt(["config", "set", &format!("{setting}={cure}")]).success());
        let run = sandbox.azt(["config", "get", setting]).success();
        assert_eq!(run.json()["value"], cure, "{setting}");
        drop(sandbox.azt(["config", "unset", setting]).success());
    }
    sandbox.write("config", good);
    sandbox.write("clouds.config", "[Emulator]\nprofile = none-such\n");
    drop(sandbox.azt(["config", "set", "core.output=json"]).success());
    assert!(sandbox.azt(["doctor", "--offline"]).stdout.contains("WRONG settings"));
}

#[test]
fn doctor_finishes_without_a_home() {
    let mut sandbox = Sandbox::signed_in_as_alice();
    let config = sandbox.config_dir();
    sandbox.set("AZURE_CONFIG_DIR", config.to_str().unwrap());
    sandbox.unset("HOME");
    let later = sandbox.azt_later(0, ["doctor", "--offline"]);
    assert_eq!(later.code, Some(0), "{later:#?}");
    assert!(later.stdout.contains("ok    folder"), "{later:#?}");
    drop(sandbox.azt_later(0, ["cache", "status"]).success());
}

/// These files hold only state that azt can rebuild.
#[test]
fn damaged_state_files_of_azt_are_ignored() {
    let sandbox = Sandbox::signed_in_as_alice();
    for name in ["azt/found.json", "azt/accessTokens.json.state", "azt/swept"] {
        for content in [b"{".as_slice(), b"\xff\xfe\0", b""] {
            sandbox.write(name, content);
            drop(sandbox.azt(["account", "get-access-token"]).quiet());
            drop(sandbox.azt(["account", "show"]).quiet());
        }
    }
}
