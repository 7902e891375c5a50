//! Whose token: selection by flag, variable or default; the account's token by way of the vault, az's
//! files and the network; subscriptions; migration of what az has.

pub(crate) mod arm_token;
mod context;
pub(crate) mod migration;
pub(crate) mod refresh_subscriptions;
mod selection;
pub(crate) mod subscriptions;
mod token;

pub(crate) use context::{Context, DamagedSettings};
pub(crate) use selection::{Selection, is_in};
pub(crate) use token::{is_shared, sources_of_az, token};
