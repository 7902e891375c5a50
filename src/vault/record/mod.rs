//! The records of the vault: one type per kind.
//!
//! Members have the names of MSAL's unified cache and az's service principal file, and unknown
//! members are kept, so that export and import only change the layout. Times are seconds since
//! 1970-01-01 UTC. In JSON they are text of decimal digits, as in MSAL; numbers are accepted too.

mod assertion_source;
mod client_account;
mod epoch;
mod host_account;
mod key;
mod kinds;
mod service_principal;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use assertion_source::AssertionSource;
pub(crate) use client_account::ClientAccount;
pub(crate) use host_account::HostAccount;
pub(crate) use key::RecordKey;
pub(super) use kinds::{PREFIXES, copy_all};
pub use service_principal::ServicePrincipal;

use crate::secret::{Secret, exposed};

/// A record; its kind is declared in `kinds.rs`.
pub trait Record: kinds::RecordKind + Serialize + Sized {
    /// The logical key that the record is stored under.
    fn key(&self) -> RecordKey<Self>;
    /// Parses a record.
    ///
    /// # Errors
    /// The bytes are not a record of this kind.
    fn unseal(plain: &Unsealed<'_>) -> serde_json::Result<Self>;
}

/// Bytes that a vault's seal opened; nothing else can create one. Of the stored data, only
/// these bytes can name a command that azt runs or a path that it reads.
pub struct Unsealed<'a>(pub(in crate::vault) &'a [u8]);

/// An access token (RFC 6749 section 1.4).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccessToken {
    /// `uid.utid` of the user; `None` for an application.
    #[serde(default)]
    pub home_account_id: Option<String>,
    /// Host of the authority, such as `login.microsoftonline.com`.
    pub environment: String,
    /// The client that requested it.
    pub client_id: String,
    /// The tenant segment of the token endpoint.
    pub realm: String,
    /// The granted scopes, separated by spaces.
    #[serde(default)]
    pub target: String,
    /// The token.
    #[serde(serialize_with = "exposed")]
    pub secret: Secret,
    /// `Bearer`, `pop` or `ssh-cert`.
    #[serde(default = "bearer")]
    pub token_type: String,
    /// When it was received.
    #[serde(default, with = "epoch")]
    pub cached_at: i64,
    /// When it expires.
    #[serde(with = "epoch")]
    pub expires_on: i64,
    /// When it expires if Entra is down and the resource accepts the extension.
    #[serde(default, with = "epoch")]
    pub extended_expires_on: i64,
    /// When to refresh it, if Entra said so.
    #[serde(default, with = "epoch::option", skip_serializing_if = "Option::is_none")]
    pub refresh_on: Option<i64>,
    /// The user name, lower-case, or empty for an application. Not in MSAL's cache.
    #[serde(default)]
    pub account: String,
    /// The requested scopes, sorted, separated by spaces. Not in MSAL's cache.
    #[serde(default)]
    pub requested: String,
    /// Host, and port if given, of the resource manager of the cloud that it was issued for; empty
    /// if unknown. Not in MSAL's cache.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub resource_manager: String,
    /// Unknown members.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A refresh token (RFC 6749 section 1.5).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RefreshToken {
    /// `uid.utid` of the user.
    pub home_account_id: String,
    /// Host of the authority.
    pub environment: String,
    /// The client that it was issued to.
    pub client_id: String,
    /// The scopes granted with it, separated by spaces.
    #[serde(default)]
    pub target: String,
    /// The token.
    #[serde(serialize_with = "exposed")]
    pub secret: Secret,
    /// When it was received; 0 if unknown.
    #[serde(default, with = "epoch")]
    pub last_modification_time: i64,
    /// `1` if every client of the Microsoft family may use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_id: Option<String>,
    /// The user name, lower-case. Not in MSAL's cache.
    #[serde(default)]
    pub account: String,
    /// Unknown members.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// An ID token (OpenID Connect Core section 2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IdToken {
    /// `uid.utid` of the user.
    pub home_account_id: String,
    /// Host of the authority.
    pub environment: String,
    /// The tenant segment of the token endpoint.
    pub realm: String,
    /// The client that it was issued to.
    pub client_id: String,
    /// The token.
    #[serde(serialize_with = "exposed")]
    pub secret: Secret,
    /// The user name, lower-case. Not in MSAL's cache.
    #[serde(default)]
    pub account: String,
    /// Unknown members.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A signed-in user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// `uid.utid`.
    pub home_account_id: String,
    /// Host of the authority.
    pub environment: String,
    /// The tenant segment of the token endpoint.
    pub realm: String,
    /// The object id in that tenant (claim `oid`, else `sub`).
    pub(crate) local_account_id: String,
    /// The name to sign in with, as Entra spells it.
    pub username: String,
    /// `MSSTS` or `ADFS`.
    pub(crate) authority_type: String,
    /// The grant that created the account, such as `authorization_code`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) account_source: Option<String>,
    /// `client_info` as Entra sent it: base64url of JSON with `uid` and `utid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_info: Option<String>,
    /// True if the user signed in with a Kerberos ticket, which may renew the sign-in. Not in MSAL's
    /// cache.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) renews_with_ticket: bool,
    /// When the user signed in, which identifies the sign-in; 0 if unknown. Not in MSAL's cache.
    #[serde(default, with = "epoch", skip_serializing_if = "is_zero")]
    pub(crate) signed_in_at: i64,
    /// Unknown members.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Account {
    /// The `account_source` of an account whose tokens come from an identity broker; MSAL writes
    /// the same.
    pub(crate) const BROKER: &str = "broker";

    /// True if the tokens of this account come from the identity broker, so that no refresh token
    /// of it is stored.
    pub(crate) fn is_brokered(&self) -> bool {
        self.account_source.as_deref() == Some(Self::BROKER)
    }
}

fn bearer() -> String {
    "Bearer".to_owned()
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde demands")]
fn is_zero(time: &i64) -> bool {
    *time == 0
}
