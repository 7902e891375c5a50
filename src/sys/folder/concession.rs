//! Steps of a write that a file system does not support and that were skipped.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::foreign::Sentence;

/// A step that a file system or mount refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Concession {
    /// Setting the mode of a file: all files there have the same mode.
    Modes,
    /// Waiting until data is on the disk.
    Sync,
    /// Replacing a file by a rename: it was overwritten in place.
    Rename,
    /// Locking a file.
    Locks,
}

impl Concession {
    /// The sentence that reports this concession at `path`.
    pub(crate) fn about(self, path: &Path) -> String {
        let path = Sentence::new(&path.display().to_string());
        match self {
            Self::Modes => format!(
                "{path}: modes are not kept there, so the mount options decide who can read a file."
            ),
            Self::Sync => format!(
                "{path}: the file system does not confirm writes, so a crash may lose the last change."
            ),
            Self::Rename => format!(
                "{path}: it cannot be replaced, so it is overwritten in place; a crash may leave a partial file."
            ),
            Self::Locks => format!(
                "{path}: there are no locks there, so two processes may request the same token."
            ),
        }
    }
}

thread_local! {
    /// The first path at which each concession was made.
    static MADE: RefCell<BTreeMap<Concession, PathBuf>> = RefCell::default();
}

/// Records a concession at `path`.
pub(in crate::sys) fn concede(concession: Concession, path: &Path) {
    MADE.with_borrow_mut(|made| {
        made.entry(concession).or_insert_with(|| path.to_owned());
    });
}

/// Returns and clears the concessions recorded in this thread, each with its first path.
pub(crate) fn concessions() -> Vec<(Concession, PathBuf)> {
    MADE.take().into_iter().collect()
}
