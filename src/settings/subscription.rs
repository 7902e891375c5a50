//! One entry of the profile: a subscription, or a tenant without one.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::user::{AssignedIdentity, User, UserType};
use crate::foreign::{Name, Sentence, is_true};

/// The name of an entry for a tenant without subscriptions.
pub(crate) const TENANT_LEVEL_NAME: &str = "N/A(tenant level account)";

/// The member of `user` that may be longer than a name: it contains an Azure resource id.
const ASSIGNED_IDENTITY: &str = "assignedIdentityInfo";

/// An entry of `azureProfile.json`, including members that azt does not know.
///
/// A missing text reads as empty; az never writes an empty one. Because any program can write the
/// file, accessors return each text sanitized as a [`Name`], and a number as its digits. The entry
/// is printed and written back unchanged. A clone shares the members.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Subscription {
    entry: Arc<Map<String, Value>>,
    /// The sanitized entry; `None` when `entry` needs no change.
    clean: Option<Arc<Map<String, Value>>>,
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
        let clean = (!is_clean(&entry)).then(|| {
            let mut clean = entry.clone();
            make_clean(&mut clean);
            Arc::new(clean)
        });
        Self { entry: Arc::new(entry), clean }
    }

    pub(super) fn into_value(self) -> Value {
        Value::Object(Arc::unwrap_or_clone(self.entry))
    }

    /// The entry as in the file; `account show` prints it.
    pub(crate) fn value(&self) -> Value {
        Value::Object(Map::clone(&self.entry))
    }

    /// The output of `account list` and `login`: `cloudName` replaces `environmentName`.
    pub(crate) fn list_value(&self) -> Value {
        let mut entry = Map::clone(&self.entry);
        let cloud = entry.shift_remove("environmentName").unwrap_or(Value::Null);
        entry.insert("cloudName".into(), cloud);
        Value::Object(entry)
    }

    /// GUID of the subscription, or of the tenant.
    pub(crate) fn id(&self) -> &str {
        self.text("id").unwrap_or_default()
    }

    /// Display name, or [`TENANT_LEVEL_NAME`].
    pub(crate) fn name(&self) -> &str {
        self.text("name").unwrap_or_default()
    }

    /// `Enabled`, `Warned`, `PastDue`, `Disabled` or `Deleted`.
    pub(crate) fn state(&self) -> &str {
        self.text("state").unwrap_or_default()
    }

    /// Tenant of the token that listed the subscription.
    pub(crate) fn tenant_id(&self) -> &str {
        self.text("tenantId").unwrap_or_default()
    }

    /// Default domain of the tenant, if a sign-in to all tenants stored it.
    pub(crate) fn tenant_default_domain(&self) -> Option<&str> {
        self.text("tenantDefaultDomain")
    }

    /// Display name of the tenant, if a sign-in to all tenants stored it.
    pub(crate) fn tenant_display_name(&self) -> Option<&str> {
        self.text("tenantDisplayName")
    }

    /// Display name of the tenant, or its id.
    pub(crate) fn tenant_name(&self) -> &str {
        self.tenant_display_name().unwrap_or(self.tenant_id())
    }

    /// Name of the cloud.
    pub(crate) fn environment_name(&self) -> &str {
        self.text("environmentName").unwrap_or_default()
    }

    /// User principal name, client id, or the name that marks a managed identity.
    pub(crate) fn user_name(&self) -> &str {
        self.user("name").and_then(Value::as_str).unwrap_or_default()
    }

    /// The type of the user; `None` for a type that az does not know.
    pub(crate) fn user_type(&self) -> Option<UserType> {
        match self.user("type").and_then(Value::as_str) {
            Some("user") => Some(UserType::User),
            Some("servicePrincipal") => Some(UserType::ServicePrincipal),
            _ => None,
        }
    }

    /// The managed identity that owns the entry; `None` if it has another owner.
    pub(crate) fn assigned_identity(&self) -> Option<AssignedIdentity> {
        let info = self.user(ASSIGNED_IDENTITY).and_then(Value::as_str);
        AssignedIdentity::of(self.user_type(), self.user_name(), info)
    }

    /// True for the account of Azure Cloud Shell, which is usable only inside Cloud Shell.
    pub(crate) fn is_cloud_shell(&self) -> bool {
        self.user("cloudShellID").is_some_and(is_true)
    }

    /// True when the certificate is sent, for subject name and issuer authentication.
    pub(crate) fn use_cert_sn_issuer(&self) -> bool {
        self.user("useCertSNIssuerAuth").is_some_and(is_true)
    }

    /// True for the entry of a tenant without subscriptions.
    pub(crate) fn is_tenant_level(&self) -> bool {
        self.name() == TENANT_LEVEL_NAME
    }

    /// True for the entry that commands use by default.
    pub(crate) fn is_default(&self) -> bool {
        self.entry.get("isDefault").is_some_and(is_true)
    }

    /// Adds the tenant names of `former`, if the tenant is the same: a sign-in to a single tenant
    /// does not fetch them.
    pub(super) fn with_tenant_names_of(self, former: &Self) -> Self {
        if self.tenant_id() != former.tenant_id() {
            return self;
        }
        let mut entry = Arc::unwrap_or_clone(self.entry);
        for name in ["tenantDefaultDomain", "tenantDisplayName"] {
            if let (false, Some(known)) = (entry.contains_key(name), former.entry.get(name)) {
                // az writes them before the last member.
                let at = entry.len().saturating_sub(1);
                entry.shift_insert(at, name.to_owned(), known.clone());
            }
        }
        Self::of(entry)
    }

    pub(super) fn set_default(&mut self, is_default: bool) {
        Arc::make_mut(&mut self.entry).insert("isDefault".into(), is_default.into());
    }

    /// True when the id or the name equals `wanted`, ignoring case. `wanted` is lower-case.
    pub(crate) fn is_called(&self, wanted: &str) -> bool {
        let is_called = |wanted: &str| {
            self.id().to_lowercase() == wanted || self.name().to_lowercase() == wanted
        };
        // The user may have copied the unsanitized name, so `wanted` is sanitized too.
        if Name::is_clean(wanted) { is_called(wanted) } else { is_called(&Name::new(wanted)) }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.read().get(name).and_then(Value::as_str)
    }

    fn user(&self, name: &str) -> Option<&Value> {
        self.read().get("user")?.get(name)
    }

    fn read(&self) -> &Map<String, Value> {
        self.clean.as_deref().unwrap_or(&self.entry)
    }
}

/// True when no text of `entry` and of the objects in it needs sanitizing.
fn is_clean(entry: &Map<String, Value>) -> bool {
    entry.iter().all(|(name, value)| match value {
        Value::String(text) if name == ASSIGNED_IDENTITY => *Sentence::new(text) == **text,
        Value::String(text) => Name::is_clean(text),
        Value::Number(_) => false,
        Value::Object(members) => is_clean(members),
        _ => true,
    })
}

fn make_clean(entry: &mut Map<String, Value>) {
    for (name, value) in entry {
        match value {
            Value::String(text) if name == ASSIGNED_IDENTITY => *text = Sentence::new(text).into(),
            Value::String(text) => *text = Name::new(text).into(),
            Value::Number(number) => *value = number.to_string().into(),
            Value::Object(members) => make_clean(members),
            _ => {}
        }
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
        ("isDefault", json!(false)),
        ("tenantId", json!(tenant_id)),
        ("environmentName", json!(cloud)),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
