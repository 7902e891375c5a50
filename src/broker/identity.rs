//! Who a subscription's tokens belong to.

use crate::entra::AZURE_CLI_CLIENT_ID;
use crate::error::{Error, Kind, Result};
use crate::program::Program;
use crate::settings::{Subscription, UserType};

/// A signed-in account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// A person, by user name (UPN), lower-case.
    User {
        /// The name, as the profile has it.
        name: String,
    },
    /// An application with a credential of its own.
    ServicePrincipal {
        /// Client id of the application.
        client_id: String,
    },
}

impl Identity {
    /// The account of a profile entry.
    ///
    /// # Errors
    /// Managed identities and Cloud Shell accounts, which other machines' az may have left in a
    /// shared profile, are not served yet.
    pub fn of(subscription: &Subscription) -> Result<Self> {
        let name = subscription.user_name();
        if name.is_empty() {
            return Err(Error::failed(format!(
                "The profile does not say who subscription '{}' was found by.",
                subscription.name()
            )));
        }
        if subscription.assigned_identity().is_some() {
            return Err(Error::failed(
                "This subscription was found by a managed identity, which this version cannot use.",
            ));
        }
        Ok(match subscription.user_type() {
            Some(UserType::ServicePrincipal) => {
                Self::ServicePrincipal { client_id: name.to_owned() }
            }
            Some(UserType::User) | None => Self::User { name: name.to_owned() },
        })
    }

    /// The client id that asks for its tokens: az's own for people.
    pub fn client_id(&self) -> &str {
        match self {
            Self::User { .. } => AZURE_CLI_CLIENT_ID,
            Self::ServicePrincipal { client_id } => client_id,
        }
    }

    /// What its records are filed under: the user name, or nothing for an application.
    pub fn account(&self) -> &str {
        match self {
            Self::User { name } => name,
            Self::ServicePrincipal { .. } => "",
        }
    }

    /// The error for an account that the vault knows nothing of, in az's words.
    pub fn not_signed_in(&self, program: Program) -> Error {
        Error::new(
            Kind::NotSignedIn,
            match self {
                Self::User { name } => format!(
                    "User '{name}' does not exist in MSAL token cache. Run `{program} login`."
                ),
                Self::ServicePrincipal { client_id } => format!(
                    "Could not retrieve credential from local cache for service principal {client_id}. Run `{program} login` for this service principal."
                ),
            },
        )
    }
}
