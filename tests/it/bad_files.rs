//! Damaged files give an error with a remedy, or a warning; nothing is overwritten or lost.

use crate::support::*;

/// Asserts that each command names the damaged file, has a remedy, and leaves the file unchanged.
#[track_caller]
fn is_named_and_left_alone(sandbox: &Sandbox, name: &str, content: &[u8], commands: &[&[&str]]) {
    sandbox.write(name, content);
    for command in commands {
        let run = sandbox.azt(*command).exits(1).says(name);
        assert!(run.stderr.lines().count() >= 2, "no remedy: {run:?}");
        assert_eq!(std::fs::read(sandbox.file(name)).unwrap(), content, "{command:?}");
    }
}

#[test]
fn a_damaged_profile_is_reported_and_kept() {
    let sandbox = Sandbox::signed_in_as_alice();
    for content in [
        &b"{\"subscriptions\": ["[..],
        b"\xff\xfe\x00\xd8",
        b"\xe9",
        b"[]",
        b"{\"subscriptions\": 3}",
    ] {
        is_named_and_left_alone(
            &sandbox,
            "azureProfile.json",
            content,
            &[
                &["account", "show"],
                &["account", "get-access-token"],
                &["account", "set", "-s", "x"],
            ],
        );
    }
}

#[test]
fn an_empty_profile_means_no_accounts() {
    let sandbox = Sandbox::new();
    for content in ["", "{}", "\u{feff}{}", "{\"installationId\": \"x\"}"] {
        sandbox.write("azureProfile.json", content);
        sandbox.azt(["account", "show"]).exits(4);
        assert_eq!(sandbox.read("azureProfile.json"), content);
    }
}

#[test]
fn a_damaged_config_is_reported_and_kept() {
    let sandbox = Sandbox::new();
    for content in [&b"no section\n"[..], b"[core\noutput = json\n", b"[core]\n\xff\xfe = 1\n"] {
        is_named_and_left_alone(
            &sandbox,
            "config",
            content,
            &[&["account", "list"], &["config", "set", "a.b=c"], &["config", "get"]],
        );
    }
}

#[test]
fn a_damaged_clouds_file_is_reported_and_kept() {
    let sandbox = Sandbox::new();
    is_named_and_left_alone(
        &sandbox,
        "clouds.config",
        b"endpoint_resource_manager = x\n",
        &[&["account", "list"], &["cloud", "list"], &["cloud", "register", "-n", "x"]],
    );
}

#[test]
fn invalid_setting_values_are_reported() {
    let sandbox = Sandbox::new();
    for (setting, value) in [
        ("AZURE_CORE_ONLY_SHOW_ERRORS", "perhaps"),
        ("AZURE_CORE_NO_COLOR", "2"),
        ("AZURE_CORE_OUTPUT", "xml"),
        ("AZURE_CORE_KEY_SOURCE", "usb-stick"),
    ] {
        let mut command = sandbox.command(["account", "get-access-token"]);
        let run = Run::of(command.env(setting, value));
        assert!(run.code != Some(0) || setting.ends_with("KEY_SOURCE"), "{setting}: {run:?}");
        if run.code != Some(4) {
            run.says(value);
        }
    }
}

#[test]
fn an_unregistered_active_cloud_is_reported() {
    let sandbox = Sandbox::signed_in_as_alice();
    let before = sandbox.read("config");
    let mut command = sandbox.command(["account", "list"]);
    let run = Run::of(command.env("AZURE_CLOUD_NAME", "Nowhere")).success();
    run.says("The cloud 'Nowhere' is not registered.");
    assert_eq!(sandbox.read("config"), before, "az rewrites it");
    sandbox.emulator.clear_requests();
    let mut command = sandbox.command(LOGIN_APP);
    let run = Run::of(command.env("AZURE_CLOUD_NAME", "Nowhere")).exits(1);
    drop(run.says("Signing in needs a registered cloud.").says("azt cloud set"));
    assert_eq!(sandbox.requests(), Vec::<String>::new(), "no secret leaves for AzureCloud");
}

#[test]
fn a_damaged_record_is_set_aside_and_fetched_again() {
    let sandbox = Sandbox::signed_in_as_app();
    let records = sandbox.file("azt/records");
    let token = std::fs::read_dir(&records)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.file_name().unwrap().to_str().unwrap().starts_with("at-"))
        .unwrap();
    let mut content = std::fs::read(&token).unwrap();
    *content.last_mut().unwrap() ^= 1;
    std::fs::write(&token, &content).unwrap();

    let run = sandbox.azt(["account", "get-access-token"]).success().says("WARNING: ");
    assert!(!run.text("accessToken").is_empty());
    assert_eq!(sandbox.requests(), ["POST token client_credentials"]);
    let aside: Vec<_> = std::fs::read_dir(&records)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "unreadable"))
        .collect();
    assert_eq!(aside.len(), 1);
    assert_eq!(std::fs::read(&aside[0]).unwrap(), content, "kept as it was found");
    sandbox.azt(["account", "get-access-token"]).quiet();
}

#[test]
fn a_lost_vault_key_is_not_replaced_while_records_exist() {
    let sandbox = Sandbox::signed_in_as_app();
    let key = sandbox.file("azt/vault.key");
    let saved = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    sandbox.azt(["account", "get-access-token"]).exits(9);
    sandbox.login_app().exits(9);
    assert!(!key.exists());
    std::fs::write(&key, saved).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    sandbox.azt(["account", "get-access-token"]).quiet();
}

#[cfg(unix)]
#[test]
fn an_unwritable_config_folder_is_an_error() {
    // Root can write anywhere, so the folder is below a file.
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(LOGIN_APP);
    let inside = sandbox.file("config").join("below");
    let run = Run::of(command.env("AZURE_CONFIG_DIR", inside));
    assert_ne!(run.code, Some(0));
    run.says("ERROR: ");
}

/// Calls still get tokens, and stored records stay.
#[cfg(target_os = "linux")]
#[test]
fn a_read_only_or_full_folder_still_serves_tokens() {
    let sandbox = Sandbox::signed_in_as_alice();
    let token = "az account get-access-token --query tokenType -o tsv";
    let cold = format!("{token} --resource https://vault.azure.net");
    let read_only = "mount --bind $HOME $HOME; mount -o remount,ro,bind $HOME";
    let run = sandbox.in_mount_namespace(&format!("{read_only}; {token}; {cold}; {cold}"));
    drop(run.quiet().prints("Bearer\nBearer\nBearer\n"));
    assert_eq!(sandbox.requests().len(), 2, "nothing could be kept");
    let run = sandbox.in_mount_namespace(&format!("{read_only}; az login --use-device-code"));
    drop(run.exits(1).says("ERROR: Cannot "));
    let full = "cp -r $HOME/.azure $TMPDIR/kept; mount -t tmpfs -o size=256k none $HOME; \
                cp -r $TMPDIR/kept $HOME/.azure; head -c 300000 /dev/zero >$HOME/filler || true";
    let run = sandbox
        .in_mount_namespace(&format!("({full}) 2>/dev/null; {token}; {cold}; {cold}; {token}"));
    drop(run.quiet().prints("Bearer\nBearer\nBearer\nBearer\n"));
    // The stored token is still there.
    sandbox.emulator.clear_requests();
    drop(sandbox.azt(["account", "get-access-token"]).quiet());
    assert_eq!(sandbox.requests(), Vec::<String>::new());
}

/// Reading a pipe would block forever.
#[cfg(unix)]
#[test]
fn a_pipe_instead_of_a_file_is_an_error() {
    let sandbox = Sandbox::signed_in_as_alice();
    let mut records = std::fs::read_dir(sandbox.file("azt/records")).unwrap().map(Result::unwrap);
    let is_refresh_token = |name: &std::ffi::OsStr| name.to_str().unwrap().starts_with("rt-");
    let record = records.find(|it| is_refresh_token(&it.file_name())).unwrap();
    let files = ["azureProfile.json", "config", "clouds.config", "azt/vault.json"];
    let files = files.map(|name| sandbox.file(name)).into_iter().chain([record.path()]);
    for path in files {
        let aside = path.with_extension("aside");
        let was_there = std::fs::rename(&path, &aside).is_ok();
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        let run = sandbox.azt(["cache", "list"]);
        let run = if path.ends_with("azureProfile.json") {
            sandbox.azt(["account", "show"])
        } else {
            run
        };
        assert!(run.code != Some(0) && run.stderr.contains("it is a pipe"), "{path:?}: {run:?}");
        std::fs::remove_file(&path).unwrap();
        if was_there {
            std::fs::rename(&aside, &path).unwrap();
        }
    }
    drop(sandbox.azt(["account", "get-access-token"]).quiet());
}

/// A file server may hold a lease on a file that it shares; opening the file waits for the break.
#[cfg(target_os = "linux")]
#[test]
fn a_file_under_a_lease_is_read() {
    use std::io::{BufRead, BufReader};
    const HOLDER: &str = "import fcntl, signal, sys
file = open(sys.argv[1], 'r+')
give_up = lambda *_: fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
signal.signal(signal.SIGIO, give_up)
fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print('held', flush=True)
sys.stdin.read()";
    let sandbox = Sandbox::signed_in_as_alice();
    let mut holder = std::process::Command::new("python3")
        .args(["-c", HOLDER])
        .arg(sandbox.file("azureProfile.json"))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(holder.stdout.take().unwrap()).read_line(&mut said).unwrap();
    assert_eq!(said, "held\n");
    drop(sandbox.azt(["account", "show"]).quiet());
    drop(holder.stdin.take());
    holder.wait().unwrap();
}
