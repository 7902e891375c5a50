use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};

use tempfile::TempDir;

use std::time::Duration;

use super::*;

/// The user id of `nobody`.
const ANOTHER: u32 = 65_534;

fn folder() -> (TempDir, Folder) {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::at(dir.path());
    (dir, folder)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Another user's folder; `None` unless root runs the test, because only root can create one.
fn anothers_folder() -> Option<(TempDir, Folder)> {
    let (dir, folder) = folder();
    chown(dir.path(), Some(ANOTHER), Some(ANOTHER)).ok()?;
    Some((dir, folder))
}

#[test]
fn owner_files_are_0600_even_over_a_looser_one() {
    let (dir, folder) = folder();
    let path = dir.path().join("x");
    fs::write(&path, "old").unwrap();
    set_mode(&path, 0o644);
    folder.write("x", b"new", Access::Owner, Durability::Durable).unwrap();
    assert_eq!((mode(&path), fs::read(&path).unwrap()), (0o600, b"new".to_vec()));
}

#[test]
fn writing_to_own_link_keeps_the_link_and_replaces_its_target() {
    let (dir, folder) = folder();
    let (target, link) = (dir.path().join("target"), dir.path().join("link"));
    fs::write(&target, "old").unwrap();
    symlink(&target, &link).unwrap();
    assert_eq!(folder.read("link").unwrap().unwrap(), b"old");
    folder.write("link", b"new", Access::Shared, Durability::Volatile).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read(&target).unwrap(), b"new");
    let elsewhere = tempfile::tempdir().unwrap();
    symlink(elsewhere.path(), dir.path().join("inner")).unwrap();
    folder.sub("inner").write("x", b"there", Access::Owner, Durability::Volatile).unwrap();
    assert_eq!(fs::read(elsewhere.path().join("x")).unwrap(), b"there");
    symlink(&target, elsewhere.path().join("x.link")).unwrap();
    let own = |folder: &Folder| folder.write("x.link", b"own", Access::Owner, Durability::Volatile);
    let error = own(&folder.sub("inner")).unwrap_err();
    assert!(error.message().ends_with("x.link: it is a symbolic link."), "{error}");
    assert_eq!(fs::read(&target).unwrap(), b"new");
    symlink("loop", dir.path().join("loop")).unwrap();
    assert!(folder.read("loop").is_err());
}

#[test]
fn another_users_link_is_not_followed() {
    let (dir, folder) = folder();
    let (target, link) = (dir.path().join("target"), dir.path().join("link"));
    fs::write(&target, "old").unwrap();
    symlink(&target, &link).unwrap();
    symlink(dir.path(), dir.path().join("inner")).unwrap();
    if lchown(&link, Some(ANOTHER), None).is_err() {
        // Only root can change the owner of a link.
        return;
    }
    lchown(dir.path().join("inner"), Some(ANOTHER), None).unwrap();
    for error in [
        folder.write("link", b"new", Access::Shared, Durability::Volatile).unwrap_err(),
        folder.read("link").unwrap_err(),
        folder
            .sub("inner")
            .write("target", b"new", Access::Owner, Durability::Volatile)
            .unwrap_err(),
        folder.sub("inner").read("target").unwrap_err(),
        folder.sub("inner").sub("deep").ensure().unwrap_err(),
        write_named(&link, b"new").unwrap_err(),
        Folder::at(dir.path().join("inner")).read("target").unwrap_err(),
    ] {
        assert!(error.message().contains("is a link that another user made"), "{error}");
    }
    assert_eq!(fs::read(&target).unwrap(), b"old");
}

#[test]
fn a_failed_write_leaves_the_old_entry_and_no_temporary_file() {
    let (dir, folder) = folder();
    fs::create_dir(dir.path().join("folder")).unwrap();
    let error = folder.write("folder", b"new", Access::Owner, Durability::Volatile).unwrap_err();
    assert!(error.message().starts_with("Cannot write "), "{error}");
    assert!(error.message().ends_with(": it is not a regular file."), "{error}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
#[allow(clippy::disallowed_methods, reason = "runs the suggested command")]
fn a_folder_that_others_own_or_can_write_is_refused_with_the_command_that_fixes_it() {
    for mode in [0o777, 0o757, 0o1777, 0o702] {
        let (dir, folder) = folder();
        fs::write(dir.path().join("x"), "x").unwrap();
        set_mode(dir.path(), mode);
        let error = folder.read("x").unwrap_err();
        assert!(error.message().contains("can be written by others"), "{error}");
        let command = error.curing_command().unwrap();
        assert!(std::process::Command::new("sh").args(["-c", command]).status().unwrap().success());
        assert_eq!(folder.read("x").unwrap().unwrap(), b"x", "{command} cures it");
        set_mode(&dir.path().join("x"), 0o666);
        assert!(folder.read("x").is_err());
    }
    let (dir, folder) = folder();
    fs::create_dir(dir.path().join("inner")).unwrap();
    set_mode(&dir.path().join("inner"), 0o777);
    let inner = folder.sub("inner");
    assert!(inner.write("x", b"x", Access::Owner, Durability::Volatile).is_err());
    assert!(inner.ensure().is_err());
    set_mode(dir.path(), 0o777);
    let trusted = Folder::trusted(dir.path());
    trusted.sub("inner").write("x", b"x", Access::Owner, Durability::Volatile).unwrap();
    assert_eq!(trusted.sub("inner").read("x").unwrap().unwrap(), b"x");
    if chown(dir.path().join("inner/x"), Some(ANOTHER), None).is_ok() {
        set_mode(dir.path(), 0o700);
        set_mode(&dir.path().join("inner"), 0o700);
        let error = inner.read("x").unwrap_err();
        assert!(error.message().contains("belongs to another user (uid 65534)"), "{error}");
    }
}

#[test]
fn root_in_another_users_folder_changes_no_foreign_file_and_gives_its_files_to_the_owner() {
    let Some((dir, folder)) = anothers_folder() else { return };
    let ours = tempfile::tempdir().unwrap();
    let target = ours.path().join("target");
    fs::write(&target, "ours").unwrap();
    symlink(&target, dir.path().join("link")).unwrap();
    for name in ["hard", "hard.lock", "touched"] {
        fs::hard_link(&target, dir.path().join(name)).unwrap();
    }
    assert!(folder.read("link").is_err() && folder.read("hard").is_err());
    assert!(folder.lock("hard.lock", Duration::ZERO).is_err());
    assert!(folder.touch("touched").is_err());
    folder.write("hard", b"theirs", Access::Shared, Durability::Durable).unwrap();
    folder.sub("a").sub("b").ensure().unwrap();
    folder.sub("a").write("x", b"theirs", Access::Owner, Durability::Volatile).unwrap();
    assert!(folder.lock("free.lock", Duration::ZERO).unwrap().is_some());
    for name in ["hard", "a", "a/b", "a/x", "free.lock"] {
        assert_eq!(fs::metadata(dir.path().join(name)).unwrap().uid(), ANOTHER, "{name}");
    }
    let found = fs::metadata(&target).unwrap();
    assert_eq!((fs::read(&target).unwrap(), found.uid()), (b"ours".to_vec(), 0));
    // The user (root) named that path, so the file stays root's.
    write_named(&dir.path().join("named"), b"root's").unwrap();
    let found = fs::metadata(dir.path().join("named")).unwrap();
    assert_eq!((found.uid(), found.mode() & 0o777), (0, 0o600));
    assert!(!folder.is_own());
}

#[test]
fn a_rename_of_the_folder_does_not_redirect_later_writes() {
    let (dir, _) = folder();
    let (path, away) = (dir.path().join("it"), dir.path().join("away"));
    fs::create_dir(&path).unwrap();
    let folder = Folder::at(&path);
    folder.write("x", b"first", Access::Owner, Durability::Volatile).unwrap();
    fs::rename(&path, &away).unwrap();
    fs::create_dir(&path).unwrap();
    folder.write("x", b"second", Access::Owner, Durability::Volatile).unwrap();
    assert_eq!(fs::read(away.join("x")).unwrap(), b"second");
    assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
}

#[test]
fn a_lock_has_one_holder_at_a_time() {
    let (dir, folder) = folder();
    let held = folder.lock("x.lock", Duration::ZERO).unwrap();
    assert!(held.is_some());
    assert!(folder.lock("x.lock", Duration::from_millis(5)).unwrap().is_none());
    drop(held);
    assert!(folder.lock("x.lock", Duration::ZERO).unwrap().is_some());
    assert!(dir.path().join("x.lock").exists(), "the file stays, so that all lock the same inode");
    let target = dir.path().join("target");
    fs::write(&target, "kept").unwrap();
    symlink(&target, dir.path().join("link.lock")).unwrap();
    assert!(folder.lock("link.lock", Duration::ZERO).is_err());
    let msal = crate::sys::MsalLock::acquire(&folder, "link.lock", Duration::ZERO);
    assert!(msal.is_err() && fs::read(&target).unwrap() == b"kept");
}
