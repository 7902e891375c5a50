//! The output buffer. It may hold an access token, so growing leaves no copies in memory.

use zeroize::Zeroizing;

use crate::foreign::is_python_space;

/// A string that wipes its old memory when it grows.
#[derive(Default)]
pub(super) struct Sink {
    text: Zeroizing<String>,
}

impl Sink {
    /// Appends `text`.
    pub(super) fn push_str(&mut self, text: &str) {
        let needed = self.text.len() + text.len();
        if needed > self.text.capacity() {
            let mut larger = Zeroizing::new(String::with_capacity(needed.max(64) * 2));
            larger.push_str(&self.text);
            self.text = larger;
        }
        self.text.push_str(text);
    }

    /// Appends one character.
    pub(super) fn push(&mut self, character: char) {
        self.push_str(character.encode_utf8(&mut [0; 4]));
    }

    /// Appends `unit`, `count` times.
    pub(super) fn repeat(&mut self, unit: &str, count: usize) {
        for _ in 0..count {
            self.push_str(unit);
        }
    }

    /// Returns the text so far.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Removes trailing white space (Python's definition), but keeps the first `length` bytes.
    pub(super) fn trim_end_to(&mut self, length: usize) {
        let kept = self.text.trim_end_matches(is_python_space).len().max(length);
        self.text.truncate(kept);
    }

    /// Returns the text, which is wiped on drop.
    pub(super) fn finish(self) -> Zeroizing<String> {
        self.text
    }
}
