//! No storage: no home, no passwd entry, no writable disk.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use entra_emulator::directory::NIGHTLY_BUILD_CERTIFICATE;

use super::file_systems::Mount;
use crate::attacks::is_root;
use crate::support::*;

/// A uid without a passwd entry.
const STRANGER: u32 = 54_321;
const TOKEN: [&str; 3] = ["account", "get-access-token", "--identity-from-env"];
const SET: &str = "Set AZURE_CONFIG_DIR to a folder that you can write to";

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn open_to_all(path: &Path) {
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}

/// A container: an application in the environment, the programs, and a uid without a passwd entry.
struct Container {
    sandbox: Sandbox,
    variables: Vec<(&'static str, String)>,
}

impl Container {
    /// `None` without root.
    fn new() -> Option<Self> {
        if !is_root() {
            return None;
        }
        let mut sandbox = Sandbox::without_cloud();
        let url = sandbox.emulator.url().to_owned();
        for (name, value) in [
            ("AZURE_TENANT_ID", CONTOSO),
            ("AZURE_CLIENT_ID", APP),
            ("AZURE_CLIENT_SECRET", APP_SECRET),
            ("AZURE_AUTHORITY_HOST", &url),
            // No request leaves this machine.
            ("HTTPS_PROXY", "http://127.0.0.1:9"),
            ("NO_PROXY", "localhost"),
        ] {
            sandbox.set(name, value);
        }
        open_to_all(sandbox.root());
        let program = sandbox.root().join("azt");
        // Copied by another process: a test running beside would inherit a descriptor open for
        // writing, and running the copy would fail with ETXTBSY.
        let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_azt")).arg(&program).status();
        assert!(copied.unwrap().success());
        symlink(&program, sandbox.root().join("az")).unwrap();
        sandbox.unset("HOME");
        Some(Self { sandbox, variables: Vec::new() })
    }

    fn with(&self, name: &'static str, value: &str) -> Self {
        let Some(mut other) = Self::new() else { unreachable!("it is root") };
        other.variables = vec![(name, value.to_owned())];
        other
    }

    fn run_as(&self, who: u32, name: &str, args: &[&str]) -> Run {
        let mut command = Command::new(self.sandbox.root().join(name));
        command.args(args).env_clear().envs(self.sandbox.env());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.current_dir("/").uid(who).gid(who);
        Run::of(&mut command)
    }

    fn azt(&self, args: &[&str]) -> Run {
        self.run_as(STRANGER, "azt", args)
    }

    /// Asserts a token, and one warning that it is not stored.
    #[track_caller]
    fn gets_a_token(&self) {
        let run = self.azt(&TOKEN).success();
        assert_eq!(run.text("tenant"), CONTOSO);
        let line = run.stderr.strip_suffix('\n').unwrap_or_else(|| panic!("{run:?}"));
        assert!(line.starts_with("WARNING: The token is kept in memory only. "), "{run:?}");
        assert!(!line.contains('\n') && line.contains(SET), "{run:?}");
        assert!(line.contains("AZURE_CORE_PERSIST=false"), "{run:?}");
        // Under the name az: no warning, which callers would take for a failure.
        drop(self.run_as(STRANGER, "az", &TOKEN).quiet());
        // With that variable there is no warning.
        let mut command = vec!["AZURE_CORE_PERSIST=false".to_owned()];
        command.push(text(&self.sandbox.root().join("azt")).to_owned());
        let mut quiet = Command::new("/usr/bin/env");
        quiet.args(command).args(TOKEN).env_clear().envs(self.sandbox.env());
        quiet.envs(self.variables.iter().map(|(name, value)| (name, value)));
        drop(Run::of(quiet.uid(STRANGER).gid(STRANGER)).quiet());
    }

    /// Asserts that each sign-in is refused before any request.
    #[track_caller]
    fn refuses_a_sign_in(&self) {
        self.sandbox.emulator.clear_requests();
        for login in [&["login", "--use-device-code"][..], &LOGIN_APP, &["login", "--identity"]] {
            let run = self.azt(login);
            assert!(run.code != Some(0) && run.code != Some(7), "{run:?}");
            let run = run.says("ERROR: ").says("AZURE_CONFIG_DIR");
            assert!(!run.stderr.contains("To make it yours"), "{run:?}");
        }
        assert_eq!(self.sandbox.requests(), Vec::<String>::new());
    }

    /// Asserts that doctor runs each check.
    #[track_caller]
    fn has_a_doctor(&self) {
        let run = self.azt(&["doctor", "--offline"]);
        for what in ["folder", "vault", "settings", "accounts", "proxy", "az"] {
            let is_there = |line: &str| line.split_whitespace().nth(1) == Some(what);
            assert!(run.stdout.lines().any(is_there), "{what}: {run:?}");
        }
        assert!(run.stdout.contains("AZURE_CONFIG_DIR"), "{run:?}");
    }

    #[track_caller]
    fn is_of_use(&self) {
        self.gets_a_token();
        self.refuses_a_sign_in();
        self.has_a_doctor();
        assert_eq!(self.azt(&["account", "list"]).success().stdout, "[]\n");
        drop(self.azt(&["version"]).quiet());
        drop(self.azt(&["cloud", "list"]).quiet());
        assert_ne!(self.azt(&["account", "show"]).code, Some(0));
        drop(self.azt(&["config", "set", "core.output=json"]).exits(1).says("AZURE_CONFIG_DIR"));
    }
}

#[test]
fn without_a_home_tokens_are_not_stored() {
    let Some(container) = Container::new() else { return };
    container.is_of_use();
    let page = container.azt(&["doctor", "--offline"]);
    assert!(page.stdout.contains("there is no home folder: sign-in is impossible"), "{page:?}");
    let error = container.azt(&["login"]).exits(1);
    drop(error.says("There is no home folder to store anything in.").says(SET));
    // No folder is made in the working directory.
    assert!(!Path::new("/azt").exists() && !Path::new("/.azure").exists());
}

#[test]
fn an_unusable_home_is_reported() {
    let Some(container) = Container::new() else { return };
    let root = container.sandbox.root();
    let (of_another, file, taken) = (root.join("theirs"), root.join("file"), root.join("taken"));
    fs::create_dir(&of_another).unwrap();
    fs::create_dir(&taken).unwrap();
    fs::write(&file, "").unwrap();
    fs::write(taken.join(".azure"), "").unwrap();
    open_to_all(&of_another);
    chown(&taken, Some(STRANGER), Some(STRANGER)).unwrap();
    chown(taken.join(".azure"), Some(STRANGER), Some(STRANGER)).unwrap();
    let closed = root.join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, Permissions::from_mode(0o700)).unwrap();
    for home in ["/nonexistent", "/", "/proc", "/dev/null", text(&of_another), text(&closed)] {
        container.with("HOME", home).is_of_use();
    }
    // A file in the folder's place is named.
    for home in [&file, &taken] {
        let container = container.with("HOME", text(home));
        container.gets_a_token();
        container.refuses_a_sign_in();
        let run = container.azt(&["login"]);
        drop(run.says("Not a directory").says("A file lies where a folder is needed"));
        container.has_a_doctor();
    }
    let root_remedy = container.with("HOME", "/nonexistent").azt(&["login"]);
    let remedy = "/ belongs to another user (uid 0): run as that user, or set AZURE_CONFIG_DIR to";
    drop(root_remedy.says(remedy));
}

#[test]
fn an_unwritable_folder_is_reported() {
    let Some(container) = Container::new() else { return };
    let root = container.sandbox.root();
    let (read_only, full) = (root.join("read-only"), root.join("full"));
    for path in [&read_only, &full] {
        fs::create_dir(path).unwrap();
    }
    let at = |path: &PathBuf, options: &[&str]| Mount::of(options, path);
    let _mounts = [
        at(&read_only, &["-t", "tmpfs", "-o", "ro,mode=755,uid=54321", "tmpfs"]),
        at(&full, &["-t", "tmpfs", "-o", "size=16k,mode=755,uid=54321", "tmpfs"]),
    ];
    let _ = fs::write(full.join("other"), vec![0; 64 * 1024]);
    let inner = full.join("azure");
    for folder in [&read_only, &read_only.join("azure"), &inner] {
        container.with("AZURE_CONFIG_DIR", text(folder)).gets_a_token();
    }
    for folder in [&read_only, &read_only.join("azure")] {
        container.with("AZURE_CONFIG_DIR", text(folder)).is_of_use();
    }
}

#[test]
fn a_certificate_or_a_federated_token_needs_no_home_either() {
    let Some(mut container) = Container::new() else { return };
    let sandbox = &mut container.sandbox;
    sandbox.unset("AZURE_CLIENT_SECRET");
    let (certificate, token) = (sandbox.root().join("n.pem"), sandbox.root().join("token"));
    fs::write(&certificate, NIGHTLY_BUILD_CERTIFICATE).unwrap();
    let issuer = "https://kubernetes.contoso.example";
    let assertion = sandbox.emulator.assertion(issuer, "system:serviceaccount:default:worker");
    fs::write(&token, assertion).unwrap();
    container.variables = vec![
        ("AZURE_CLIENT_ID", "a1000000-0000-4000-8000-000000000002".to_owned()),
        ("AZURE_CLIENT_CERTIFICATE_PATH", text(&certificate).to_owned()),
    ];
    container.gets_a_token();
    container.variables = vec![
        ("AZURE_CLIENT_ID", "a1000000-0000-4000-8000-000000000003".to_owned()),
        ("AZURE_FEDERATED_TOKEN_FILE", text(&token).to_owned()),
    ];
    container.gets_a_token();
}

/// Stored tokens are served; sign-ins that could not be stored are refused.
#[test]
fn a_vault_on_a_read_only_disk_serves_its_tokens() {
    if !is_root() {
        return;
    }
    let sandbox = Sandbox::signed_in_as_alice();
    let at = text(&sandbox.config_dir()).to_owned();
    let _mounts = [
        Mount::of(&["--bind", &at], &sandbox.config_dir()),
        Mount::of(&["-o", "remount,bind,ro"], &sandbox.config_dir()),
    ];
    drop(sandbox.azt(["account", "get-access-token"]).quiet());
    sandbox.emulator.clear_requests();
    for login in [&["login", "--use-device-code"][..], &["login", "--no-browser"]] {
        sandbox.azt(login).exits(9).says("Read-only file system").says("AZURE_CONFIG_DIR");
    }
    sandbox.login_app().exits(9);
    assert_eq!(sandbox.requests(), Vec::<String>::new());
    let other = ["account", "get-access-token", "--resource", "https://vault.azure.net"];
    drop(sandbox.azt(other).success());
}
