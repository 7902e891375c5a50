//! What a file system refused that was done without.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::foreign::Sentence;

/// A step that a file system, or a mount, refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Concession {
    /// To keep a file from other users: it has the mode that everything there has.
    Modes,
    /// To say when something is on the disk.
    Sync,
    /// To put a new file in the place of another, which was written over.
    Rename,
    /// To lock a file.
    Locks,
}

impl Concession {
    /// The sentence about `path`, where that was so.
    pub(crate) fn about(self, path: &Path) -> String {
        let path = Sentence::new(&path.display().to_string());
        match self {
            Self::Modes => format!(
                "{path}: modes are not kept there, so who may read a file is what the mount says."
            ),
            Self::Sync => format!(
                "{path}: it is not told there when a file is on the disk: a crash may lose the last change."
            ),
            Self::Rename => format!(
                "{path}: no file can be put in its place, so it is written over: a crash may leave a part of it."
            ),
            Self::Locks => format!(
                "{path}: there are no locks there, so two processes may ask for the same token."
            ),
        }
    }
}

thread_local! {
    /// Where each was made first.
    static MADE: RefCell<BTreeMap<Concession, PathBuf>> = RefCell::default();
}

/// Notes that this was done without at `path`.
pub(in crate::sys) fn concede(concession: Concession, path: &Path) {
    MADE.with_borrow_mut(|made| {
        made.entry(concession).or_insert_with(|| path.to_owned());
    });
}

/// What was done without since this was asked last, each with the first path.
pub(crate) fn concessions() -> Vec<(Concession, PathBuf)> {
    MADE.take().into_iter().collect()
}
