//! What else may lie in the place of a file, or be done to it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::process::Command;

use crate::attacks::{MALLORY, is_root};
use crate::support::*;

/// A user without root's power over the files of others.
fn powerless(command: &Command) -> Run {
    let mut setpriv = Command::new("setpriv");
    setpriv.args(["--bounding-set=-all", "--inh-caps=-all"]).arg(command.get_program());
    setpriv.args(command.get_args()).env_clear();
    setpriv.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Run::of(&mut setpriv)
}

/// Whoever has a file can read it whatever its mode says now.
#[test]
fn an_export_is_not_written_over_what_another_user_has() {
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
    // Theirs, which others can write; and one that only its group and this user can.
    for mode in [0o666, 0o606, 0o660, 0o620] {
        put(mode, MALLORY);
        drop(export().exits(1).says("Permission denied"));
        assert_eq!(fs::read_to_string(&file).unwrap(), "before", "{mode:o}");
    }
    // A file of this user's to which they gave a name there.
    fs::remove_file(&file).unwrap();
    fs::write(&mine, "before").unwrap();
    fs::hard_link(&mine, &file).unwrap();
    drop(export().exits(1).says("Permission denied"));
    assert_eq!(fs::read_to_string(&mine).unwrap(), "before");
    // This user's own link leads there.
    put(0o666, MALLORY);
    fs::remove_file(&mine).unwrap();
    symlink(&file, &mine).unwrap();
    let to_link = sandbox.command(["cache", "export", "--file", mine.to_str().unwrap()]);
    drop(powerless(&to_link).exits(1));
    assert_eq!(fs::read_to_string(&file).unwrap(), "before");
    // What is this user's alone is written over: nothing new can be made there.
    put(0o600, 0);
    export().exits(0);
    assert!(fs::read_to_string(&file).unwrap().contains(APP));
}
