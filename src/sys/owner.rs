//! Whose a file is: what another user owns, or could change, is not trusted.

use std::fs::{self, File};
use std::path::Path;

/// What is wrong with who owns `path` and who may write there: others could put something in its
/// place. `None` when it is this user's alone to write, or there is no such thing.
#[cfg(unix)]
pub fn ownership_flaw(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let found = fs::metadata(path).ok()?;
    if is_anothers(&found) {
        return Some("it belongs to another user".to_owned());
    }
    let mode = found.mode() & 0o777;
    (mode & 0o022 != 0).then(|| format!("others can write there (mode {mode:04o})"))
}

/// Whether what `found` describes belongs to another user than this process runs as.
#[cfg(unix)]
pub fn is_anothers(found: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(found) != user_id()
}

/// Whether this process runs as root.
#[cfg(unix)]
pub fn is_root() -> bool {
    user_id() == 0
}

#[cfg(unix)]
fn user_id() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// On Windows a profile folder is its user's.
#[cfg(not(unix))]
pub fn ownership_flaw(_path: &Path) -> Option<String> {
    None
}

/// What to do when `path` may not be used: whose it is, or that its mode is in the way.
#[cfg(unix)]
pub(super) fn permission_remedy(path: &Path) -> String {
    use std::os::unix::fs::MetadataExt;
    let seen = || path.ancestors().filter_map(|at| Some((at, fs::metadata(at).ok()?)));
    // What it is in as well: there files are made and replaced.
    let Some((at, found)) = seen().take(2).find(|(_, found)| is_anothers(found)) else {
        return "It is this user's own: give it a mode that lets its owner read and write (chmod u+rwX), \
                and look whether a sandbox is in the way."
            .to_owned();
    };
    let whose = format!("{} belongs to another user (uid {})", at.display(), found.uid());
    // The topmost folder that is another's in one of ours: what `sudo` leaves in a home.
    let mut topmost = None;
    for (at, found) in seen().skip_while(|(it, _)| *it != at) {
        if !is_anothers(&found) {
            break;
        }
        topmost = Some(at);
    }
    let is_in_ours = |at: &&Path| {
        at.parent().and_then(|it| fs::metadata(it).ok()).is_some_and(|it| !is_anothers(&it))
    };
    let path = topmost.filter(is_in_ours).and_then(|at| at.to_str());
    match path.and_then(|path| shlex::try_quote(path).ok()) {
        Some(path) => {
            format!("{whose}. To have it back: sudo chown -R {} {path}", user_id())
        }
        None => format!("{whose}: run as that user, or have it made yours."),
    }
}

#[cfg(not(unix))]
pub(super) fn permission_remedy(_path: &Path) -> String {
    "Its access list does not let this user: change it, or run as its owner.".to_owned()
}

/// Whether another user than root laid `link`, and `target`, where it leads, is not theirs.
#[cfg(unix)]
pub(super) fn is_laid_by_another(link: &fs::Metadata, target: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    is_anothers(link)
        && link.uid() != 0
        && fs::metadata(target).is_ok_and(|target| target.uid() != link.uid())
}

/// On Windows making links takes a privilege.
#[cfg(not(unix))]
pub(super) fn is_laid_by_another(_link: &fs::Metadata, _target: &Path) -> bool {
    false
}

/// Gives what root has just `made` to the owner of the `folder` that it is in.
#[cfg(unix)]
pub(super) fn give(made: &File, folder: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    if is_root() && folder.uid() != 0 {
        // Where that is not allowed, root keeps it.
        let _ = fchown(made, Some(folder.uid()), Some(folder.gid()));
    }
}

/// On Windows what is made belongs where it is.
#[cfg(not(unix))]
pub(super) fn give(_made: &File, _folder: &fs::Metadata) {}
