//! Account logic of commands: selection by option, variable or default; tokens from the vault, az's
//! files and the network; subscriptions; migration of az's old sign-ins.

pub(crate) mod arm_token;
mod candidates;
pub(crate) mod client_account;
mod context;
mod default_subscription;
pub(crate) mod migration;
mod near_matches;
pub(crate) mod refresh_subscriptions;
#[cfg(unix)]
mod remote_broker;
mod selection;
pub(crate) mod subscriptions;
mod token;

pub(crate) use candidates::Candidates;
pub(crate) use context::{Context, DamagedSettings};
pub(crate) use default_subscription::{default_of, make_default, note_default};
pub(crate) use near_matches::{is_unknown, with_near_matches};
#[cfg(unix)]
pub(crate) use remote_broker::{RemoteBroker, RemoteRequest, RemoteToken};
pub(crate) use selection::{Selection, is_in, with_elsewhere};
pub(crate) use token::{is_shared, sources_of_az, token};
