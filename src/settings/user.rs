//! The owner of an entry of the profile.

use serde_json::{Value, json};

const SYSTEM_ASSIGNED: &str = "systemAssignedIdentity";
const USER_ASSIGNED: &str = "userAssignedIdentity";
const SYSTEM_INFO: &str = "MSI";

/// `user.type` of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum UserType {
    /// `user`: a user account.
    User,
    /// `servicePrincipal`: an application or a managed identity.
    ServicePrincipal,
}

/// A managed identity, stored in `user.assignedIdentityInfo` of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum AssignedIdentity {
    /// `MSI`: system-assigned.
    System,
    /// `MSIClient-<id>`: user-assigned, by client id.
    Client(String),
    /// `MSIObject-<id>`: user-assigned, by object id.
    Object(String),
    /// `MSIResource-<id>`: user-assigned, by Azure resource id.
    Resource(String),
}

impl AssignedIdentity {
    /// Reads `user` of an entry; `None` when it is not a managed identity as az writes it: name,
    /// type and `assignedIdentityInfo` must all match. az 2.91 checks only the name, which any
    /// login server can give to a user.
    pub(super) fn of(kind: Option<UserType>, name: &str, info: Option<&str>) -> Option<Self> {
        if kind != Some(UserType::ServicePrincipal) {
            return None;
        }
        if name == SYSTEM_ASSIGNED {
            return (info == Some(SYSTEM_INFO)).then_some(Self::System);
        }
        if name != USER_ASSIGNED {
            return None;
        }
        let (kind, id) = info?.split_once('-')?;
        match kind {
            "MSIClient" => Some(Self::Client(id.to_owned())),
            "MSIObject" => Some(Self::Object(id.to_owned())),
            "MSIResource" => Some(Self::Resource(id.to_owned())),
            _ => None,
        }
    }

    /// True for a name that the profile uses for managed identities, in any case. No other account
    /// may have it.
    pub(crate) fn is_reserved(name: &str) -> bool {
        [SYSTEM_ASSIGNED, USER_ASSIGNED].iter().any(|it| it.eq_ignore_ascii_case(name.trim()))
    }

    /// The name in the profile: `systemAssignedIdentity` or `userAssignedIdentity`.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::System => SYSTEM_ASSIGNED,
            Self::Client(_) | Self::Object(_) | Self::Resource(_) => USER_ASSIGNED,
        }
    }

    fn info(&self) -> String {
        match self {
            Self::System => SYSTEM_INFO.to_owned(),
            Self::Client(id) => format!("MSIClient-{id}"),
            Self::Object(id) => format!("MSIObject-{id}"),
            Self::Resource(id) => format!("MSIResource-{id}"),
        }
    }
}

/// The owner of a new entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum User {
    /// A user account.
    Named {
        /// User principal name, as the ID token gives it.
        name: String,
    },
    /// An application.
    ServicePrincipal {
        /// Client id.
        client_id: String,
        /// Whether the certificate is sent, for subject name and issuer authentication.
        use_cert_sn_issuer: bool,
    },
    /// A managed identity.
    ManagedIdentity(AssignedIdentity),
    /// The account of Azure Cloud Shell.
    CloudShell {
        /// Account name, or `N/A`.
        name: String,
    },
}

impl User {
    /// The member `user` of an entry, keys in az's order.
    pub(super) fn to_value(&self) -> Value {
        match self {
            Self::Named { name } => json!({"name": name, "type": "user"}),
            Self::ServicePrincipal { client_id, use_cert_sn_issuer: false } => {
                json!({"name": client_id, "type": "servicePrincipal"})
            }
            Self::ServicePrincipal { client_id, use_cert_sn_issuer: true } => json!({
                "name": client_id,
                "type": "servicePrincipal",
                "useCertSNIssuerAuth": true,
            }),
            Self::ManagedIdentity(identity) => json!({
                "name": identity.name(),
                "type": "servicePrincipal",
                "assignedIdentityInfo": identity.info(),
            }),
            Self::CloudShell { name } => {
                json!({"name": name, "type": "user", "cloudShellID": true})
            }
        }
    }
}
