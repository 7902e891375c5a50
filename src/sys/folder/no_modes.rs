//! Windows: there are no modes, and a profile folder belongs to its user (unverified).

use std::convert::Infallible;
use std::path::PathBuf;

use super::Folder;
use crate::error::Result;

/// What others may do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Others {
    /// Nothing.
    Nothing,
    /// All but write.
    Read,
}

/// A folder or file with which others may do more than that: none.
pub(crate) struct TooOpen {
    never: Infallible,
    /// The mode that it should have.
    pub(crate) mode: u32,
}

impl TooOpen {
    /// Its path, for messages.
    pub(crate) fn path(&self) -> PathBuf {
        match self.never {}
    }

    /// Sets its mode.
    pub(crate) fn close(&self) -> Result<()> {
        match self.never {}
    }
}

impl Folder {
    /// What is too open in this folder: nothing.
    #[allow(clippy::unused_self, reason = "the function for Unix looks at it")]
    pub(crate) fn too_open(&self, _names: Option<&[&str]>, _others: Others) -> Vec<TooOpen> {
        Vec::new()
    }
}
