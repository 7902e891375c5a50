//! A user's sign-in to a public client that is not az's.
//!
//! The record holds its own refresh token, so that no other client can find and redeem it. It may
//! name the login host that receives that token. So it has no `Deserialize`: azt reads it only from
//! what the vault sealed.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{AccessToken, epoch};
use crate::secret::{Secret, exposed};

/// A user who signed in to another client than az's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ClientAccount {
    /// The client id (GUID).
    pub(crate) client_id: String,
    /// Host, and port if given, of the cloud's login endpoint; for an authority of its own, that
    /// address without `https://`, which no cloud's login host equals.
    pub(crate) environment: String,
    /// The address of an authority of its own; `None`: the cloud's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) authority: Option<String>,
    /// The tenant of the sign-in; in an authority of its own, the tenant that it reports.
    pub(crate) tenant: String,
    /// The user's name, as the service spells it.
    pub(crate) username: String,
    /// `uid.utid`, or the subject where the service sends no `client_info`.
    pub(crate) home_account_id: String,
    /// The scopes of the sign-in, sorted, separated by spaces.
    pub(crate) scopes: String,
    /// The refresh token.
    #[serde(serialize_with = "exposed")]
    pub(crate) refresh_token: Secret,
    /// When the user signed in.
    #[serde(with = "epoch")]
    pub(crate) signed_in_at: i64,
    /// Unknown members.
    #[serde(flatten)]
    pub(crate) other: Map<String, Value>,
}

impl AccessToken {
    /// True for a token of a [`ClientAccount`]. `broker/owner.rs` writes this form.
    pub(crate) fn is_of_client_account(&self) -> bool {
        self.account.starts_with("client:")
    }
}

/// Deserializes the record; the compiler checks that the members match.
#[derive(Deserialize)]
#[serde(remote = "ClientAccount")]
struct Mirror {
    client_id: String,
    environment: String,
    #[serde(default)]
    authority: Option<String>,
    tenant: String,
    username: String,
    home_account_id: String,
    scopes: String,
    refresh_token: Secret,
    #[serde(with = "epoch")]
    signed_in_at: i64,
    #[serde(flatten)]
    other: Map<String, Value>,
}

/// Parses the record in `plain`, which a seal opened.
pub(super) fn read(plain: &[u8]) -> serde_json::Result<ClientAccount> {
    let mut reader = serde_json::Deserializer::from_slice(plain);
    let record = Mirror::deserialize(&mut reader)?;
    reader.end()?;
    Ok(record)
}
