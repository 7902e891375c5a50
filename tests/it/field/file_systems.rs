//! Network and other file systems refuse steps of an atomic write: commands still succeed.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::attacks::is_root;
use crate::disk::traced;
use crate::doctor::finds;
use crate::support::*;

const TOKEN: [&str; 3] = ["account", "get-access-token", "--verbose"];
const STAGING: &str = "50000000-0000-4000-8000-000000000002";

fn run(program: &str, args: &[&str]) {
    let ran = Command::new(program).args(args).output().unwrap();
    assert!(ran.status.success(), "{program} {args:?}: {ran:?}");
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A mount, unmounted on drop.
pub struct Mount {
    at: PathBuf,
    server: Option<Child>,
}

impl Mount {
    pub fn of(options: &[&str], at: &Path) -> Self {
        run("mount", &[options, &[text(at)]].concat());
        Self { at: at.to_owned(), server: None }
    }

    /// Copies the file outside and bind-mounts the copy over it; returns the copy's path too.
    pub fn over_itself(sandbox: &Sandbox, name: &str) -> (Self, PathBuf) {
        let outside = sandbox.root().join(name.replace('/', "-"));
        fs::copy(sandbox.file(name), &outside).unwrap();
        (Self::of(&["--bind", text(&outside)], &sandbox.file(name)), outside)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.at).output();
        if let Some(server) = &mut self.server {
            let _ = server.wait();
        }
    }
}

/// A machine whose az folder is on a file system with these refusals. Without FUSE it prints that and returns `None`.
#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
fn on_refusing(refusals: &serde_json::Value) -> Option<(Sandbox, Mount)> {
    let has_fuse = Path::new("/dev/fuse").exists()
        && Command::new("/usr/bin/python3")
            .args(["-c", "import fusepy"])
            .output()
            .is_ok_and(|ran| ran.status.success());
    if !has_fuse {
        eprintln!("skipped: needs FUSE (/dev/fuse, python3-fusepy)");
        return None;
    }
    let sandbox = Sandbox::without_cloud();
    let (disk, at) = (sandbox.root().join("disk"), sandbox.config_dir());
    fs::create_dir(&disk).unwrap();
    fs::create_dir(&at).unwrap();
    let mount = refusing(&disk, &at, refusals);
    Some((sandbox, mount))
}

/// Mounts `disk` at `at`, where the operations in `refusals` fail with the error given.
fn refusing(disk: &Path, at: &Path, refusals: &serde_json::Value) -> Mount {
    let before = fs::metadata(at).unwrap().dev();
    let server = Command::new("/usr/bin/python3")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuse/refusing.py"))
        .args([disk, at])
        .arg(refusals.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mount = Mount { at: at.to_owned(), server: Some(server) };
    let begin = Instant::now();
    while fs::metadata(at).unwrap().dev() == before {
        assert!(begin.elapsed() < Duration::from_secs(30), "no mount");
        std::thread::sleep(Duration::from_millis(20));
    }
    mount
}

fn register(sandbox: &Sandbox) {
    let url = format!("{}/", sandbox.emulator.url());
    let register = ["cloud", "register", "-n", "Emulator", "--endpoint-resource-manager", &url];
    sandbox.azt(register).success();
    sandbox.azt(["cloud", "set", "-n", "Emulator"]).success();
}

/// Runs each kind of command that changes a file, and asserts that it did.
fn a_day(sandbox: &Sandbox) {
    register(sandbox);
    sandbox.approve_as(ALICE);
    sandbox.azt(["login", "--use-device-code"]).success();
    sandbox.login_app().success();
    drop(sandbox.azt(TOKEN).success());
    sandbox.emulator.clear_requests();
    drop(sandbox.azt(TOKEN).success());
    assert_eq!(sandbox.requests(), Vec::<String>::new(), "the vault has it");
    for id in [PRODUCTION, STAGING, PRODUCTION] {
        sandbox.azt(["account", "set", "-s", id]).success();
        assert_eq!(sandbox.azt(["account", "show"]).success().text("id"), id);
    }
    for format in ["yaml", "table", "json"] {
        sandbox.azt(["config", "set", &format!("core.output={format}")]).success();
        assert!(sandbox.read("config").contains(&format!("output = {format}\n")));
    }
    // This time az's files exist.
    sandbox.share_with_az(true);
    sandbox.login_app().success();
    sandbox.azt(["login", "--use-device-code"]).success();
    assert!(sandbox.read("msal_token_cache.json").contains("RefreshToken"));
    sandbox.azt(["cache", "rekey"]).success();
    sandbox.azt(["logout", "--username", ALICE]).success();
    assert!(!sandbox.read("azureProfile.json").contains(ALICE));
    sandbox.azt(["account", "clear"]).success();
    assert_eq!(sandbox.azt(["account", "list"]).stdout.trim(), "[]");
    let left: Vec<_> = sandbox.all_files().into_iter().map(|(path, _)| path).collect();
    assert!(left.iter().all(|path| !text(path).ends_with(".tmp")), "{left:?}");
}

fn refused(refusals: &serde_json::Value) {
    if !is_root() {
        return;
    }
    let Some((sandbox, _mount)) = on_refusing(refusals) else { return };
    a_day(&sandbox);
}

fn refused_with_each(operation: &str, errors: &[&str]) {
    for error in errors {
        refused(&json!({operation: error}));
    }
}

#[test]
fn a_disk_without_chmod_works() {
    refused_with_each("chmod", &["EPERM", "EOPNOTSUPP", "ENOSYS"]);
}

/// By then the rename has succeeded.
#[test]
fn a_disk_without_fsync_of_folders_works() {
    refused_with_each("fsyncdir", &["EINVAL", "EOPNOTSUPP", "EIO", "EBADF"]);
}

#[test]
fn a_disk_without_fsync_of_files_works() {
    refused_with_each("fsync", &["EINVAL", "EOPNOTSUPP", "EPERM"]);
}

#[test]
fn a_disk_without_replacing_rename_works() {
    refused_with_each("rename_over", &["EBUSY", "EEXIST", "EPERM", "EXDEV"]);
}

#[test]
fn a_disk_without_rename_works() {
    refused_with_each("rename", &["EACCES", "EOPNOTSUPP", "EINVAL"]);
}

#[test]
fn a_disk_that_refuses_most_operations_works() {
    refused(&json!({
        "chmod": "EPERM", "fsync": "EINVAL", "fsyncdir": "EINVAL", "rename_over": "EPERM",
        "link": "EPERM", "symlink": "EPERM", "utimens": "EPERM", "chown": "EPERM",
    }));
}

/// I/O errors and full disks, unlike refusals, are errors; the old content stays.
#[test]
fn a_failing_disk_keeps_the_old_content() {
    if !is_root() {
        return;
    }
    for operation in ["fsync", "rename_over", "create"] {
        for error in ["EIO", "ENOSPC", "EDQUOT"] {
            let Some((sandbox, mount)) = on_refusing(&json!({})) else { return };
            register(&sandbox);
            sandbox.login_app().success();
            sandbox.azt(["account", "set", "-s", PRODUCTION]).success();
            let before = sandbox.read("azureProfile.json");
            drop(mount);
            let disk = sandbox.root().join("disk");
            let _in_trouble = refusing(&disk, &sandbox.config_dir(), &json!({operation: error}));
            let run = sandbox.azt(["account", "set", "-s", STAGING]).exits(1);
            assert_eq!(sandbox.read("azureProfile.json"), before, "{run:?}");
        }
    }
}

/// `docker -v ~/.azure/azureProfile.json:…`, devcontainers, Kubernetes' subPath.
#[test]
fn a_bind_mounted_file_is_overwritten_in_place() {
    if !is_root() {
        return;
    }
    let sandbox = Sandbox::signed_in_as_alice();
    let names = ["azureProfile.json", "clouds.config", "config"];
    sandbox.azt(["config", "set", "core.output=yaml"]).success();
    let mounts = names.map(|name| Mount::over_itself(&sandbox, name));
    let outside = |name: &str| {
        let (_, path) = mounts.iter().find(|(_, path)| path.ends_with(name)).unwrap();
        fs::read_to_string(path).unwrap()
    };
    sandbox.azt(["account", "set", "-s", STAGING]).success();
    assert_eq!(sandbox.azt(["account", "show", "-o", "json"]).success().text("id"), STAGING);
    assert!(outside("clouds.config").contains(STAGING));
    // Shorter and longer contents.
    for value in ["json", "table", "jsonc", "json"] {
        sandbox.azt(["config", "set", &format!("core.output={value}")]).success();
        assert!(outside("config").contains(&format!("output = {value}\n")));
        assert!(!outside("config").ends_with("\n\n\n"));
    }
    for suffix in ["storage.example", "s.example"] {
        sandbox
            .azt(["cloud", "update", "-n", "Emulator", "--suffix-storage-endpoint", suffix])
            .success();
        assert!(outside("clouds.config").contains(suffix));
    }
    sandbox.login_app().success();
    let said = sandbox.azt(["account", "set", "-s", PRODUCTION, "--verbose"]).success();
    assert_eq!(said.stderr.matches("is overwritten in place").count(), 1, "{said:?}");
    let quiet = sandbox.azt(["account", "set", "-s", STAGING]);
    assert_eq!(quiet.stderr, "");
    for name in names {
        finds(
            &sandbox,
            "file system",
            "warning",
            &format!("/.azure/{name}: it cannot be replaced"),
        );
    }
    sandbox.azt(["logout", "--username", ALICE]).success();
    assert!(!outside("azureProfile.json").contains(ALICE));
    sandbox.azt(["account", "clear"]).success();
    assert!(!outside("azureProfile.json").contains(APP));
    for (name, (_, path)) in names.iter().zip(&mounts) {
        let (one, other) = (fs::metadata(sandbox.file(name)), fs::metadata(path));
        assert_eq!(one.unwrap().ino(), other.unwrap().ino(), "it is still that mount");
    }
    assert!(sandbox.all_files().iter().all(|(path, _)| !text(path).ends_with(".tmp")));
}

/// `readOnlyRootFilesystem` with one writable file of az's.
#[test]
fn a_writable_file_in_a_read_only_folder_is_overwritten_in_place() {
    if !is_root() {
        return;
    }
    let sandbox = Sandbox::signed_in_as_alice();
    let at = text(&sandbox.config_dir()).to_owned();
    let mounts = [
        Mount::of(&["--bind", &at], &sandbox.config_dir()),
        Mount::of(&["-o", "remount,bind,ro"], &sandbox.config_dir()),
        Mount::over_itself(&sandbox, "azureProfile.json").0,
    ];
    // No other file can be changed.
    let before = sandbox.read("clouds.config");
    sandbox
        .azt(["cloud", "update", "--suffix-storage-endpoint", "x.example"])
        .exits(1)
        .says("clouds.config: Read-only file system")
        .says("set AZURE_CONFIG_DIR to a folder");
    assert_eq!(sandbox.read("clouds.config"), before);
    drop(sandbox.azt(["logout"]));
    assert!(sandbox.read("azureProfile.json").contains(ALICE), "its tokens are there still");
    drop(mounts);
    sandbox.azt(["logout"]).success();
}

/// An in-place write must find room before it changes a byte.
#[test]
fn a_full_mount_keeps_the_old_content() {
    if !is_root() {
        return;
    }
    let sandbox = Sandbox::signed_in_as_alice();
    let disk = sandbox.root().join("disk");
    fs::create_dir(&disk).unwrap();
    let _disk = Mount::of(&["-t", "tmpfs", "-o", "size=64k", "tmpfs"], &disk);
    fs::copy(sandbox.file("config"), disk.join("config")).unwrap();
    let _file = Mount::of(&["--bind", text(&disk.join("config"))], &sandbox.file("config"));
    assert!(fs::write(disk.join("other"), vec![0; 128 * 1024]).is_err(), "it is full");
    let before = sandbox.read("config");
    let value = format!("defaults.group={}", "g".repeat(8192));
    let set = sandbox.command(["config", "set", &value]);
    // With fallocate, and where room is found out by writing.
    let cannot_reserve =
        ["-o", "/dev/null", "-e", "trace=fallocate", "-e", "inject=fallocate:error=EOPNOTSUPP"];
    for mut command in [set, traced(&sandbox.command(["config", "set", &value]), &cannot_reserve)] {
        let run = Run::of(&mut command);
        assert_eq!(run.code, Some(1), "{run:?}");
        drop(run.says("No space left on device").says("Make room on that disk."));
        assert_eq!(sandbox.read("config"), before);
        assert_eq!(
            fs::read_dir(sandbox.config_dir())
                .unwrap()
                .filter(|it| {
                    it.as_ref().unwrap().file_name().to_str().unwrap().ends_with(".tmp")
                })
                .count(),
            0
        );
    }
    // Content that fits is written.
    sandbox.azt(["config", "set", "defaults.group=g"]).success();
}

/// A secret is not written in place where others can read it.
#[test]
fn a_secret_is_not_written_into_a_file_that_others_can_read() {
    if !is_root() {
        return;
    }
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.share_with_az(true);
    sandbox.write("msal_token_cache.json", "{}");
    let (_mount, outside) = Mount::over_itself(&sandbox, "msal_token_cache.json");
    run("chmod", &["644", text(&outside)]);
    sandbox.azt(["login", "--use-device-code"]).success();
    let found = fs::metadata(&outside).unwrap();
    assert_eq!(found.mode() & 0o777, 0o600, "its owner may take the others' right away");
    assert!(sandbox.read("msal_token_cache.json").contains("RefreshToken"));
    run("chmod", &["644", text(&outside)]);
    fs::write(&outside, "{}").unwrap();
    let options = ["-o", "/dev/null", "-e", "trace=fchmod", "-e", "inject=fchmod:error=EPERM"];
    let login = sandbox.command(["login", "--use-device-code"]);
    let run = Run::of(&mut traced(&login, &options));
    assert_eq!(run.code, Some(0), "{run:?}");
    drop(run.says("The real az was not told"));
    assert_eq!(fs::read_to_string(&outside).unwrap(), "{}");
}

#[test]
fn a_disk_without_locks_works() {
    for error in ["ENOLCK", "EOPNOTSUPP", "ENOSYS", "EINVAL", "EPERM", "EACCES"] {
        let sandbox = Sandbox::new();
        sandbox.share_with_az(true);
        let inject = format!("inject=flock:error={error}");
        let options = ["-o", "/dev/null", "-e", "trace=flock", "-e", &inject];
        let without = |args: &[&str]| {
            let run = Run::of(&mut traced(&sandbox.command(args), &options));
            assert_eq!(run.code, Some(0), "{error} {args:?}: {run:?}");
            run
        };
        let said = without(&[&LOGIN_APP[..], &["--verbose"]].concat());
        assert_eq!(said.stderr.matches("there are no locks there").count(), 1, "{said:?}");
        // az's files are changed under az's own lock, which is a file.
        assert!(!said.stderr.contains("az was not told"), "{said:?}");
        assert!(sandbox.read("service_principal_entries.json").contains(APP));
        let last = ["account", "get-access-token", "--resource", "https://vault.azure.net"];
        assert_eq!(without(&last).stderr, "");
        without(&["account", "set", "-s", PRODUCTION]);
        without(&["logout", "--username", APP]);
        assert!(!sandbox.file("service_principal_entries.json.lockfile").exists());
    }
}

/// One mode for all files, as on SMB, drvfs and vfat.
#[test]
fn a_mount_with_one_mode_for_all_files_works() {
    if !is_root() {
        return;
    }
    // Readable by others: sealed records may be there, the key not.
    let Some((mut sandbox, _mount)) = on_refusing(&json!({"modes": [0o755, 0o644]})) else {
        return;
    };
    register(&sandbox);
    sandbox.login_app().exits(9).says("can be used by others").says("AZT_VAULT_KEY");
    assert_eq!(sandbox.requests().iter().filter(|it| it.starts_with("POST")).count(), 0);
    sandbox.set("AZURE_CORE_KEY_SOURCE", "env");
    sandbox.set("AZT_VAULT_KEY", &"5".repeat(64));
    sandbox.login_app().success();
    drop(sandbox.azt(["account", "get-access-token"]).quiet());
    let said = sandbox.azt(["config", "set", "core.output=json", "--verbose"]);
    drop(said.success().says("modes are not kept there"));
    finds(&sandbox, "file system", "warning", "modes are not kept there");
    // Writable by others: used only if the environment trusts it by name.
    let Some((mut sandbox, _mount)) = on_refusing(&json!({"modes": [0o777, 0o777]})) else {
        return;
    };
    sandbox.azt(["config", "set", "core.output=json"]).exits(1).says("AZT_TRUSTED_DIR");
    let dir = text(&sandbox.config_dir()).to_owned();
    sandbox.set("AZT_TRUSTED_DIR", &dir);
    a_day(&sandbox);
}

/// chmod does not help with the immutable attribute.
#[test]
fn an_immutable_file_has_the_chattr_remedy() {
    if !is_root() {
        return;
    }
    for (letter, name) in
        [("i", "azureProfile.json"), ("a", "azureProfile.json"), ("i", "azt/records")]
    {
        let sandbox = Sandbox::signed_in_as_alice();
        let at = sandbox.file(name);
        let before = sandbox.read("azureProfile.json");
        run("chattr", &[&format!("+{letter}"), text(&at)]);
        let (set, login) = (sandbox.azt(["account", "set", "-s", STAGING]), sandbox.login_app());
        let after = sandbox.read("azureProfile.json");
        run("chattr", &[&format!("-{letter}"), text(&at)]);
        let cure = format!("sudo chattr -{letter} {}", text(&at));
        let refused = if at.is_dir() { vec![login] } else { vec![set, login] };
        for run in refused {
            let run = run.says(&cure);
            assert!(run.code != Some(0) && !run.stderr.contains("chmod"), "{run:?}");
        }
        assert_eq!(at.is_dir(), after != before);
        // No sign-in was started in vain.
        assert_eq!(sandbox.requests(), Vec::<String>::new(), "{letter} {name}");
    }
    // An immutable folder: its files may still be written.
    let sandbox = Sandbox::signed_in_as_alice();
    run("chattr", &["+i", text(&sandbox.config_dir())]);
    let (set, login) = (sandbox.azt(["account", "set", "-s", STAGING]), sandbox.login_app());
    run("chattr", &["-i", text(&sandbox.config_dir())]);
    set.success();
    login.success();
}

/// A longer old content is overwritten with line ends before it is truncated.
#[test]
fn a_write_in_place_killed_midway_leaves_a_whole_file() {
    if !is_root() {
        return;
    }
    let sandbox = Sandbox::signed_in_as_alice();
    let long = format!("defaults.group={}", "g".repeat(3000));
    sandbox.azt(["config", "set", &long, "core.output=json"]).success();
    let _profile = Mount::over_itself(&sandbox, "azureProfile.json");
    let _config = Mount::over_itself(&sandbox, "config");
    for args in [&["config", "unset", "defaults.group"][..], &["logout"]] {
        let options =
            ["-o", "/dev/null", "-e", "trace=ftruncate", "-e", "inject=ftruncate:signal=KILL"];
        let run = Run::of(&mut traced(&sandbox.command(args), &options));
        assert_eq!(run.code, None, "it was killed: {run:?}");
        let list = sandbox.azt(["account", "list"]).success();
        assert_eq!(list.stdout == "[]\n", args == ["logout"], "{list:?}");
        assert!(!sandbox.read("config").contains("ggg"));
    }
    // The next command works.
    sandbox.azt(["config", "set", "core.output=yaml"]).success();
    assert!(sandbox.read("config").contains("output = yaml\n"));
    assert!(sandbox.login_app().success().stdout.contains(APP));
}
