//! One entry of the profile: a subscription, or a tenant without one.

mod members;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error};
use serde_json::{Map, Value, json};

use self::members::{EntryIn, Members, Text};
use super::user::{AssignedIdentity, User, UserType};
use crate::foreign::Name;

/// The name of an entry for a tenant without subscriptions.
pub(crate) const TENANT_LEVEL_NAME: &str = "N/A(tenant level account)";

/// The member that marks the entry that commands use by default.
const DEFAULT: &str = "isDefault";
/// The member of `user` that may be longer than a name: it contains an Azure resource id.
const ASSIGNED_IDENTITY: &str = "assignedIdentityInfo";

/// An entry of `azureProfile.json`, including members that azt does not know.
///
/// A missing text reads as empty; az never writes an empty one. Because any program can write the
/// file, accessors return each text sanitized as a [`Name`], and a number as its digits. The entry
/// is printed and written back unchanged.
///
/// The entry stays text, a part of the file, until it is printed or written: building thousands of
/// maps takes most of the time of reading a large profile.
#[derive(Clone)]
pub(crate) struct Subscription {
    file: Arc<String>,
    /// Where the entry starts in `file`.
    start: usize,
    members: Members,
    /// The value of `isDefault`, if it differs from that in the text.
    default: Option<bool>,
}

impl PartialEq for Subscription {
    fn eq(&self, other: &Self) -> bool {
        let is_same = Arc::ptr_eq(&self.file, &other.file) && self.start == other.start;
        (is_same && self.default == other.default) || self.to_map() == other.to_map()
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.value(), f)
    }
}

/// Reads an entry of this file. Refuses one that is empty, or whose first member's name has escapes.
pub(super) struct SubscriptionIn<'f>(pub(super) &'f Arc<String>);

impl<'de> DeserializeSeed<'de> for SubscriptionIn<'_> {
    type Value = Subscription;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Subscription, D::Error> {
        let entry = EntryIn(self.0).deserialize(deserializer)?;
        let start = entry.start.ok_or_else(|| D::Error::custom("the entry's start is unknown"))?;
        Ok(Subscription { file: Arc::clone(self.0), start, members: entry.members, default: None })
    }
}

/// The data of a subscription from Azure Resource Manager and the sign-in.
#[derive(Clone, Debug)]
pub(crate) struct NewSubscription {
    /// The subscription's GUID.
    pub(crate) id: String,
    /// Display name.
    pub(crate) name: String,
    /// `Enabled`, `Warned`, `PastDue`, `Disabled` or `Deleted`.
    pub(crate) state: String,
    /// The user or application that signed in.
    pub(crate) user: User,
    /// Tenant of the token that listed the subscription.
    pub(crate) tenant_id: String,
    /// Name of the cloud.
    pub(crate) environment_name: String,
    /// Tenant the subscription belongs to.
    pub(crate) home_tenant_id: String,
    /// Set only by a sign-in to all tenants; otherwise absent from the entry.
    pub(crate) tenant_names: Option<TenantNames>,
    /// `managedByTenants` from Azure Resource Manager: a list, or null when there is none.
    pub(crate) managed_by_tenants: Value,
}

/// The names of a tenant; each may be unknown (null in the entry).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TenantNames {
    /// Default domain, such as `contoso.onmicrosoft.com`.
    pub(crate) default_domain: Option<String>,
    /// Display name.
    pub(crate) display_name: Option<String>,
}

impl From<NewSubscription> for Subscription {
    /// Members in the order az writes them.
    fn from(new: NewSubscription) -> Self {
        let user = new.user.to_value();
        let mut entry =
            common(&new.id, &new.name, &new.state, user, &new.tenant_id, &new.environment_name);
        entry.insert("homeTenantId".into(), new.home_tenant_id.into());
        if let Some(names) = new.tenant_names {
            entry.insert("tenantDefaultDomain".into(), names.default_domain.into());
            entry.insert("tenantDisplayName".into(), names.display_name.into());
        }
        entry.insert("managedByTenants".into(), new.managed_by_tenants);
        Self::of(entry)
    }
}

impl Subscription {
    /// The entry for a tenant without subscriptions: its id is the tenant's.
    pub(crate) fn tenant_level(tenant_id: &str, user: &User, cloud: &str) -> Self {
        let user = user.to_value();
        Self::of(common(tenant_id, TENANT_LEVEL_NAME, "Enabled", user, tenant_id, cloud))
    }

    pub(super) fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Object(entry) => Some(Self::of(entry)),
            _ => None,
        }
    }

    fn of(entry: Map<String, Value>) -> Self {
        let json = Value::Object(entry).to_string();
        let members = Members::read(&json).unwrap_or_default();
        Self { file: Arc::new(json), start: 0, members, default: None }
    }

    fn to_map(&self) -> Map<String, Value> {
        let json = self.file.get(self.start..).unwrap_or_default();
        // What follows the entry in the file is not read. The entry has been parsed before.
        let mut entry =
            Map::deserialize(&mut serde_json::Deserializer::from_str(json)).unwrap_or_default();
        if let Some(default) = self.default {
            entry.insert(DEFAULT.to_owned(), default.into());
        }
        entry
    }

    /// The entry as in the file; `account show` prints it.
    pub(crate) fn value(&self) -> Value {
        Value::Object(self.to_map())
    }

    /// The output of `account list` and `login`: `cloudName` replaces `environmentName`.
    pub(crate) fn list_value(&self) -> Value {
        let mut entry = self.to_map();
        let cloud = entry.shift_remove("environmentName").unwrap_or(Value::Null);
        entry.insert("cloudName".into(), cloud);
        Value::Object(entry)
    }

    /// GUID of the subscription, or of the tenant.
    pub(crate) fn id(&self) -> &str {
        self.text(self.members.id.as_ref()).unwrap_or_default()
    }

    /// Display name, or [`TENANT_LEVEL_NAME`].
    pub(crate) fn name(&self) -> &str {
        self.text(self.members.name.as_ref()).unwrap_or_default()
    }

    /// `Enabled`, `Warned`, `PastDue`, `Disabled` or `Deleted`.
    pub(crate) fn state(&self) -> &str {
        self.text(self.members.state.as_ref()).unwrap_or_default()
    }

    /// The state in lower case, unless it is `Enabled`.
    pub(crate) fn flaw(&self) -> Option<String> {
        Some(self.state()).filter(|state| *state != "Enabled").map(str::to_lowercase)
    }

    /// The name; for one that is not enabled with its state, as `Production (disabled)`.
    pub(crate) fn name_and_flaw(&self) -> String {
        let flaw = self.flaw().map_or_else(String::new, |flaw| format!(" ({flaw})"));
        [self.name(), &flaw].concat()
    }

    /// Tenant of the token that listed the subscription.
    pub(crate) fn tenant_id(&self) -> &str {
        self.text(self.members.tenant_id.as_ref()).unwrap_or_default()
    }

    /// Default domain of the tenant, if a sign-in to all tenants stored it.
    pub(crate) fn tenant_default_domain(&self) -> Option<&str> {
        self.text(self.members.tenant_default_domain.as_ref())
    }

    /// Display name of the tenant, if a sign-in to all tenants stored it.
    pub(crate) fn tenant_display_name(&self) -> Option<&str> {
        self.text(self.members.tenant_display_name.as_ref())
    }

    /// What people call the tenant.
    pub(crate) fn tenant_name(&self) -> &str {
        let names = [self.tenant_display_name(), self.tenant_default_domain()];
        shown_tenant(names, self.tenant_id())
    }

    /// Name of the cloud.
    pub(crate) fn environment_name(&self) -> &str {
        self.text(self.members.environment_name.as_ref()).unwrap_or_default()
    }

    /// User principal name, client id, or the name that marks a managed identity.
    pub(crate) fn user_name(&self) -> &str {
        self.text(self.members.user.name.as_ref()).unwrap_or_default()
    }

    /// The type of the user; `None` for a type that az does not know.
    pub(crate) fn user_type(&self) -> Option<UserType> {
        match self.text(self.members.user.kind.as_ref()) {
            Some("user") => Some(UserType::User),
            Some("servicePrincipal") => Some(UserType::ServicePrincipal),
            _ => None,
        }
    }

    /// The managed identity that owns the entry; `None` if it has another owner.
    pub(crate) fn assigned_identity(&self) -> Option<AssignedIdentity> {
        let info = self.text(self.members.user.assigned_identity.as_ref());
        AssignedIdentity::of(self.user_type(), self.user_name(), info)
    }

    /// True for the account of Azure Cloud Shell, which is usable only inside Cloud Shell.
    pub(crate) fn is_cloud_shell(&self) -> bool {
        self.members.user.is_cloud_shell
    }

    /// True when the certificate is sent, for subject name and issuer authentication.
    pub(crate) fn use_cert_sn_issuer(&self) -> bool {
        self.members.user.use_cert_sn_issuer
    }

    /// True for the entry of a tenant without subscriptions.
    pub(crate) fn is_tenant_level(&self) -> bool {
        self.name() == TENANT_LEVEL_NAME
    }

    /// True for the entry that commands use by default.
    pub(crate) fn is_default(&self) -> bool {
        self.default.unwrap_or(self.members.is_default)
    }

    /// Adds the tenant names of `former`, if the tenant is the same: a sign-in to a single tenant
    /// does not fetch them.
    pub(super) fn with_tenant_names_of(self, former: &Self) -> Self {
        if self.tenant_id() != former.tenant_id() {
            return self;
        }
        let former = former.to_map();
        let mut entry = self.to_map();
        for name in ["tenantDefaultDomain", "tenantDisplayName"] {
            if let (false, Some(known)) = (entry.contains_key(name), former.get(name)) {
                // az writes them before the last member.
                let at = entry.len().saturating_sub(1);
                entry.shift_insert(at, name.to_owned(), known.clone());
            }
        }
        Self::of(entry)
    }

    pub(super) fn set_default(&mut self, is_default: bool) {
        let members = &self.members;
        let is_so = members.has_boolean_default && members.is_default == is_default;
        self.default = (!is_so).then_some(is_default);
    }

    /// True when the id or the name equals `wanted`, ignoring case. `wanted` is lower-case.
    pub(crate) fn is_called(&self, wanted: &str) -> bool {
        let is_called = |wanted: &str| {
            is_in_lower_case(self.id(), wanted) || is_in_lower_case(self.name(), wanted)
        };
        // The user may have copied the unsanitized name, so `wanted` is sanitized too.
        if Name::is_clean(wanted) { is_called(wanted) } else { is_called(&Name::new(wanted)) }
    }

    fn text<'s>(&'s self, text: Option<&'s Text>) -> Option<&'s str> {
        match text? {
            Text::Own(text) => Some(text),
            Text::Here(place) => self.file.get(place.start as usize..place.end as usize),
        }
    }
}

/// What people call a tenant: its display name, else its domain, else its id.
pub(crate) fn shown_tenant<'t>(names: [Option<&'t str>; 2], id: &'t str) -> &'t str {
    names.into_iter().flatten().find(|name| !name.is_empty()).unwrap_or(id)
}

/// True when `text` in lower case is `lower`. Without allocation for ASCII, because a lookup asks
/// this of every entry.
fn is_in_lower_case(text: &str, lower: &str) -> bool {
    if text.is_ascii() {
        text.bytes().map(|c| c.to_ascii_lowercase()).eq(lower.bytes())
    } else {
        text.to_lowercase() == lower
    }
}

/// The members of every entry, in az's order.
fn common(
    id: &str,
    name: &str,
    state: &str,
    user: Value,
    tenant_id: &str,
    cloud: &str,
) -> Map<String, Value> {
    let members = [
        ("id", json!(id)),
        ("name", json!(name)),
        ("state", json!(state)),
        ("user", user),
        (DEFAULT, json!(false)),
        ("tenantId", json!(tenant_id)),
        ("environmentName", json!(cloud)),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
