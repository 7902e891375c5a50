//! Folders and files that others own or can write are refused.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use super::{Killed, MALLORY, is_root};
use crate::support::*;

pub(super) const TOKEN: [&str; 4] = ["account", "get-access-token", "-o", "none"];

pub(super) fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

pub(super) fn of_mallory(path: &Path) {
    lchown(path, Some(MALLORY), Some(MALLORY)).unwrap();
}

/// A folder of mallory's that everybody can traverse.
pub(super) fn mallorys(sandbox: &Sandbox, name: &str) -> PathBuf {
    let path = sandbox.root().join(name);
    fs::create_dir(&path).unwrap();
    mode(&path, 0o755);
    mode(sandbox.root(), 0o755);
    of_mallory(&path);
    path
}

/// Plants an application in the profile, and az's list with a command for it.
fn plant(folder: &Path, ran: &Path, cloud: &str) {
    let profile = json!({"subscriptions": [{
        "id": PRODUCTION, "name": "Production", "state": "Enabled", "isDefault": true,
        "user": {"name": APP, "type": "servicePrincipal"}, "tenantId": CONTOSO, "environmentName": cloud,
    }]});
    fs::write(folder.join("azureProfile.json"), profile.to_string()).unwrap();
    let entries = json!([{
        "client_id": APP, "tenant": CONTOSO,
        "client_assertion_source": {"kind": "command", "command": format!("touch {}", ran.display())},
    }]);
    fs::write(folder.join("service_principal_entries.json"), entries.to_string()).unwrap();
}

/// Another user who can write in the folder must not get a command run.
#[test]
fn a_folder_that_others_can_write_is_refused_with_a_remedy() {
    for looser in [0o777, 0o1777, 0o773, 0o757] {
        let sandbox = Sandbox::new();
        let ran = sandbox.root().join("ran");
        plant(&sandbox.config_dir(), &ran, "Emulator");
        mode(&sandbox.config_dir(), looser);
        let run = sandbox.azt(TOKEN).exits(1);
        assert!(!ran.exists(), "{run:?}");
        let run = run.says("can be written by others").says("chmod go-w").says("AZT_TRUSTED_DIR");
        drop(run.says(&format!("(mode {looser:04o})")));
        for args in
            [&["account", "show"][..], &["account", "list"], &["account", "clear"], &["logout"]]
        {
            drop(sandbox.azt(args).exits(1).says("can be written by others"));
        }
        drop(sandbox.login_app().exits(1));
        assert_eq!(sandbox.requests(), Vec::<String>::new());
    }
}

/// One such file is enough for an attack.
#[test]
fn any_file_that_others_can_write_is_refused() {
    for name in ["clouds.config", "config", "azureProfile.json", "azt/vault.json", "azt/vault.key"]
    {
        let sandbox = Sandbox::signed_in_as_app();
        drop(sandbox.azt(TOKEN).quiet());
        mode(&sandbox.file(name), 0o666);
        let run = sandbox.azt(TOKEN);
        assert_ne!(run.code, Some(0), "{name}: {run:?}");
        let path = sandbox.file(name).display().to_string();
        assert!(run.stderr.contains(&path) && run.stderr.contains("chmod"), "{name}: {run:?}");
        mode(&sandbox.file(name), 0o600);
        drop(sandbox.azt(TOKEN).quiet());
    }
}

#[test]
fn what_belongs_to_another_user_is_refused() {
    if !is_root() {
        return;
    }
    // As a user who is not root, with a copy of the program that they can run.
    let sandbox = Sandbox::signed_in_as_app();
    let program = sandbox.root().join("azt-copy");
    fs::copy(env!("CARGO_BIN_EXE_azt"), &program).unwrap();
    for folder in [sandbox.root().to_owned(), sandbox.root().join("home")] {
        mode(&folder, 0o755);
    }
    let run = |who: u32| {
        let mut command = Command::new(&program);
        command.args(TOKEN).env_clear().envs(sandbox.env()).uid(who).gid(who);
        Run::of(&mut command)
    };
    // Root's folder: the user can neither change nor read it.
    drop(run(MALLORY).exits(1));
    let own = |path: &Path, who: u32| chown(path, Some(who), Some(who)).unwrap();
    for (path, _) in sandbox.all_files() {
        own(&path, MALLORY);
    }
    for name in ["", "azt", "azt/records", "azt/locks"] {
        own(&sandbox.file(name), MALLORY);
    }
    drop(run(MALLORY).exits(0));
    own(&sandbox.config_dir(), 12_345);
    mode(&sandbox.config_dir(), 0o755);
    drop(run(MALLORY).exits(1).says("belongs to another user (uid 12345)"));
    own(&sandbox.config_dir(), MALLORY);
    own(&sandbox.file("azureProfile.json"), 12_345);
    drop(run(MALLORY).exits(1).says("belongs to another user (uid 12345)"));
    // Root's files are accepted: root could do anything anyway.
    own(&sandbox.file("azureProfile.json"), 0);
    drop(run(MALLORY).exits(0));
}

/// A user-private group is the user; a group of several users is not.
#[test]
fn a_private_group_may_write_but_a_shared_group_may_not() {
    if !is_root() {
        return;
    }
    let sandbox = Sandbox::signed_in_as_app();
    for path in ["", "azureProfile.json", "clouds.config"] {
        let at = sandbox.file(path);
        let plain = fs::metadata(&at).unwrap().mode() & 0o777;
        mode(&at, plain | 0o020);
        chown(&at, Some(0), Some(0)).unwrap();
        drop(sandbox.azt(TOKEN).exits(0));
        // "users" exists on every Debian and is nobody's private group.
        chown(&at, Some(0), Some(100)).unwrap();
        drop(sandbox.azt(TOKEN).exits(1).says("can be written by others"));
        chown(&at, Some(0), Some(0)).unwrap();
        mode(&at, plain);
    }
}

/// For file systems without modes (drvfs, SMB) a variable names the trusted folder.
#[test]
fn a_variable_can_trust_one_folder() {
    let mut sandbox = Sandbox::signed_in_as_app();
    mode(&sandbox.config_dir(), 0o777);
    for name in ["clouds.config", "azureProfile.json", "azt/vault.json", "azt/vault.key"] {
        mode(&sandbox.file(name), 0o666);
    }
    let folder = sandbox.config_dir().display().to_string();
    for other in ["1", "/", &format!("{folder}/azt")] {
        sandbox.set("AZT_TRUSTED_DIR", other);
        drop(sandbox.azt(TOKEN).exits(1));
    }
    sandbox.set("AZT_TRUSTED_DIR", &folder);
    drop(sandbox.azt(TOKEN).quiet());
    drop(sandbox.azt(["cache", "rekey"]).success());
    drop(sandbox.azt(TOKEN).quiet());
}

/// Root with mallory's HOME must not run a command that she stored.
#[test]
fn root_runs_no_command_of_another_user() {
    if !is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let home = mallorys(&sandbox, "mallory");
    let program = sandbox.root().join("azt-copy");
    fs::copy(env!("CARGO_BIN_EXE_azt"), &program).unwrap();
    mode(&sandbox.root().join("ca.pem"), 0o644);
    let azt = |who: u32, args: &[&str]| {
        let mut command = Command::new(&program);
        command.args(args).env_clear().envs(sandbox.env()).env("HOME", &home);
        Run::of(command.uid(who).gid(who).current_dir("/"))
    };
    let url = format!("{}/", sandbox.emulator.url());
    let register = ["cloud", "register", "-n", "Emulator", "--endpoint-resource-manager", &url];
    azt(MALLORY, &register).success();
    azt(MALLORY, &["cloud", "set", "-n", "Emulator"]).success();
    let ran = home.join("ran");
    // Her federated token command records who runs it.
    let jwt = "e30.eyJpc3MiOiJodHRwczovL2VtdWxhdG9yIiwic3ViIjoieCJ9.c2ln";
    let command = format!("id -u >> {}; echo {jwt}", ran.display());
    let mut login = vec!["login", "--service-principal", "-u", APP, "--tenant", CONTOSO];
    login.extend(["--federated-token-command", &command, "--allow-no-subscriptions"]);
    let signed_in = azt(MALLORY, &login);
    // Even if the emulator rejects the token, she can make such sealed records.
    if signed_in.code != Some(0) {
        sandbox.emulator.settings_mut(|settings| settings.auto_approve = Some(ALICE.to_owned()));
    }
    let before = fs::read_to_string(&ran).unwrap_or_default();
    assert!(before.lines().all(|line| line == MALLORY.to_string()), "{before}");
    let vault = home.join(".azure");
    plant(&vault, &home.join("planted"), "Emulator");
    of_mallory(&vault.join("azureProfile.json"));
    of_mallory(&vault.join("service_principal_entries.json"));
    let run = azt(0, &TOKEN);
    assert_ne!(run.code, Some(0), "{run:?}");
    let after = fs::read_to_string(&ran).unwrap_or_default();
    assert!(!after.lines().any(|line| line == "0"), "root ran it: {run:?}");
    assert!(!home.join("planted").exists(), "{run:?}");
}

/// An export stays at its path and with its owner.
#[test]
fn an_export_follows_no_foreign_link_and_keeps_its_owner() {
    if !is_root() {
        return;
    }
    let sandbox = Sandbox::signed_in_as_app();
    let (theirs, public) = (mallorys(&sandbox, "mallory"), sandbox.root().join("public"));
    fs::create_dir(&public).unwrap();
    mode(&public, 0o1777);
    let export = |file: &Path| sandbox.azt(["cache", "export", "--file", file.to_str().unwrap()]);
    for target in [theirs.join("x.json"), theirs.join("none.json")] {
        if target.ends_with("x.json") {
            fs::write(&target, "").unwrap();
            of_mallory(&target);
        }
        let laid = public.join("laid.json");
        symlink(&target, &laid).unwrap();
        of_mallory(&laid);
        drop(export(&laid).exits(1).says("is a link that another user made"));
        assert!(fs::read(&target).unwrap_or_default().is_empty());
        fs::remove_file(&laid).unwrap();
    }
    // A folder on the path that she replaced by a symlink.
    let way = public.join("way");
    symlink(&theirs, &way).unwrap();
    of_mallory(&way);
    drop(export(&way.join("y.json")).exits(1).says("is a link that another user made"));
    // In her own folder, because root named it: the file stays root's.
    for file in [theirs.join("named.json"), public.join("named.json")] {
        drop(export(&file).success());
        let found = fs::metadata(&file).unwrap();
        assert_eq!((found.uid(), found.mode() & 0o777), (0, 0o600), "{}", file.display());
    }
    // A hard link to root's file is replaced, not written through.
    let secret = sandbox.root().join("root-only");
    fs::write(&secret, "root's").unwrap();
    fs::hard_link(&secret, theirs.join("hard.json")).unwrap();
    drop(export(&theirs.join("hard.json")).success());
    assert_eq!(fs::read(&secret).unwrap(), b"root's");
}

/// mallory's symlink must not make root change root's own folder.
#[test]
fn a_folder_behind_another_users_symlink_is_left_alone() {
    if !is_root() {
        return;
    }
    let mut sandbox = Sandbox::signed_in_as_app();
    let theirs = mallorys(&sandbox, "mallory");
    let roots = sandbox.config_dir();
    let before: Vec<_> = sandbox.all_files();
    let home = |name: &str| theirs.join(name);
    symlink(&roots, home(".azure")).unwrap();
    of_mallory(&home(".azure"));
    symlink(sandbox.root().join("home"), home("way")).unwrap();
    of_mallory(&home("way"));
    for dir in [home(".azure"), home("way/.azure")] {
        sandbox.set("AZURE_CONFIG_DIR", dir.to_str().unwrap());
        for args in [
            &["account", "clear"][..],
            &["account", "set", "-s", PRODUCTION],
            &["config", "set", "core.output=json"],
            &["logout"],
            &["cache", "clear", "--all"],
            &["cache", "rekey"],
            &["account", "show"],
            &TOKEN,
        ] {
            drop(sandbox.azt(args).exits(1).says("is a link that another user made"));
        }
    }
    assert_eq!(before, sandbox.all_files());
}

/// Symlinks in place of each file that is read or written.
#[test]
fn root_follows_no_symlink_in_another_users_folder() {
    if !is_root() {
        return;
    }
    for name in [
        "config",
        "clouds.config",
        "azureProfile.json",
        "azt",
        "azt/records",
        "azt/locks",
        "azt/vault.json",
        "azt/vault.key",
        "azt/locks/settings.lock",
        "msal_token_cache.json",
        "service_principal_entries.json",
        "msal_token_cache.json.lockfile",
    ] {
        let mut sandbox = Sandbox::new();
        let theirs = mallorys(&sandbox, "mallory");
        let secret = sandbox.root().join("root-only");
        fs::create_dir(&secret).unwrap();
        fs::write(secret.join("file"), "root's own line").unwrap();
        let is_folder = ["azt", "records", "locks"].iter().any(|it| name.ends_with(it));
        let target = if is_folder { secret.clone() } else { secret.join("file") };
        let at = theirs.join(name);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        let mut folder = at.parent().unwrap();
        while folder.starts_with(&theirs) {
            mode(folder, 0o700);
            of_mallory(folder);
            folder = folder.parent().unwrap();
        }
        symlink(&target, &at).unwrap();
        of_mallory(&at);
        sandbox.set("AZURE_CONFIG_DIR", theirs.to_str().unwrap());
        sandbox.set("AZURE_CORE_KEY_SOURCE", "file");
        let url = format!("{}/", sandbox.emulator.url());
        let register = ["cloud", "register", "-n", "Emulator", "--endpoint-resource-manager", &url];
        let mut said = String::new();
        for args in [
            &register[..],
            &["cloud", "set", "-n", "Emulator"],
            &["config", "set", "core.share_with_az=true"],
            &LOGIN_APP,
            &["account", "set", "-s", PRODUCTION],
            &TOKEN,
            &["cache", "rekey"],
            &["logout"],
            &["account", "clear"],
        ] {
            said += &sandbox.azt(args).stderr;
        }
        assert!(!said.contains("root's own line"), "{name}: {said}");
        let left: Vec<_> =
            fs::read_dir(&secret).unwrap().map(|it| it.unwrap().file_name()).collect();
        assert_eq!(left, ["file"], "{name}");
        let file = secret.join("file");
        assert_eq!(fs::read_to_string(&file).unwrap(), "root's own line", "{name}");
        assert_eq!(fs::metadata(&file).unwrap().uid(), 0, "{name}");
    }
}

/// Swaps mallory's folder for a symlink to root's as fast as it can, until it is killed.
fn swapping(sandbox: &Sandbox, at: &Path, roots: &Path) -> Killed {
    let script = format!(
        "cd {0} && while :; do mv {1} real && ln -s {2} {1}; rm {1}; mv real {1}; done",
        at.parent().unwrap().display(),
        at.file_name().unwrap().to_str().unwrap(),
        roots.display(),
    );
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).stdin(Stdio::null()).stderr(Stdio::null());
    Killed::spawn(shell.uid(MALLORY).gid(MALLORY).current_dir(sandbox.root()))
}

/// mallory swaps the folder at any moment, during each command.
#[test]
fn a_folder_swapped_repeatedly_leads_nowhere() {
    if !is_root() {
        return;
    }
    let mut sandbox = Sandbox::signed_in_as_alice();
    let theirs = mallorys(&sandbox, "mallory");
    let (at, roots) = (theirs.join("cfg"), sandbox.root().join("roots"));
    for folder in [&at, &roots, &at.join("shims"), &at.join(".IdentityService")] {
        fs::create_dir_all(folder).unwrap();
        mode(folder, 0o700);
    }
    fs::write(roots.join("kept"), "root's").unwrap();
    for name in ["msal_token_cache.json", "accessTokens.json"] {
        fs::write(roots.join(name), "root's").unwrap();
    }
    fs::write(at.join("config"), "[default]\ncredential_process = touch /tmp/owned-by-mallory\n")
        .unwrap();
    for path in [at.clone(), at.join("shims"), at.join(".IdentityService"), at.join("config")] {
        of_mallory(&path);
    }
    let exported = sandbox.root().join("moved.json");
    drop(sandbox.azt(["cache", "export", "--file", exported.to_str().unwrap()]).success());
    let mut swapper = swapping(&sandbox, &at, &roots);
    sandbox.set("AZURE_CONFIG_DIR", at.to_str().unwrap());
    sandbox.set("HOME", at.to_str().unwrap());
    let into = at.join("export.json");
    let shims = at.join("shims");
    let commands = [
        &["config", "set", "defaults.x=y"][..],
        &["cache", "import", "--file", exported.to_str().unwrap()],
        &["cache", "export", "--file", into.to_str().unwrap()],
        &["cache", "publish", "--allow-unencrypted"],
        &["shim", "install", "--yes", "--dir", shims.to_str().unwrap()],
        &["account", "clear"],
    ];
    let mut runs: [Vec<Run>; 6] = Default::default();
    for _ in 0..40 {
        for (args, runs) in commands.iter().zip(&mut runs) {
            runs.push(sandbox.azt(*args));
        }
    }
    assert!(swapper.0.try_wait().unwrap().is_none(), "the swapping went on to the end");
    drop(swapper);
    for (args, runs) in commands.iter().zip(&runs) {
        // At least one run met the folder, or an error that names its owner.
        let got_there = |run: &Run| run.code == Some(0) || run.stderr.contains("another user");
        assert!(runs.iter().any(got_there), "{args:?}: {runs:#?}");
    }
    let met_the_link = |run: &Run| run.stderr.contains("a link that another user made");
    assert!(runs.iter().flatten().any(met_the_link), "{runs:#?}");
    let mut left: Vec<_> =
        fs::read_dir(&roots).unwrap().map(|it| it.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["accessTokens.json", "kept", "msal_token_cache.json"]);
    for name in left {
        assert_eq!(fs::read(roots.join(name)).unwrap(), b"root's");
    }
}

/// The path names another folder at the second call.
#[test]
fn a_folder_is_checked_again_at_each_call() {
    let sandbox = Sandbox::signed_in_as_app();
    drop(sandbox.azt(TOKEN).quiet());
    let (own, away) = (sandbox.config_dir(), sandbox.root().join("home/away"));
    fs::rename(&own, &away).unwrap();
    fs::create_dir(&own).unwrap();
    let ran = sandbox.root().join("ran");
    plant(&own, &ran, "AzureCloud");
    mode(&own, 0o777);
    drop(sandbox.azt(TOKEN).exits(1).says("can be written by others"));
    assert!(!ran.exists());
}
