//! `application/x-www-form-urlencoded` bodies that hold secrets.

use zeroize::Zeroizing;

use crate::secret::Secret;

/// A form. Wiped when dropped, because it holds tokens and client secrets.
#[derive(Clone)]
pub(super) struct Form(Zeroizing<String>);

impl Form {
    /// A form with this `grant_type`.
    pub(super) fn grant(grant_type: &str) -> Self {
        Self::empty().with("grant_type", grant_type)
    }

    /// An empty form.
    pub(super) fn empty() -> Self {
        // Fits a refresh token of 2 KB, so that growing leaves no copies in memory.
        Self(Zeroizing::new(String::with_capacity(8192)))
    }

    /// Adds a pair.
    #[must_use]
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.push_encoded(name);
        self.0.push('=');
        self.push_encoded(value);
        self
    }

    /// Adds a pair whose value is a secret.
    #[must_use]
    pub(super) fn with_secret(self, name: &str, value: &Secret) -> Self {
        self.with(name, value.expose())
    }

    /// The encoded text.
    pub(super) fn into_body(self) -> Zeroizing<String> {
        self.0
    }

    /// Appends `text` part by part, so that no copy of a secret stays in memory.
    fn push_encoded(&mut self, text: &str) {
        form_urlencoded::byte_serialize(text.as_bytes()).for_each(|part| self.0.push_str(part));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_and_foreign_characters_are_encoded() {
        let body = Form::grant("a b").with("s", "~x&y=z/é+").into_body();
        assert_eq!(body.as_str(), "grant_type=a+b&s=%7Ex%26y%3Dz%2F%C3%A9%2B");
    }
}
