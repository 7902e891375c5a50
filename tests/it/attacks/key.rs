//! The vault key is made by this program and pinned.
