//! The scope of a token request (RFC 6749 3.3, and Entra's `<resource>/<permission>`).

use crate::directory::Resource;
use crate::error::EntraError;
use crate::world::World;

/// A parsed scope parameter.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "OpenID Connect's four scopes")]
pub(crate) struct Scope {
    pub(crate) resource: Resource,
    /// The text before the last `/`: `https://x//.default` is for `https://x/`.
    pub(crate) audience: String,
    /// The requested permissions of the resource; `.default` is one.
    pub(crate) names: Vec<String>,
    pub(crate) openid: bool,
    pub(crate) profile: bool,
    pub(crate) email: bool,
    pub(crate) offline_access: bool,
}

const GRAPH: &str = "https://graph.microsoft.com";
const ARM: &str = "https://management.core.windows.net/";

impl Scope {
    /// Reads a `scope` parameter (v2.0 endpoints).
    pub(crate) fn parse(world: &World, text: &str) -> Result<Self, EntraError> {
        let mut found: Option<Self> = None;
        let mut reserved = Vec::new();
        for word in text.split_whitespace() {
            if ["openid", "profile", "email", "offline_access"].contains(&word) {
                reserved.push(word);
                continue;
            }
            // A permission without a resource belongs to Microsoft Graph.
            let (audience, name) = word.rsplit_once('/').unwrap_or((GRAPH, word));
            let resource = Self::resource(world, audience)?;
            match &mut found {
                None => found = Some(Self::of(resource, audience, name)),
                Some(scope) if scope.resource.app_id == resource.app_id => {
                    scope.names.push(name.to_owned());
                }
                Some(_) => {
                    let text = format!(
                        "The scope '{text}' is not valid because it names more than one resource."
                    );
                    return Err(EntraError::new("invalid_request", 28_000, text));
                }
            }
        }
        let mut scope = match found {
            Some(scope) => scope,
            None if reserved.is_empty() => return Err(EntraError::missing("scope")),
            None => Self::of(Self::resource(world, GRAPH)?, GRAPH, "User.Read"),
        };
        scope.openid = reserved.contains(&"openid");
        scope.profile = reserved.contains(&"profile");
        scope.email = reserved.contains(&"email");
        scope.offline_access = reserved.contains(&"offline_access");
        scope.known_names()?;
        Ok(scope)
    }

    /// The scope of a `resource` parameter (v1 endpoints, managed identity).
    pub(crate) fn of_resource(world: &World, resource: &str) -> Result<Self, EntraError> {
        let mut scope = Self::of(Self::resource(world, resource)?, resource, ".default");
        scope.openid = true;
        scope.profile = true;
        scope.offline_access = true;
        Ok(scope)
    }

    fn of(resource: Resource, audience: &str, name: &str) -> Self {
        Self {
            resource,
            audience: audience.to_owned(),
            names: vec![name.to_owned()],
            openid: false,
            profile: false,
            email: false,
            offline_access: false,
        }
    }

    fn resource(world: &World, identifier: &str) -> Result<Resource, EntraError> {
        let identifier_known =
            if identifier.trim_end_matches('/') == world.url { ARM } else { identifier };
        world.directory.resource(identifier_known).cloned().ok_or_else(|| {
            let text =
                format!("The resource principal named {identifier} was not found in the tenant.");
            EntraError::new("invalid_resource", 500_011, text)
        })
    }

    fn known_names(&self) -> Result<(), EntraError> {
        let unknown = self.names.iter().find(|name| {
            *name != ".default"
                && !self.resource.scopes.is_empty()
                && !self.resource.scopes.contains(name)
        });
        unknown.map_or(Ok(()), |name| {
            let text = format!(
                "The application requested the scope '{name}', which does not exist on the resource '{}'.",
                self.resource.app_id
            );
            Err(EntraError::new("invalid_scope", 650_053, text))
        })
    }

    pub(crate) fn is_default(&self) -> bool {
        self.names.iter().any(|name| name == ".default")
    }

    /// The `scp` claim of a user's token.
    pub(crate) fn granted(&self) -> Vec<String> {
        if !self.is_default() {
            return self.names.clone();
        }
        if self.resource.scopes.is_empty() {
            return vec!["user_impersonation".into()];
        }
        self.resource.scopes.clone()
    }

    /// The `scope` of the response (RFC 6749 5.1), as Entra writes it: full names, `.default` last,
    /// the OpenID Connect scopes only with those of Graph.
    pub(crate) fn answered(&self) -> String {
        let mut words = Vec::new();
        if self.audience.trim_end_matches('/') == GRAPH {
            for (requested, name) in
                [(self.email, "email"), (self.openid, "openid"), (self.profile, "profile")]
            {
                if requested {
                    words.push(name.to_owned());
                }
            }
        }
        let full_name = |name: &String| format!("{}/{name}", self.audience);
        words.extend(self.granted().iter().map(full_name));
        if self.is_default() {
            words.push(format!("{}/.default", self.audience));
        }
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Directory;

    fn scope(text: &str) -> Result<Scope, EntraError> {
        let url = "https://localhost:1".to_owned();
        Scope::parse(&World::new(url, String::new(), Directory::default()).unwrap(), text)
    }

    #[test]
    fn the_audience_is_everything_before_the_last_default() {
        for (text, audience) in [
            (
                "https://management.core.windows.net//.default",
                "https://management.core.windows.net/",
            ),
            ("https://vault.azure.net/.default", "https://vault.azure.net"),
            (
                "499b84ac-1321-427f-aa17-267ca6975798/.default",
                "499b84ac-1321-427f-aa17-267ca6975798",
            ),
            ("https://localhost:1//.default", "https://localhost:1/"),
            ("User.Read openid", GRAPH),
            ("openid profile", GRAPH),
        ] {
            assert_eq!(scope(text).unwrap().audience, audience, "{text}");
        }
    }

    #[test]
    fn conflicting_or_unknown_scopes_are_refused() {
        for (text, code) in [
            ("https://vault.azure.net/.default https://storage.azure.com/.default", 28_000),
            ("https://nowhere.example/.default", 500_011),
            ("https://vault.azure.net/unheard_of", 650_053),
            (" ", 900_144),
        ] {
            assert_eq!(scope(text).unwrap_err().code, code, "{text}");
        }
    }
}
