//! The emulated data: tenants, users, applications, resources, subscriptions, identities.

use crate::error::Error;
use crate::identifier;
use serde::{Deserialize, Serialize};

/// The private key and certificate (PEM) of the default directory's application `Nightly build`
/// (client id `a1000000-0000-4000-8000-000000000002`). It is public on purpose.
pub const NIGHTLY_BUILD_CERTIFICATE: &str = include_str!("app_certificate.pem");

/// All data of the emulator. In JSON the names are in camelCase. `Directory::default()` is
/// `src/directory/default.json`, a good start for your own. GUIDs are in lower case.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Directory {
    /// Tenants, in the order in which ARM lists them.
    pub tenants: Vec<Tenant>,
    /// Users.
    #[serde(default)]
    pub users: Vec<User>,
    /// Applications that request tokens (clients).
    #[serde(default)]
    pub applications: Vec<Application>,
    /// Applications that tokens are for (APIs).
    #[serde(default)]
    pub resources: Vec<Resource>,
    /// Subscriptions, in the order in which ARM lists them.
    #[serde(default)]
    pub subscriptions: Vec<Subscription>,
    /// Managed identities of the one emulated host.
    #[serde(default)]
    pub managed_identities: Vec<ManagedIdentity>,
}

/// A tenant.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tenant {
    /// GUID.
    pub id: String,
    /// The domain, such as `contoso.example`. URLs may name the tenant by it.
    pub default_domain: String,
    /// Such as `Contoso`.
    pub display_name: String,
    /// ARM's category: `Home`, `ProjectedBy` or `ManagedBy`. Default: `Home`.
    #[serde(default = "home")]
    pub tenant_category: String,
    /// Two letters. Default: `DE`.
    #[serde(default = "country")]
    pub country_code: String,
    /// Domains whose users' passwords only the emulator's federation server checks.
    #[serde(default)]
    pub federated_domains: Vec<String>,
}

fn home() -> String {
    "Home".into()
}

fn country() -> String {
    "DE".into()
}

/// A user.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct User {
    /// Such as `alice@contoso.example`. Comparisons ignore case.
    pub username: String,
    /// In plain text.
    pub password: String,
    /// Object id in the home tenant, a GUID. The emulator derives those in other tenants from it.
    pub oid: String,
    /// GUID of the home tenant.
    pub tenant: String,
    /// GUIDs of the tenants where the user is a guest.
    #[serde(default)]
    pub guest_in: Vec<String>,
    /// Such as `Alice Archer`.
    pub display_name: String,
    /// GUIDs of the tenants that require a second factor of this user. They accept only a sign-in
    /// by device code or browser in the same tenant (AADSTS50076).
    #[serde(default)]
    pub mfa_required_in: Vec<String>,
    /// The user cannot sign in (AADSTS50057).
    #[serde(default)]
    pub disabled: bool,
}

impl User {
    /// The object id in this tenant, a GUID.
    pub fn oid_in(&self, tenant: &str) -> String {
        if tenant == self.tenant {
            self.oid.clone()
        } else {
            identifier::derived_guid(&[&self.oid, tenant])
        }
    }

    /// True if the user is a member or a guest of this tenant.
    pub fn is_in(&self, tenant: &str) -> bool {
        self.tenant == tenant || self.guest_in.iter().any(|guest_in| guest_in == tenant)
    }
}

/// An application and its service principal.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Application {
    /// GUID.
    pub client_id: String,
    /// Object id of its service principal, a GUID.
    pub object_id: String,
    /// Such as `Nightly build`.
    pub name: String,
    /// GUIDs of the tenants that know it. Empty means all (multi-tenant).
    #[serde(default)]
    pub tenants: Vec<String>,
    /// A public client has no secret and may not use one.
    #[serde(default)]
    pub public: bool,
    /// The family of client ids (`1`): refresh tokens work for all clients of one family.
    #[serde(default)]
    pub family: Option<String>,
    /// Addresses to which the authorize endpoint may redirect. A loopback address may have any port
    /// (RFC 8252 7.3).
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Client secrets.
    #[serde(default)]
    pub secrets: Vec<Secret>,
    /// Certificates (PEM; a private key in the same text is ignored).
    #[serde(default)]
    pub certificates: Vec<String>,
    /// Tokens of other issuers that it may use as client assertions.
    #[serde(default)]
    pub federated_credentials: Vec<FederatedCredential>,
    /// The `roles` claim of its tokens.
    #[serde(default)]
    pub roles: Vec<String>,
}

/// A client secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Secret {
    /// In plain text.
    pub value: String,
    /// Expiry in Unix seconds; an expired secret gets AADSTS7000222. `None`: never.
    #[serde(default)]
    pub expires: Option<i64>,
}

/// The claims that a federated assertion must have (workload identity federation).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FederatedCredential {
    /// Its `iss`.
    pub issuer: String,
    /// Its `sub`.
    pub subject: String,
    /// Its `aud`. Default: `api://AzureADTokenExchange`.
    #[serde(default = "token_exchange")]
    pub audience: String,
    /// The certificate (PEM) of the key that signs it. `None`: the emulator's own key, see
    /// [`EntraEmulator::assertion`](crate::EntraEmulator::assertion).
    #[serde(default)]
    pub certificate: Option<String>,
}

fn token_exchange() -> String {
    "api://AzureADTokenExchange".into()
}

/// An API that tokens are for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Resource {
    /// Its application id, a GUID.
    pub app_id: String,
    /// Such as `Azure Key Vault`.
    pub name: String,
    /// Identifier URIs. Comparisons ignore a trailing slash.
    pub identifier_uris: Vec<String>,
    /// Its delegated permissions. Empty means `user_impersonation`, and accepts any other name too.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// True if its access tokens are version 2.0 (`aud` is then the application id).
    #[serde(default)]
    pub v2_tokens: bool,
    /// True if users must consent first, in a sign-in by device code or browser (AADSTS65001).
    #[serde(default)]
    pub consent_required: bool,
    /// Client ids with consent.
    #[serde(default)]
    pub consented: Vec<String>,
}

/// A subscription.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Subscription {
    /// GUID.
    pub id: String,
    /// Such as `Contoso Production`.
    pub name: String,
    /// `Enabled`, `Disabled`, `Warned`, `PastDue` or `Deleted`. Default: `Enabled`.
    #[serde(default = "enabled")]
    pub state: String,
    /// GUID of its tenant.
    pub tenant: String,
    /// GUIDs of other tenants that can manage it.
    #[serde(default)]
    pub managed_by_tenants: Vec<String>,
    /// User names and client ids that can see it.
    pub access: Vec<String>,
}

fn enabled() -> String {
    "Enabled".into()
}

/// A managed identity of the host.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManagedIdentity {
    /// GUID.
    pub client_id: String,
    /// GUID.
    pub object_id: String,
    /// `/subscriptions/…/userAssignedIdentities/…`, or the host's id if it is system-assigned.
    pub resource_id: String,
    /// GUID of its tenant.
    pub tenant: String,
    /// True for the identity of requests that name none.
    #[serde(default)]
    pub system_assigned: bool,
}

impl Default for Directory {
    /// Contoso, Fabrikam and Northwind, as the crate's documentation describes them.
    fn default() -> Self {
        let mut directory =
            Self::from_json(include_str!("directory/default.json")).unwrap_or_else(|_| Self {
                tenants: Vec::new(),
                users: Vec::new(),
                applications: Vec::new(),
                resources: Vec::new(),
                subscriptions: Vec::new(),
                managed_identities: Vec::new(),
            });
        if let Some(nightly) = directory.application_mut("a1000000-0000-4000-8000-000000000002") {
            nightly.certificates.push(NIGHTLY_BUILD_CERTIFICATE.into());
        }
        directory
    }
}

impl Directory {
    /// Reads a directory from JSON.
    ///
    /// # Errors
    /// [`Error::Directory`] names the first mistake in the text.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        Ok(serde_json::from_str(text)?)
    }

    /// The tenant with this GUID or domain (any case).
    pub fn tenant(&self, name: &str) -> Option<&Tenant> {
        self.tenants.iter().find(|tenant| {
            tenant.id.eq_ignore_ascii_case(name) || tenant.default_domain.eq_ignore_ascii_case(name)
        })
    }

    /// True if a federation server checks the passwords of users of this domain (any case).
    pub fn is_federated(&self, domain: &str) -> bool {
        let mut domains = self.tenants.iter().flat_map(|tenant| &tenant.federated_domains);
        domains.any(|federated| federated.eq_ignore_ascii_case(domain))
    }

    /// The user with this name (any case).
    pub fn user(&self, username: &str) -> Option<&User> {
        self.users.iter().find(|user| user.username.eq_ignore_ascii_case(username))
    }

    /// [`Directory::user`], to change it.
    pub fn user_mut(&mut self, username: &str) -> Option<&mut User> {
        self.users.iter_mut().find(|user| user.username.eq_ignore_ascii_case(username))
    }

    /// The application with this client id (any case).
    pub fn application(&self, client_id: &str) -> Option<&Application> {
        self.applications
            .iter()
            .find(|application| application.client_id.eq_ignore_ascii_case(client_id))
    }

    /// [`Directory::application`], to change it.
    pub fn application_mut(&mut self, client_id: &str) -> Option<&mut Application> {
        self.applications
            .iter_mut()
            .find(|application| application.client_id.eq_ignore_ascii_case(client_id))
    }

    /// The resource with this identifier URI or application id, with or without a trailing slash.
    pub fn resource(&self, identifier: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.is_called(identifier))
    }

    /// [`Directory::resource`], to change it.
    pub fn resource_mut(&mut self, identifier: &str) -> Option<&mut Resource> {
        self.resources.iter_mut().find(|resource| resource.is_called(identifier))
    }

    /// The subscription with this GUID, to change it.
    pub fn subscription_mut(&mut self, id: &str) -> Option<&mut Subscription> {
        self.subscriptions.iter_mut().find(|subscription| subscription.id.eq_ignore_ascii_case(id))
    }
}

impl Resource {
    fn is_called(&self, identifier: &str) -> bool {
        let bare = |text: &str| text.trim_end_matches('/').to_ascii_lowercase();
        let wanted = bare(identifier);
        self.app_id == wanted || self.identifier_uris.iter().any(|uri| bare(uri) == wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_directory_is_complete_and_consistent() {
        let directory = Directory::default();
        assert_eq!(directory.tenants.len(), 3);
        assert_eq!(directory.subscriptions.len(), 4);
        for user in &directory.users {
            for tenant in user.guest_in.iter().chain([&user.tenant]) {
                assert!(directory.tenant(tenant).is_some(), "{user:?}");
            }
        }
        for subscription in &directory.subscriptions {
            assert!(directory.tenant(&subscription.tenant).is_some());
        }
    }

    #[test]
    fn a_misspelt_field_is_named() {
        let error = Directory::from_json(r#"{"tenants":[],"user":[]}"#).unwrap_err();
        assert!(error.to_string().contains("`user`"), "{error}");
    }
}
