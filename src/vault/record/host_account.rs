//! The account that a host accepted last.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::epoch;

/// Which account's token a host accepted. Not in MSAL's cache. It chooses among signed-in accounts and
/// opens nothing itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct HostAccount {
    /// The host, in lower case; for services of many organisations, with the path of one.
    pub(crate) host: String,
    /// Host of the cloud's login endpoint.
    pub(crate) environment: String,
    /// The name of the account, as in the profile.
    pub(crate) account: String,
    /// The tenant of the token.
    pub(crate) tenant: String,
    /// When it was accepted.
    #[serde(with = "epoch")]
    pub(crate) accepted_at: i64,
    /// Unknown members.
    #[serde(flatten)]
    pub(crate) other: Map<String, Value>,
}
