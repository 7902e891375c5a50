//! Ownership checks: a file that another user owns or can change is not trusted.

use std::fs;
use std::path::{Path, PathBuf};

#[cfg(unix)]
use crate::shell;

/// The most files of a folder that are checked.
const MAX_FILES: usize = 1000;

/// Reports that other users can write `path`, and so could replace it. `None` if only its owner can
/// write it, or it is missing.
#[cfg(unix)]
pub(crate) fn mode_flaw(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let found = fs::metadata(path).ok()?;
    let mode = found.mode() & 0o777;
    others_can_write(mode, found.gid(), found.uid())
        .then(|| format!("others can write there (mode {mode:04o})"))
}

/// Reports that another user owns `path`. `None` for root, who can use it anyway.
#[cfg(unix)]
pub(crate) fn owner_flaw(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let found = fs::metadata(path).ok()?;
    let is_flaw = is_anothers(&found) && !is_root();
    is_flaw.then(|| format!("it belongs to another user (uid {})", found.uid()))
}

/// True if the owner of the file with the metadata `found` is not the user of this process.
#[cfg(unix)]
pub(crate) fn is_anothers(found: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(found) != user_id()
}

/// True if `error` arose because `path` is inside another user's closed folder (a container that
/// runs as another user than the owner of HOME). Nothing of this user is there.
#[cfg(unix)]
pub(super) fn is_in_anothers_folder(path: &Path, error: &std::io::Error) -> bool {
    let seen = || path.ancestors().find_map(|at| Some((at, fs::metadata(at).ok()?)));
    error.kind() == std::io::ErrorKind::PermissionDenied
        && seen().is_some_and(|(at, found)| at != path && is_anothers(&found))
}

/// Windows: owners are not checked.
#[cfg(not(unix))]
pub(super) fn is_in_anothers_folder(_path: &Path, _error: &std::io::Error) -> bool {
    false
}

#[cfg(unix)]
fn is_root() -> bool {
    user_id() == 0
}

#[cfg(unix)]
pub(super) fn user_id() -> u32 {
    // Cached: every file check needs it, and the process never changes its user.
    static USER: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    *USER.get_or_init(|| rustix::process::geteuid().as_raw())
}

/// True if a user other than `owner` and root can write a file with this mode and group.
///
/// A user-private group counts as its user, because umask 002 is common. Such a group has the
/// user's name, is the user's primary group and has no other member.
#[cfg(unix)]
pub(super) fn others_can_write(mode: u32, group: u32, owner: u32) -> bool {
    mode & 0o002 != 0 || (mode & 0o020 != 0 && !is_private_group(group, owner))
}

#[cfg(unix)]
fn is_private_group(group: u32, owner: u32) -> bool {
    use uzers::os::unix::GroupExt;
    let (Some(user), Some(found)) = (uzers::get_user_by_uid(owner), uzers::get_group_by_gid(group))
    else {
        return false;
    };
    let is_users_own = user.primary_group_id() == group && user.name() == found.name();
    is_users_own
        && found.members().iter().all(|member| member == user.name())
        && !is_primary_of_another(group, owner)
}

/// True if `/etc/passwd` has `group` as the primary group of a user other than `owner`.
#[cfg(unix)]
fn is_primary_of_another(group: u32, owner: u32) -> bool {
    let Ok(users) = fs::read_to_string("/etc/passwd") else { return false };
    users.lines().any(|line| {
        let mut fields = line.split(':').skip(2).map(str::parse::<u32>);
        let (uid, gid) = (fields.next(), fields.next());
        matches!((uid, gid), (Some(Ok(uid)), Some(Ok(gid))) if gid == group && uid != owner)
    })
}

/// The first entry of `folder` with an [`owner_flaw`], and that flaw. Checks at most 1000 entries.
pub(crate) fn owner_flaw_in(folder: &Path) -> Option<(PathBuf, String)> {
    let entries = fs::read_dir(folder).ok()?.take(MAX_FILES).flatten();
    entries.map(|entry| entry.path()).find_map(|path| owner_flaw(&path).map(|flaw| (path, flaw)))
}

/// Windows: a profile folder belongs to its user.
#[cfg(not(unix))]
pub(crate) fn mode_flaw(_path: &Path) -> Option<String> {
    None
}

/// Windows: a profile folder belongs to its user.
#[cfg(not(unix))]
pub(crate) fn owner_flaw(_path: &Path) -> Option<String> {
    None
}

/// What to do when access to `path` is denied. The cause is a file attribute, another owner, or the
/// mode.
#[cfg(unix)]
pub(super) fn permission_remedy(path: &Path) -> String {
    use std::os::unix::fs::MetadataExt;
    // Also the folder that contains it, because files are created and replaced there.
    let seen = || path.ancestors().filter_map(|at| Some((at, fs::metadata(at).ok()?))).take(2);
    if let Some((at, letter, word)) =
        seen().find_map(|(at, _)| locking_attribute(at).map(|(letter, word)| (at, letter, word)))
    {
        let shown = at.display();
        let command = at.to_str().and_then(shell::shown);
        return command.map_or_else(
            || format!("{shown} is {word} (chattr +{letter}): remove that attribute."),
            |at| format!("{shown} is {word}. To change that: sudo chattr -{letter} {at}"),
        );
    }
    let Some((at, found)) = seen().find(|(_, found)| is_anothers(found)) else {
        return "It belongs to this user: set a mode that lets its owner read and write (chmod u+rwX), \
                and check whether a sandbox denies access."
            .to_owned();
    };
    let whose = format!("{} belongs to another user (uid {})", at.display(), found.uid());
    match chown_topmost(at) {
        Some(command) => format!("{whose}. To make it yours: {command}"),
        None => format!(
            "{whose}: run as that user, or set AZURE_CONFIG_DIR to a folder that you can write to."
        ),
    }
}

/// The attribute of chattr(1) that keeps every user from changing `path`: its letter and its name.
#[cfg(target_os = "linux")]
pub(super) fn locking_attribute(path: &Path) -> Option<(char, &'static str)> {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    let found = statx(CWD, path, AtFlags::empty(), StatxFlags::empty()).ok()?.stx_attributes;
    [(StatxAttributes::IMMUTABLE, 'i', "immutable"), (StatxAttributes::APPEND, 'a', "append-only")]
        .into_iter()
        .find_map(|(attribute, letter, word)| found.contains(attribute).then_some((letter, word)))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn locking_attribute(_path: &Path) -> Option<(char, &'static str)> {
    None
}

/// The command that gives this user back what `sudo` left in their home: the topmost folder or file
/// on `path` that another user owns. `None` unless this user owns the folder that contains it.
#[cfg(unix)]
pub(crate) fn chown_topmost(path: &Path) -> Option<String> {
    let is_ours = |at: &Path| fs::metadata(at).ok().map(|found| !is_anothers(&found));
    let topmost = path.ancestors().take_while(|at| is_ours(at) == Some(false)).last()?;
    let is_in_ours = is_ours(topmost.parent()?)?;
    is_in_ours.then(|| chown_command(topmost)).flatten()
}

/// The command that gives this user `path` and its contents. `None` if the path cannot be shown in
/// a message.
#[cfg(unix)]
pub(crate) fn chown_command(path: &Path) -> Option<String> {
    let path = shell::shown(path.to_str()?)?;
    Some(format!("sudo chown -R {} {path}", user_id()))
}

/// Windows: owners are not checked.
#[cfg(not(unix))]
pub(crate) fn chown_topmost(_path: &Path) -> Option<String> {
    None
}

/// Windows: owners are not checked.
#[cfg(not(unix))]
pub(crate) fn chown_command(_path: &Path) -> Option<String> {
    None
}

#[cfg(not(unix))]
pub(super) fn permission_remedy(_path: &Path) -> String {
    "Its access list denies this user access: change the list, or run as its owner.".to_owned()
}
