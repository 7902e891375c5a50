//! Symlinks, folders, mounts and other users' files in the place of a file.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::Command;

use super::file_systems::Mount;
use crate::attacks::{MALLORY, is_root};
use crate::disk::traced;
use crate::support::*;

/// Runs as a user without root's access to files of others.
fn powerless(command: &Command) -> Run {
    let mut setpriv = Command::new("setpriv");
    setpriv.args(["--bounding-set=-all", "--inh-caps=-all"]).arg(command.get_program());
    setpriv.args(command.get_args()).env_clear();
    setpriv.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Run::of(&mut setpriv)
}

/// The owner of a file can read it whatever its mode.
#[test]
fn an_export_does_not_overwrite_another_users_file() {
    if !is_root() {
        return;
    }
    let sandbox = Sandbox::signed_in_as_app();
    let folder = sandbox.root().join("theirs");
    fs::create_dir(&folder).unwrap();
    let (file, mine) = (folder.join("export.json"), sandbox.root().join("mine"));
    let export =
        || powerless(&sandbox.command(["cache", "export", "--file", file.to_str().unwrap()]));
    let put = |mode: u32, owner: u32| {
        let _ = fs::remove_file(&file);
        fs::write(&file, "before").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        chown(&file, Some(owner), Some(0)).unwrap();
    };
    chown(&folder, Some(MALLORY), Some(MALLORY)).unwrap();
    // Another user's file that others can write; and one that only its group and this user can write.
    for mode in [0o666, 0o606, 0o660, 0o620] {
        put(mode, MALLORY);
        drop(export().exits(1).says("Permission denied"));
        assert_eq!(fs::read_to_string(&file).unwrap(), "before", "{mode:o}");
    }
    // Another user's hard link to a file of this user.
    fs::remove_file(&file).unwrap();
    fs::write(&mine, "before").unwrap();
    fs::hard_link(&mine, &file).unwrap();
    drop(export().exits(1).says("Permission denied"));
    assert_eq!(fs::read_to_string(&mine).unwrap(), "before");
    // This user's own symlink to it.
    put(0o666, MALLORY);
    fs::remove_file(&mine).unwrap();
    symlink(&file, &mine).unwrap();
    let to_link = sandbox.command(["cache", "export", "--file", mine.to_str().unwrap()]);
    drop(powerless(&to_link).exits(1));
    assert_eq!(fs::read_to_string(&file).unwrap(), "before");
    // This user's own file in a read-only folder is overwritten in place.
    put(0o600, 0);
    export().exits(0);
    assert!(fs::read_to_string(&file).unwrap().contains(APP));
}

/// `docker -v …/azureProfile.json:…`, damaged by a crash.
#[test]
fn a_damaged_bind_mounted_file_is_repaired_in_place() {
    if !is_root() {
        return;
    }
    let healing = [LOGIN_APP.as_slice(), &["logout", "--username", APP], &["account", "clear"]];
    for (name, command) in
        ["azureProfile.json"; 3].into_iter().zip(healing).chain([("clouds.config", healing[2])])
    {
        let sandbox = Sandbox::signed_in_as_app();
        sandbox.write(name, "{");
        let (_mount, outside) = Mount::over_itself(&sandbox, name);
        let run = sandbox.azt(command).success();
        let aside = sandbox.file(&format!("{name}.damaged"));
        assert_eq!(fs::read_to_string(&aside).unwrap(), "{", "{run:?}");
        assert_ne!(fs::read_to_string(&outside).unwrap(), "{", "{run:?}");
        drop(sandbox.azt(["account", "clear"]));
        assert!(!sandbox.file(&format!("{name}.damaged-2")).exists());
    }
    // A file that can be neither replaced nor emptied stays, without a copy per attempt.
    for (letter, name) in [("i", "azureProfile.json"), ("a", "azureProfile.json")] {
        let sandbox = Sandbox::new();
        sandbox.write(name, "damaged");
        chattr(&format!("+{letter}"), &sandbox.file(name));
        let runs = [sandbox.azt(LOGIN_APP), sandbox.azt(LOGIN_APP)];
        chattr(&format!("-{letter}"), &sandbox.file(name));
        for run in runs {
            drop(run.exits(1).says("chattr"));
        }
        assert_eq!(sandbox.read(name), "damaged");
        assert!(!sandbox.file(&format!("{name}.damaged")).exists());
    }
    let sandbox = Sandbox::new();
    sandbox.write("azureProfile.json", "damaged");
    let (_mount, _) = Mount::over_itself(&sandbox, "azureProfile.json");
    let _read_only = Mount::of(&["-o", "remount,bind,ro"], &sandbox.file("azureProfile.json"));
    for _ in 0..2 {
        drop(sandbox.azt(LOGIN_APP).exits(1));
        assert!(!sandbox.file("azureProfile.json.damaged").exists());
    }
}

fn chattr(change: &str, path: &Path) {
    assert!(Command::new("chattr").arg(change).arg(path).status().unwrap().success());
}

/// No sign-in or sign-out is half done.
#[test]
fn a_read_only_mounted_profile_is_reported_first() {
    if !is_root() {
        return;
    }
    let sandbox = Sandbox::signed_in_as_alice();
    let profile = sandbox.file("azureProfile.json");
    let (_mount, _) = Mount::over_itself(&sandbox, "azureProfile.json");
    let read_only = Mount::of(&["-o", "remount,bind,ro"], &profile);
    let before = sandbox.azt(["cache", "list"]).stdout;
    sandbox.emulator.clear_requests();
    for args in
        [&LOGIN_APP[..], &["logout"], &["logout", "--username", ALICE], &["account", "clear"]]
    {
        let run = sandbox.azt(args).exits(1);
        drop(run.says(&format!("Cannot write {}: Read-only file system", profile.display())));
        assert_eq!(sandbox.azt(["cache", "list"]).stdout, before, "{args:?}");
    }
    assert_eq!(sandbox.requests(), Vec::<String>::new());
    // Through this user's symlink too.
    drop(read_only);
    let linked = Sandbox::signed_in_as_app();
    let outside = linked.root().join("dotfiles");
    fs::create_dir(&outside).unwrap();
    fs::rename(linked.file("azureProfile.json"), outside.join("profile")).unwrap();
    symlink(outside.join("profile"), linked.file("azureProfile.json")).unwrap();
    let mount = Mount::of(&["--bind", outside.to_str().unwrap()], &outside);
    let _read_only = Mount::of(&["-o", "remount,bind,ro"], &outside);
    for args in [&LOGIN_APP[..], &["logout"], &["account", "clear"]] {
        drop(linked.azt(args).exits(1).says("Read-only file system"));
        drop(linked.azt(["account", "get-access-token"]).success());
    }
    // An account without a profile entry can still be removed.
    linked.azt(["logout", "--username", "other"]).exits(4);
    drop(mount);
}

/// A symlink into dotfiles that are not on this machine yet.
#[test]
fn a_profile_symlink_into_a_missing_folder_is_reported_first() {
    let sandbox = Sandbox::new();
    symlink(sandbox.root().join("none/profile"), sandbox.file("azureProfile.json")).unwrap();
    drop(sandbox.azt(LOGIN_APP).exits(1).says("a link into a missing folder"));
    assert_eq!(sandbox.requests(), Vec::<String>::new());
    fs::create_dir(sandbox.root().join("none")).unwrap();
    sandbox.azt(LOGIN_APP).success();
    assert!(sandbox.root().join("none/profile").exists());
}

/// Docker makes a folder if the file to be mounted is missing.
#[test]
fn a_non_file_in_a_files_place_has_a_remedy() {
    let of_az = ["azureProfile.json", "config", "clouds.config"];
    let records = |sandbox: &Sandbox| {
        let names = fs::read_dir(sandbox.file("azt/records")).unwrap();
        let names = names.map(|it| it.unwrap().file_name().into_string().unwrap());
        names.map(|name| format!("azt/records/{name}")).collect::<Vec<_>>()
    };
    for kind in ["folder", "pipe", "socket"] {
        let sandbox = Sandbox::signed_in_as_app();
        drop(sandbox.azt(["account", "get-access-token"]).success());
        let own = [records(&sandbox), vec!["azt/vault.json".into(), "azt/vault.key".into()]];
        for name in of_az.map(str::to_owned).into_iter().chain(own.concat()) {
            let (at, kept) = (sandbox.file(&name), sandbox.root().join("kept"));
            let was_there = fs::rename(&at, &kept).is_ok();
            match kind {
                "folder" => fs::create_dir(&at).unwrap(),
                "pipe" => assert!(Command::new("mkfifo").arg(&at).status().unwrap().success()),
                _ => {
                    let folder = at.parent().unwrap();
                    std::os::unix::net::UnixListener::bind(folder.join("s")).unwrap();
                    fs::rename(folder.join("s"), &at).unwrap();
                }
            }
            fs::set_permissions(&at, Permissions::from_mode(0o700)).unwrap();
            let list: &[&str] = &["cache", "list"];
            for args in
                [&["account", "get-access-token"][..], list, &["doctor", "--offline"], &LOGIN_APP]
            {
                let run = sandbox.azt(args);
                let said = format!("{}{}", run.stdout, run.stderr);
                if said.contains(&name) {
                    assert!(said.contains("ove it away and try again"), "{kind} {name}: {run:?}");
                    assert_ne!(run.code, Some(0), "{kind} {name}: {run:?}");
                } else {
                    assert!(
                        args[0] != "doctor" || name.contains("records"),
                        "{kind} {name} {run:?}"
                    );
                }
            }
            let found = fs::symlink_metadata(&at).unwrap();
            assert!(!found.is_file(), "{kind} {name} stays");
            if found.is_dir() { fs::remove_dir(&at) } else { fs::remove_file(&at) }.unwrap();
            if was_there {
                fs::rename(&kept, &at).unwrap();
            }
        }
    }
}

#[test]
fn a_file_in_a_folders_place_is_reported() {
    for name in ["azt/records", "azt/locks", "azt", ""] {
        let sandbox = Sandbox::signed_in_as_app();
        let at = sandbox.config_dir().join(name);
        let at = Path::new(at.to_str().unwrap().trim_end_matches('/'));
        fs::remove_dir_all(at).unwrap();
        fs::write(at, "").unwrap();
        let run = sandbox.azt(["doctor", "--offline"]);
        assert!(run.stdout.contains("A file lies where a folder is needed"), "{name}: {run:?}");
        assert!(!run.stdout.contains("ermission denied"), "{name}: {run:?}");
    }
}

/// A sealed record cannot be followed by leftover bytes.
#[test]
fn a_record_write_in_place_killed_midway_leaves_a_whole_record() {
    if !is_root() {
        return;
    }
    let sandbox = Sandbox::signed_in_as_app();
    let names = fs::read_dir(sandbox.file("azt/records")).unwrap();
    let names: Vec<_> = names.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    let names: Vec<_> = names.iter().map(|name| format!("azt/records/{name}")).collect();
    let _mounts: Vec<_> = names.iter().map(|name| Mount::over_itself(&sandbox, name)).collect();
    let listed = sandbox.azt(["cache", "list"]).success().stdout;
    // The rest of a longer record that was not truncated yet.
    for name in &names {
        let mut content = fs::read(sandbox.file(name)).unwrap();
        content.resize(content.len() + 100, b'\n');
        fs::write(sandbox.file(name), content).unwrap();
    }
    let run = sandbox.azt(["cache", "list"]).success();
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), (listed.as_str(), ""));
    drop(sandbox.azt(["account", "get-access-token"]).quiet());
    let options =
        ["-o", "/dev/null", "-e", "trace=ftruncate", "-e", "inject=ftruncate:signal=KILL"];
    let run = Run::of(&mut traced(&sandbox.command(LOGIN_APP), &options));
    assert_eq!(run.code, None, "it was killed: {run:?}");
    drop(sandbox.azt(["account", "get-access-token"]).quiet());
}
