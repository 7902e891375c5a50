//! No secret in any file, message or command line, at any log level.

use crate::support::*;

/// The tokens that the emulator issued, and the application's secret.
fn secrets(sandbox: &Sandbox) -> Vec<String> {
    let mut found = vec![APP_SECRET.to_owned()];
    for request in sandbox.emulator.requests() {
        for name in [
            "refresh_token",
            "device_code",
            "client_secret",
            "client_assertion",
            "assertion",
            "code",
            "code_verifier",
            "password",
        ] {
            found.extend(request.form.get(name).cloned());
        }
        found.extend(
            request
                .header("authorization")
                .and_then(|line| line.strip_prefix("Bearer "))
                .map(str::to_owned),
        );
    }
    found.retain(|secret| secret.len() > 8);
    found.sort_unstable();
    found.dedup();
    found
}

#[track_caller]
fn assert_hidden(secrets: &[String], text: &[u8], place: &str) {
    let text = String::from_utf8_lossy(text);
    for secret in secrets {
        assert!(!text.contains(secret.as_str()), "a secret is in {place}");
        // A part of a token counts too.
        let (part, _) = secret.split_at(secret.len().min(40));
        assert!(part.len() < 20 || !text.contains(part), "part of a secret is in {place}");
    }
}

#[test]
fn no_file_and_no_message_holds_a_secret() {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    let graph =
        ["account", "get-access-token", "--resource", "https://graph.microsoft.com", "--debug"];
    let secret = sandbox.root().join("secret");
    std::fs::write(&secret, APP_SECRET).unwrap();
    let secret = format!("@{}", secret.display());
    let mut messages = Vec::new();
    let mut tokens = Vec::new();
    for arguments in [
        &["login", "--debug"][..],
        &["login", "--debug", "--service-principal", "-u", APP, "-p", &secret, "-t", CONTOSO],
        &[
            "login",
            "--debug",
            "--service-principal",
            "-u",
            APP,
            "-p",
            "wrong-secret-of-mine",
            "-t",
            CONTOSO,
        ],
        &graph,
        &["account", "get-access-token", "--tenant", FABRIKAM, "--debug"],
        &["account", "get-access-token", "--query", "sum(accessToken)", "--debug"],
        &["account", "list", "--debug"],
    ] {
        let run = sandbox.azt(arguments);
        assert!(run.stderr.contains("DEBUG: ") || arguments[1] == "list", "{run:?}");
        messages.push(run.stderr.clone());
        if arguments[1] == "get-access-token" && run.code == Some(0) {
            tokens.push(run.text("accessToken"));
        }
    }
    // Failures too.
    for action in [entra_emulator::Action::Drop, entra_emulator::Action::Truncate { keep: 900 }] {
        sandbox.emulator.faults().push(entra_emulator::Fault::on("/token", action).times(1));
        messages.push(
            sandbox
                .azt([
                    "account",
                    "get-access-token",
                    "--debug",
                    "--resource",
                    "https://vault.azure.net",
                ])
                .stderr,
        );
    }
    let mut secrets = secrets(&sandbox);
    secrets.extend(tokens);
    secrets.push("wrong-secret-of-mine".to_owned());
    assert!(secrets.len() > 6, "the test sees what it looks for: {}", secrets.len());

    for message in &messages {
        assert_hidden(&secrets, message.as_bytes(), message);
    }
    let files = sandbox.all_files();
    assert!(files.iter().any(|(path, _)| path.ends_with("azureProfile.json")));
    for (path, content) in files {
        assert_hidden(&secrets, &content, &path.display().to_string());
    }
}

/// Users, pipelines and encrypted files.
#[cfg(unix)]
#[test]
fn no_kind_of_sign_in_leaves_a_secret_behind() {
    use crate::browser::login_with_browser;
    let mut sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    let mut messages = vec![login_with_browser(&mut sandbox, &["--debug"]).success().stderr];
    sandbox.set("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "emulator-job-token");
    let url = format!("{}/pipeline/github", sandbox.emulator.url());
    sandbox.set("ACTIONS_ID_TOKEN_REQUEST_URL", &url);
    sandbox.set("AZURE_TENANT_ID", CONTOSO);
    sandbox.set("AZURE_CLIENT_ID", APP);
    sandbox.set("AZURE_CLIENT_SECRET", APP_SECRET);
    let workflow = "a1000000-0000-4000-8000-000000000003";
    for arguments in [
        &["login", "-u", ALICE, "-p", "Alice-password-1"][..],
        &["login", "--service-principal", "-u", workflow, "-t", CONTOSO],
        &["account", "get-access-token", "--identity-from-env", "-o", "none"],
        &["account", "get-access-token", "--user-assertion", "an-assertion-of-mine"],
        &[
            "login",
            "--service-principal",
            "-u",
            APP,
            "--certificate",
            "none.pfx",
            "--certificate-password",
            "the-password-of-mine",
            "-t",
            CONTOSO,
        ],
    ] {
        messages.push(sandbox.azt([arguments, &["--debug"]].concat()).stderr);
    }
    let mut secrets = secrets(&sandbox);
    secrets.extend(
        ["emulator-job-token", "an-assertion-of-mine", "the-password-of-mine"].map(str::to_owned),
    );
    assert!(secrets.iter().any(|secret| secret == "Alice-password-1"));
    for message in &messages {
        assert_hidden(&secrets, message.as_bytes(), message);
    }
    for (path, content) in sandbox.all_files() {
        assert_hidden(&secrets, &content, &path.display().to_string());
    }
}

#[cfg(unix)]
#[test]
fn azts_files_are_readable_by_the_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    for umask in ["000", "022", "027", "077"] {
        let sandbox = Sandbox::new();
        let mut login = std::process::Command::new("/bin/sh");
        let line = "umask $0; exec \"$@\"";
        login.args(["-c", line, umask, env!("CARGO_BIN_EXE_azt"), "login", "--service-principal"]);
        login.args(["-u", APP, "-p", APP_SECRET, "--tenant", CONTOSO]);
        Run::of(login.env_clear().envs(sandbox.env())).success();
        let vault = sandbox.file("azt");
        let mode =
            |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&vault), 0o700);
        for (path, _) in sandbox.all_files() {
            if path.starts_with(&vault) {
                assert_eq!(mode(&path), 0o600, "{} under {umask}", path.display());
            }
        }
        let bits = u32::from_str_radix(umask, 8).unwrap();
        assert_eq!(mode(&sandbox.file("azureProfile.json")), 0o644 & !bits, "as az leaves it");
    }
}

/// With sudo, or in a container with a user's home: the user must not be locked out.
#[cfg(unix)]
#[test]
fn files_that_root_makes_in_a_users_folder_are_the_users() {
    use std::os::unix::fs::{MetadataExt, chown};
    const SOMEBODY: u32 = 65_534;
    let sandbox = Sandbox::new();
    // Files of the sandbox.
    let _ = std::fs::remove_dir_all(sandbox.file("azt"));
    for path in [sandbox.config_dir(), sandbox.file("clouds.config"), sandbox.file("config")] {
        if path.exists() && chown(path, Some(SOMEBODY), Some(SOMEBODY)).is_err() {
            // Only root can.
            return;
        }
    }
    sandbox.login_app().success();
    drop(sandbox.azt(["account", "get-access-token"]).quiet());
    drop(sandbox.azt(["cache", "rekey"]).quiet());
    drop(sandbox.azt(["config", "set", "core.output=json"]).quiet());
    let mut seen = 0;
    let mut folders = vec![sandbox.config_dir()];
    while let Some(folder) = folders.pop() {
        assert_eq!(std::fs::metadata(&folder).unwrap().uid(), SOMEBODY, "{}", folder.display());
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                assert_eq!(entry.metadata().unwrap().uid(), SOMEBODY, "{entry:?}");
                seen += 1;
            }
        }
    }
    assert!(seen > 8, "{seen} files");
    let mut command = sandbox.command(["account", "get-access-token", "-o", "none"]);
    let copy = sandbox.root().join("azt-of-somebody");
    std::fs::copy(env!("CARGO_BIN_EXE_azt"), &copy).unwrap();
    for folder in [sandbox.root().to_owned(), sandbox.config_dir().parent().unwrap().to_owned()] {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    use std::os::unix::process::CommandExt;
    let mut theirs = std::process::Command::new(copy);
    theirs.args(command.get_args()).env_clear().envs(sandbox.env()).uid(SOMEBODY).gid(SOMEBODY);
    Run::of(&mut theirs).exits(0);
    Run::of(&mut command).exits(0);
}

/// Children's command lines would show in the process list, so there are no children.
#[cfg(target_os = "linux")]
#[test]
fn the_secret_can_be_typed_at_a_prompt() {
    let sandbox = Sandbox::new();
    let mut command =
        sandbox.command(["login", "--service-principal", "-u", APP, "-p", "@-", "-t", CONTOSO]);
    let mut child = command
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let line = std::fs::read(format!("/proc/{}/cmdline", child.id())).unwrap();
    assert_hidden(&[APP_SECRET.to_owned()], &line, "the command line");
    use std::io::Write;
    child.stdin.take().unwrap().write_all(APP_SECRET.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

/// With the setting, in GitHub Actions only: the runner masks the token.
#[test]
fn only_a_github_runner_gets_a_mask() {
    let sandbox = Sandbox::signed_in_as_app();
    let masked = ["account", "get-access-token", "--add-mask"];
    let elsewhere = sandbox.azt(masked).quiet();
    let token = elsewhere.text("accessToken");
    let mut command = sandbox.command(masked);
    let run = Run::of(command.env("GITHUB_ACTIONS", "true")).success();
    assert_eq!(run.stderr, format!("::add-mask::{token}\n"));
    assert_eq!(run.stdout, elsewhere.stdout);
    let mut command = sandbox.command(["account", "get-access-token"]);
    drop(Run::of(command.env("GITHUB_ACTIONS", "true")).quiet());
}

/// A process killed before the rename leaves a temporary file with plain-text secrets.
#[test]
fn leftovers_of_killed_writers_are_removed() {
    let sandbox = Sandbox::signed_in_as_app();
    let fetch = ["account", "get-access-token", "--resource", "https://vault.azure.net"];
    drop(sandbox.azt(fetch).quiet());
    let places = ["", "azt/", "azt/records/"];
    let names = |suffix: &str| places.map(|place| format!("{place}.azt-{suffix}.tmp"));
    let (old, young) = (names("old"), names("young"));
    for name in old.iter().chain(&young).chain([&".azt-notes".to_owned()]) {
        sandbox.write(name, "a secret");
    }
    for name in &old {
        let file = std::fs::File::options().append(true).open(sandbox.file(name)).unwrap();
        let written = file.metadata().unwrap().modified().unwrap();
        file.set_modified(written - std::time::Duration::from_secs(3_700)).unwrap();
    }
    let there = |names: &[String]| {
        names.iter().filter(|name| sandbox.file(name).exists()).cloned().collect::<Vec<_>>()
    };
    assert_eq!(sandbox.azt_later(3_600, fetch).code, Some(0));
    assert_eq!(there(&old), old, "once a day is enough");
    assert_eq!(sandbox.azt_later(25 * 3_600, fetch).code, Some(0));
    assert_eq!((there(&old), there(&young)), (vec![], young.to_vec()), "another may be writing it");
    drop(sandbox.azt(["account", "clear"]).success());
    assert_eq!(there(&young), Vec::<String>::new());
    assert!(sandbox.file(".azt-notes").exists());
}
