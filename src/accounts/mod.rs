//! Account logic of commands: selection by option, variable or default; tokens from the vault, az's
//! files and the network; subscriptions; migration of az's old sign-ins.

pub(crate) mod arm_token;
pub(crate) mod client_account;
mod context;
pub(crate) mod migration;
pub(crate) mod refresh_subscriptions;
mod selection;
pub(crate) mod subscriptions;
mod token;

pub(crate) use context::{Context, DamagedSettings};
pub(crate) use selection::{Selection, is_in, with_elsewhere};
pub(crate) use token::{is_shared, sources_of_az, token};
