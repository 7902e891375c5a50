//! The scopes of a token request.

use crate::error::{Error, Result};

/// Scopes that OpenID Connect reserves. User flows always add them.
const RESERVED: [&str; 3] = ["offline_access", "openid", "profile"];

/// One or more scopes, sorted by code point and without duplicates, as in MSAL's cache keys.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Scopes(Vec<String>);

impl Scopes {
    /// The scopes in `values`. Each value may contain several, separated by spaces.
    ///
    /// # Errors
    /// No scope, or a reserved scope, which MSAL refuses too because it names no resource.
    pub(crate) fn new<S: AsRef<str>>(values: impl IntoIterator<Item = S>) -> Result<Self> {
        let mut scopes: Vec<String> = Vec::new();
        for value in values {
            scopes.extend(value.as_ref().split_whitespace().map(str::to_owned));
        }
        if let Some(reserved) = scopes.iter().find(|scope| RESERVED.contains(&scope.as_str())) {
            return Err(Error::failed(format!(
                "The scope '{reserved}' is reserved and always requested; name the scope of a resource, such as https://graph.microsoft.com/.default."
            )));
        }
        if scopes.is_empty() {
            return Err(Error::failed("No scope was given."));
        }
        scopes.sort_unstable();
        scopes.dedup();
        Ok(Self(scopes))
    }

    /// All granted permissions of `resource` (URL or GUID): the unchanged resource with `/.default`
    /// appended.
    ///
    /// A trailing slash stays, so the scope has two slashes. The audience is the text before the
    /// last `/.default`, so removing the slash would request another audience (az does the same).
    pub(crate) fn of_resource(resource: &str) -> Self {
        Self(vec![format!("{resource}/.default")])
    }

    /// Separated by spaces: `scope` of an application's request, and the cache key.
    pub(crate) fn joined(&self) -> String {
        self.0.join(" ")
    }

    /// Sorted, with the reserved scopes that get a refresh token and an ID token: `scope` of a
    /// user's request.
    pub(crate) fn for_user(&self) -> String {
        let mut all: Vec<&str> = self.0.iter().map(String::as_str).chain(RESERVED).collect();
        all.sort_unstable();
        all.join(" ")
    }

    /// The single scopes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailing_slash_of_the_resource_is_kept() {
        for (resource, scope) in [
            (
                "https://management.core.windows.net/",
                "https://management.core.windows.net//.default",
            ),
            ("https://vault.azure.net", "https://vault.azure.net/.default"),
            (
                "499b84ac-1321-427f-aa17-267ca6975798",
                "499b84ac-1321-427f-aa17-267ca6975798/.default",
            ),
            ("api://app/", "api://app//.default"),
        ] {
            assert_eq!(Scopes::of_resource(resource).joined(), scope);
        }
    }

    #[test]
    fn order_and_repetition_do_not_matter() {
        let scopes = Scopes::new(["b/x a/x", "b/x", "B/x"]).unwrap();
        assert_eq!(scopes.joined(), "B/x a/x b/x");
        assert_eq!(scopes.for_user(), "B/x a/x b/x offline_access openid profile");
    }

    #[test]
    fn reserved_scopes_and_no_scopes_are_refused() {
        assert!(Scopes::new(["openid"]).is_err());
        assert!(Scopes::new([" "]).is_err());
    }
}
