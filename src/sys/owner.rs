//! Whose a file is: what another user owns, or could change, is not trusted.

use std::fs;
use std::path::{Path, PathBuf};

#[cfg(unix)]
use crate::shell;

/// How many files of a folder are looked at.
const SOME: usize = 1000;

/// What is wrong with who may write at `path`: others could put something in its place. `None` when
/// it is its owner's alone to write, or there is no such thing.
#[cfg(unix)]
pub(crate) fn mode_flaw(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let found = fs::metadata(path).ok()?;
    let mode = found.mode() & 0o777;
    others_can_write(mode, found.gid(), found.uid())
        .then(|| format!("others can write there (mode {mode:04o})"))
}

/// Who owns `path`, if that is another user, who is in the way of anybody but root.
#[cfg(unix)]
pub(crate) fn owner_flaw(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let found = fs::metadata(path).ok()?;
    let is_in_the_way = is_anothers(&found) && !is_root();
    is_in_the_way.then(|| format!("it belongs to another user (uid {})", found.uid()))
}

/// Whether what `found` describes belongs to another user than this process runs as.
#[cfg(unix)]
pub(crate) fn is_anothers(found: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(found) != user_id()
}

/// Whether `error` is that the way to `path` leads through a folder of another user's (a container that
/// runs as somebody else than its HOME is for): nothing of this user's is there.
#[cfg(unix)]
pub(super) fn is_behind_another(path: &Path, error: &std::io::Error) -> bool {
    let seen = || path.ancestors().find_map(|at| Some((at, fs::metadata(at).ok()?)));
    error.kind() == std::io::ErrorKind::PermissionDenied
        && seen().is_some_and(|(at, found)| at != path && is_anothers(&found))
}

/// On Windows nothing is told to be another's.
#[cfg(not(unix))]
pub(super) fn is_behind_another(_path: &Path, _error: &std::io::Error) -> bool {
    false
}

/// Whether this process runs as root.
#[cfg(unix)]
fn is_root() -> bool {
    user_id() == 0
}

#[cfg(unix)]
pub(super) fn user_id() -> u32 {
    // Asked for with every file; this process stays who it is.
    static USER: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    *USER.get_or_init(|| rustix::process::geteuid().as_raw())
}

/// True when another user than `owner` and root can write what has this mode and group. The group of a
/// user-private group counts as the user (umask 002 is common): it has the user's name, is their
/// primary group, and nobody else is in it.
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
    let is_theirs = user.primary_group_id() == group && user.name() == found.name();
    is_theirs
        && found.members().iter().all(|member| member == user.name())
        && !is_primary_of_another(group, owner)
}

/// Whether the local user database has `group` as the primary one of another user than `owner`.
#[cfg(unix)]
fn is_primary_of_another(group: u32, owner: u32) -> bool {
    let Ok(users) = fs::read_to_string("/etc/passwd") else { return false };
    users.lines().any(|line| {
        let mut fields = line.split(':').skip(2).map(str::parse::<u32>);
        let (uid, gid) = (fields.next(), fields.next());
        matches!((uid, gid), (Some(Ok(uid)), Some(Ok(gid))) if gid == group && uid != owner)
    })
}

/// The first of what lies in `folder` that [`owner_flaw`] has something against, and what. Of many
/// files some are looked at.
pub(crate) fn owner_flaw_in(folder: &Path) -> Option<(PathBuf, String)> {
    let entries = fs::read_dir(folder).ok()?.take(SOME).flatten();
    entries.map(|entry| entry.path()).find_map(|path| owner_flaw(&path).map(|flaw| (path, flaw)))
}

/// On Windows a profile folder is its user's.
#[cfg(not(unix))]
pub(crate) fn mode_flaw(_path: &Path) -> Option<String> {
    None
}

/// On Windows a profile folder is its user's.
#[cfg(not(unix))]
pub(crate) fn owner_flaw(_path: &Path) -> Option<String> {
    None
}

/// What to do when `path` may not be used: whose it is, what keeps it from everybody, or that its mode
/// is in the way.
#[cfg(unix)]
pub(super) fn permission_remedy(path: &Path) -> String {
    use std::os::unix::fs::MetadataExt;
    // What it is in as well: there files are made and replaced.
    let seen = || path.ancestors().filter_map(|at| Some((at, fs::metadata(at).ok()?))).take(2);
    if let Some((at, letter, word)) =
        seen().find_map(|(at, _)| kept_from_all(at).map(|(letter, word)| (at, letter, word)))
    {
        let shown = at.display();
        let command = at.to_str().and_then(shell::shown);
        return command.map_or_else(
            || format!("{shown} is {word} (chattr +{letter}): take that away."),
            |at| format!("{shown} is {word}. To change that: sudo chattr -{letter} {at}"),
        );
    }
    let Some((at, found)) = seen().find(|(_, found)| is_anothers(found)) else {
        return "It is this user's own: give it a mode that lets its owner read and write (chmod u+rwX), \
                and look whether a sandbox is in the way."
            .to_owned();
    };
    let whose = format!("{} belongs to another user (uid {})", at.display(), found.uid());
    match way_back(at) {
        Some(command) => format!("{whose}. To have it back: {command}"),
        None => format!(
            "{whose}: run as that user, or name another place (AZURE_CONFIG_DIR names the folder that azt works in)."
        ),
    }
}

/// The letter of chattr(1), and the word, for what keeps `path` from being changed by anybody.
#[cfg(target_os = "linux")]
pub(super) fn kept_from_all(path: &Path) -> Option<(char, &'static str)> {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    let found = statx(CWD, path, AtFlags::empty(), StatxFlags::empty()).ok()?.stx_attributes;
    [
        (StatxAttributes::IMMUTABLE, 'i', "immutable"),
        (StatxAttributes::APPEND, 'a', "only to be appended to"),
    ]
    .into_iter()
    .find_map(|(attribute, letter, word)| found.contains(attribute).then_some((letter, word)))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn kept_from_all(_path: &Path) -> Option<(char, &'static str)> {
    None
}

/// The command that gives this user the topmost of what is another's around `path` in a folder of
/// this user's: what `sudo` leaves in a home.
#[cfg(unix)]
pub(crate) fn way_back(path: &Path) -> Option<String> {
    let is_ours = |at: &Path| fs::metadata(at).ok().map(|found| !is_anothers(&found));
    let topmost = path.ancestors().take_while(|at| is_ours(at) == Some(false)).last()?;
    let is_in_ours = is_ours(topmost.parent()?)?;
    is_in_ours.then(|| making_ours(topmost)).flatten()
}

/// The command that gives this user `path` and all that is in it; none for a path that a message cannot
/// show.
#[cfg(unix)]
pub(crate) fn making_ours(path: &Path) -> Option<String> {
    let path = shell::shown(path.to_str()?)?;
    Some(format!("sudo chown -R {} {path}", user_id()))
}

/// On Windows nothing is told to be another's.
#[cfg(not(unix))]
pub(crate) fn way_back(_path: &Path) -> Option<String> {
    None
}

/// On Windows nothing is told to be another's.
#[cfg(not(unix))]
pub(crate) fn making_ours(_path: &Path) -> Option<String> {
    None
}

#[cfg(not(unix))]
pub(super) fn permission_remedy(_path: &Path) -> String {
    "Its access list does not let this user: change it, or run as its owner.".to_owned()
}
