//! Planted locks, records, inner folders and non-files are refused or ignored.

use std::fs;
use std::os::unix::fs::{MetadataExt, lchown, symlink};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use super::folders::{TOKEN, mallorys, mode, of_mallory};
use super::{Killed, MALLORY, is_root};
use crate::support::*;

/// Another user may hold a lock file of az forever, since everybody can open it.
#[test]
fn another_users_lock_on_azs_file_does_not_block_forever() {
    if !is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    drop(sandbox.azt(["config", "set", "core.share_with_az=true"]).quiet());
    let lock = sandbox.file("service_principal_entries.json.lockfile");
    fs::write(&lock, "4711 az").unwrap();
    for folder in [sandbox.root().to_owned(), sandbox.root().join("home"), sandbox.config_dir()] {
        mode(&folder, 0o755);
    }
    mode(&lock, 0o644);
    let mut holder = Command::new("flock");
    holder.arg(&lock).args(["-c", "echo held; sleep 60"]).stdout(Stdio::piped());
    let mut holder = Killed::spawn(holder.uid(MALLORY).gid(MALLORY));
    let mut line = [0; 5];
    std::io::Read::read_exact(holder.0.stdout.as_mut().unwrap(), &mut line).unwrap();
    let run = sandbox.login_app();
    drop(holder);
    assert!(!run.success().stderr.contains("az was not told"), "az was told");
    assert!(sandbox.read("service_principal_entries.json").contains(APP_SECRET));
    assert!(!lock.exists());
}

/// A lock file that is a hard link to root's file.
#[test]
fn a_hard_link_in_a_locks_place_is_not_truncated() {
    if !is_root() {
        return;
    }
    let mut sandbox = Sandbox::new();
    let theirs = mallorys(&sandbox, "mallory");
    let secret = sandbox.root().join("root-only");
    fs::write(&secret, "root's").unwrap();
    fs::create_dir_all(theirs.join("azt/locks")).unwrap();
    for folder in ["azt", "azt/locks"] {
        mode(&theirs.join(folder), 0o700);
        of_mallory(&theirs.join(folder));
    }
    for name in ["msal_token_cache.json.lockfile", "service_principal_entries.json.lockfile"] {
        fs::hard_link(&secret, theirs.join(name)).unwrap();
    }
    for name in ["settings.lock", "setup.lock", "writing.lock"] {
        fs::hard_link(&secret, theirs.join("azt/locks").join(name)).unwrap();
    }
    sandbox.set("AZURE_CONFIG_DIR", theirs.to_str().unwrap());
    for args in [&["config", "set", "core.share_with_az=true"][..], &["account", "clear"], &TOKEN] {
        drop(sandbox.azt(args));
    }
    drop(sandbox.login_app());
    assert_eq!(fs::read(&secret).unwrap(), b"root's");
    assert_eq!(fs::metadata(&secret).unwrap().uid(), 0);
}

/// A planted record, sealed with another key, is ignored.
#[test]
fn a_planted_record_of_another_key_is_ignored() {
    let sandbox = Sandbox::signed_in_as_app();
    let mut planted = b"aztseal\x01".to_vec();
    planted.extend([7; 200]);
    for kind in ["at", "rt", "id", "ac", "sp"] {
        sandbox.write(&format!("azt/records/{kind}-{}", "0".repeat(32)), &planted);
    }
    let list =
        sandbox.azt(["cache", "list"]).success().says("was sealed with the key 0707070707070707");
    assert!(list.stdout.contains(APP), "{list:?}");
    drop(sandbox.login_app().success());
    drop(sandbox.azt(TOKEN).quiet());
    drop(sandbox.azt(["cache", "rekey"]).success());
    drop(sandbox.azt(TOKEN).quiet());
    assert!(
        sandbox.file(&format!("azt/records/sp-{}", "0".repeat(32))).exists(),
        "it was not ours to remove"
    );
}

/// Pipes, folders and other non-files in place of azt's files.
#[test]
fn a_non_file_in_a_files_place_is_neither_read_nor_replaced() {
    let sandbox = Sandbox::signed_in_as_app();
    let profile = sandbox.file("azureProfile.json");
    fs::remove_file(&profile).unwrap();
    assert!(Command::new("mkfifo").arg(&profile).status().unwrap().success());
    drop(sandbox.azt(["account", "show"]).exits(1).says("it is a pipe"));
    drop(sandbox.azt(["account", "set", "-s", PRODUCTION]).exits(1));
    fs::remove_file(&profile).unwrap();
    fs::create_dir(&profile).unwrap();
    drop(sandbox.azt(["account", "show"]).exits(1));
    drop(sandbox.login_app().exits(1));
    assert!(profile.is_dir());
}

/// Inner folders are checked for every file that is read in them.
#[test]
fn an_inner_folder_that_others_own_or_can_write_is_refused() {
    for name in ["azt", "azt/records"] {
        let sandbox = Sandbox::signed_in_as_app();
        let path = sandbox.file(name);
        let refuses = |what: &str| {
            for args in [&TOKEN[..], &["cache", "list"], &["cache", "export"]] {
                let run = sandbox.azt(args);
                assert_ne!(run.code, Some(0), "{name}: {run:?}");
                assert!(run.stdout.is_empty(), "{name}: {run:?}");
                assert!(run.stderr.contains(what), "{name}: {run:?}");
            }
            assert_ne!(sandbox.login_app().code, Some(0), "{name}");
        };
        for looser in [0o777, 0o1777, 0o702] {
            mode(&path, looser);
            refuses("can be written by others");
        }
        mode(&path, 0o700);
        if is_root() {
            of_mallory(&path);
            refuses("belongs to another user");
            lchown(&path, Some(0), Some(0)).unwrap();
        }
        drop(sandbox.azt(TOKEN).quiet());
    }
}

/// Users may keep the folder elsewhere, as any settings.
#[test]
fn an_inner_folder_may_be_the_users_own_symlink() {
    let sandbox = Sandbox::signed_in_as_app();
    let elsewhere = sandbox.root().join("kept");
    fs::rename(sandbox.file("azt"), &elsewhere).unwrap();
    symlink(&elsewhere, sandbox.file("azt")).unwrap();
    drop(sandbox.azt(TOKEN).quiet());
    drop(sandbox.login_app().success());
    mode(&elsewhere, 0o777);
    assert_ne!(sandbox.azt(TOKEN).code, Some(0));
}

#[test]
fn the_trusted_folder_may_be_spelled_differently() {
    let mut sandbox = Sandbox::signed_in_as_app();
    mode(&sandbox.config_dir(), 0o777);
    let link = sandbox.root().join("by-link");
    symlink(sandbox.config_dir(), &link).unwrap();
    for spelling in [link, sandbox.config_dir().join("."), sandbox.config_dir().join("azt/..")] {
        sandbox.set("AZT_TRUSTED_DIR", spelling.to_str().unwrap());
        drop(sandbox.azt(TOKEN).quiet());
        let doctor = sandbox.azt(["doctor", "--offline"]);
        assert!(!doctor.stdout.contains("chmod"), "{doctor:?}");
    }
    sandbox.set("AZT_TRUSTED_DIR", sandbox.file("azt").to_str().unwrap());
    assert_ne!(sandbox.azt(TOKEN).code, Some(0));
}

/// Root creates files in a user's folder with that user's ids, so it needs no chown by path.
#[test]
fn no_folder_is_chowned_by_path() {
    if !is_root() {
        return;
    }
    let mut sandbox = Sandbox::new();
    let home = mallorys(&sandbox, "theirs");
    let folder = home.join(".azure");
    sandbox.set("AZURE_CONFIG_DIR", folder.to_str().unwrap());
    let command = sandbox.command(
        [
            &["login", "--service-principal", "--username", APP, "--password", APP_SECRET][..],
            &["--tenant", CONTOSO],
        ]
        .concat(),
    );
    let calls = sandbox.root().join("calls");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-y", "-e", "trace=fchown,fchownat,chown,lchown,mkdirat", "-o"]);
    strace.arg(&calls).arg(command.get_program()).args(command.get_args()).env_clear();
    strace.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let run = strace.output().unwrap();
    // The vault is made before the request, which fails: this folder has no reachable cloud.
    assert!(folder.join("azt/vault.json").exists(), "{run:?}");
    let calls = fs::read_to_string(calls).unwrap();
    assert!(calls.contains("mkdirat("), "{calls}");
    for call in calls.lines().filter(|it| it.contains("chown")) {
        assert!(
            call.contains(".azt-") || call.contains(".lock") || call.contains("/locks/"),
            "{call}"
        );
    }
    for made in [folder.clone(), folder.join("azt"), folder.join("azt/locks")] {
        let found = fs::metadata(&made).unwrap();
        assert_eq!(
            (found.uid(), found.gid(), found.mode() & 0o777),
            (MALLORY, MALLORY, 0o700),
            "{made:?}"
        );
    }
}

/// Root's own sign-ins are not written into another user's home.
#[test]
fn a_sign_in_is_not_published_to_another_users_home() {
    if !is_root() {
        return;
    }
    let mut sandbox = Sandbox::signed_in_as_alice();
    sandbox.set("AZURE_CONFIG_DIR", sandbox.config_dir().to_str().unwrap().to_owned().as_str());
    let home = mallorys(&sandbox, "theirs");
    sandbox.set("HOME", home.to_str().unwrap());
    let run = sandbox.azt(["cache", "publish", "--allow-unencrypted"]).exits(1);
    drop(run.says("would belong to another user"));
    let written = fs::read_dir(home.join(".IdentityService")).map_or(0, |it| it.count());
    assert_eq!(written, 0);
}
