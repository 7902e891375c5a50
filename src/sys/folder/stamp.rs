//! Detects changes of a file.

use serde::{Deserialize, Serialize};

use super::Folder;

/// Metadata that differs between two states of a file, so that a change shows without reading it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    /// In bytes.
    pub(crate) size: u64,
    /// The modification time: seconds since 1970-01-01 UTC, and nanoseconds.
    pub(super) modified: (i64, u32),
    /// The inode, and the change time in seconds and nanoseconds (zeros outside Unix).
    pub(super) other: (u64, i64, i64),
}

impl Stamp {
    /// When the file's contents last changed, in seconds since 1970-01-01 UTC.
    pub(crate) fn written_at(&self) -> i64 {
        self.modified.0
    }

    /// When the file last changed, in seconds since 1970-01-01 UTC.
    pub(crate) fn changed_at(&self) -> i64 {
        self.modified.0.max(self.other.1)
    }
}

impl Folder {
    /// The stamp of the file `name`, links followed; `None` if it is missing or cannot be read.
    pub(crate) fn stamp(&self, name: &str) -> Option<Stamp> {
        self.root_handle().ok()??.stamp(&self.inner.join(name))
    }
}
