//! The account that a subscription's tokens belong to.

use super::client_sign_in::login;
use super::{EnvironmentIdentity, Owner};
use crate::entra::AZURE_CLI_CLIENT_ID;
use crate::error::{Error, Kind, Result};
use crate::foreign::Typed;
use crate::program::Program;
use crate::settings::{AssignedIdentity, Subscription, User, UserType};
use crate::sys::{System, host_name};
use crate::vault::ClientAccount;

/// A signed-in account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// A user, by lower-case user name (UPN).
    User {
        /// The name, as in the profile.
        name: String,
    },
    /// An application with its own credential.
    ServicePrincipal {
        /// Client id of the application.
        client_id: String,
    },
    /// An application with its credential in the environment.
    Environment(Box<EnvironmentIdentity>),
    /// A user of another client than az's.
    Client(Box<ClientAccount>),
    /// A managed identity of this host.
    ManagedIdentity(AssignedIdentity),
    /// The user of Azure Cloud Shell.
    CloudShell {
        /// The name, as in the profile.
        name: String,
    },
}

impl Identity {
    /// The account of a profile entry.
    ///
    /// # Errors
    /// The entry has no user name.
    pub(crate) fn of(subscription: &Subscription, system: &System) -> Result<Self> {
        let name = subscription.user_name();
        if name.is_empty() {
            return Err(Error::failed(format!(
                "The profile names no user for subscription '{}'.",
                subscription.name()
            )));
        }
        if let Some(assigned) = subscription.assigned_identity() {
            return Ok(Self::ManagedIdentity(assigned));
        }
        // Outside Cloud Shell the entry is an ordinary user.
        if subscription.is_cloud_shell() && in_cloud_shell(system) {
            return Ok(Self::CloudShell { name: name.to_owned() });
        }
        Ok(match subscription.user_type() {
            Some(UserType::ServicePrincipal) => {
                Self::ServicePrincipal { client_id: name.to_owned() }
            }
            Some(UserType::User) | None => Self::User { name: name.to_owned() },
        })
    }

    /// The client id that requests its tokens: az's own for users of az's client.
    pub(crate) fn client_id(&self) -> &str {
        match self {
            Self::User { .. } | Self::CloudShell { .. } => AZURE_CLI_CLIENT_ID,
            Self::ServicePrincipal { client_id } => client_id,
            Self::Environment(identity) => &identity.client_id,
            Self::Client(account) => &account.client_id,
            Self::ManagedIdentity(
                AssignedIdentity::Client(id)
                | AssignedIdentity::Object(id)
                | AssignedIdentity::Resource(id),
            ) => id,
            Self::ManagedIdentity(AssignedIdentity::System) => "",
        }
    }

    /// True if its tokens need a stored sign-in. Other identities get tokens from the host or with
    /// a credential from the environment.
    pub(crate) fn signs_in(&self) -> bool {
        matches!(self, Self::User { .. } | Self::ServicePrincipal { .. } | Self::Client(_))
    }

    /// Fails, with az's text, for a `tenant` other than `current`: a host has tokens of its own
    /// tenant only.
    pub(crate) fn check_tenant(&self, tenant: &str, current: &str) -> Result<()> {
        let kind = match self {
            Self::ManagedIdentity(_) => "managed identity",
            Self::CloudShell { .. } => "Cloud Shell",
            Self::User { .. }
            | Self::ServicePrincipal { .. }
            | Self::Environment(_)
            | Self::Client(_) => return Ok(()),
        };
        if tenant == current {
            return Ok(());
        }
        Err(Error::failed(format!(
            "For {kind} account, getting access token for non-current tenants is not supported. The specified tenant must be the current tenant {current}"
        )))
    }

    /// The owner of a new profile entry.
    pub(crate) fn user(&self) -> User {
        match self {
            Self::User { name } => User::Named { name: name.clone() },
            Self::Client(account) => User::Named { name: account.username.clone() },
            Self::ServicePrincipal { client_id } => {
                User::ServicePrincipal { client_id: client_id.clone(), use_cert_sn_issuer: false }
            }
            Self::Environment(identity) => User::ServicePrincipal {
                client_id: identity.client_id.clone(),
                use_cert_sn_issuer: false,
            },
            Self::ManagedIdentity(assigned) => User::ManagedIdentity(assigned.clone()),
            Self::CloudShell { name } => User::CloudShell { name: name.clone() },
        }
    }

    /// User name, client id, or a managed identity's name in the profile.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::User { name } | Self::CloudShell { name } => name,
            Self::ManagedIdentity(assigned) => assigned.name(),
            Self::Environment(identity) => &identity.client_id,
            Self::ServicePrincipal { client_id } => client_id,
            Self::Client(account) => &account.username,
        }
    }

    /// The owner of its access tokens.
    pub(super) fn owner(&self) -> Owner<'_> {
        match self {
            Self::ServicePrincipal { .. } => Owner::Application,
            Self::Environment(identity) => Owner::Environment(&identity.fingerprint),
            Self::Client(account) => Owner::OfClient {
                home_account_id: &account.home_account_id,
                name: &account.username,
            },
            Self::ManagedIdentity(AssignedIdentity::System) => {
                Owner::Host { host: host_name().into(), name: self.name() }
            }
            Self::User { .. } | Self::CloudShell { .. } | Self::ManagedIdentity(_) => {
                Owner::User(self.name())
            }
        }
    }

    /// The error for an account without a sign-in in the vault, in az's words.
    pub(crate) fn not_signed_in(&self, program: Program) -> Error {
        let error = |text: String| Error::new(Kind::NotSignedIn, text);
        match self {
            Self::ManagedIdentity(_) | Self::CloudShell { .. } => {
                let login = format!("{program} login --identity");
                error(format!("This host's identity is not signed in. Run `{login}`."))
                    .command(login)
            }
            Self::User { name } => {
                let login = format!("{program} login");
                let name = Typed(name);
                let text = match program {
                    Program::Az => format!("User '{name}' does not exist in MSAL token cache."),
                    Program::Azt => format!("{name} is not signed in."),
                };
                error(format!("{text} Run `{login}`.")).command(login)
            }
            Self::Client(account) => {
                let login = login(account, &account.tenant, &account.scopes);
                let name = Typed(&account.username);
                error(format!(
                    "{name} is not signed in to the client {}. Run `{login}`.",
                    account.client_id
                ))
                .command(login)
            }
            Self::Environment(_) => error("The environment describes no identity.".to_owned()),
            // No command line: the sign-in needs a credential that azt does not know.
            Self::ServicePrincipal { client_id } => error(format!(
                "Could not retrieve credential from local cache for service principal {client_id}. Run `{program} login` for this service principal."
            )),
        }
    }
}

/// True inside Azure Cloud Shell (az's rule: `ACC_CLOUD` is set).
pub(crate) fn in_cloud_shell(system: &System) -> bool {
    system.env.get("ACC_CLOUD").is_some()
}
