//! The claims of an ID token.

use serde::Deserialize;

use crate::error::{Error, Kind, Result};
use crate::foreign::{self, Guid, Name, Sentence, lenient};

/// The claims that azt uses.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub(crate) struct IdClaims {
    /// Sign-in name to show; may change over time.
    #[serde(deserialize_with = "lenient")]
    pub(crate) preferred_username: Option<Name>,
    /// Sign-in name at ADFS and in v1 tokens.
    #[serde(deserialize_with = "lenient")]
    pub(crate) upn: Option<Name>,
    /// Sign-in name in v1 access tokens, such as Cloud Shell's.
    #[serde(deserialize_with = "lenient")]
    pub(crate) unique_name: Option<Name>,
    /// Mail addresses, in B2C.
    #[serde(deserialize_with = "lenient")]
    emails: Option<Vec<Name>>,
    #[serde(deserialize_with = "lenient")]
    email: Option<Name>,
    /// Name to show; not unique.
    #[serde(deserialize_with = "lenient")]
    name: Option<Name>,
    /// Object id of the account in the tenant of [`IdClaims::tenant_id`].
    #[serde(deserialize_with = "lenient")]
    pub(crate) oid: Option<Name>,
    /// The issuer.
    #[serde(deserialize_with = "lenient")]
    pub(crate) iss: Option<Sentence>,
    #[serde(deserialize_with = "lenient")]
    aud: Option<Audience>,
    /// Subject, unique per application.
    #[serde(deserialize_with = "lenient")]
    pub(crate) sub: Option<Sentence>,
    /// The nonce of the authorization request, which ties the token to it.
    #[serde(deserialize_with = "lenient")]
    pub(crate) nonce: Option<Name>,
    #[serde(deserialize_with = "lenient")]
    tid: Option<Name>,
}

/// The audience of a token (RFC 7519 section 4.1.3).
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
enum Audience {
    One(Sentence),
    Several(Vec<Sentence>),
}

impl IdClaims {
    /// The claims of `jwt` (RFC 7519), without checking the signature. `None` if it is not a JWT.
    pub(crate) fn decode(jwt: &str) -> Option<Self> {
        let payload = foreign::base64(jwt.split('.').nth(1)?)?;
        foreign::from_json(str::from_utf8(&payload).ok()?).ok()
    }

    /// The name that az shows and stores: `preferred_username`, else `upn`.
    pub(crate) fn username(&self) -> Option<&Name> {
        let name = self.preferred_username.as_ref().or(self.upn.as_ref());
        name.filter(|name| !name.trim().is_empty())
    }

    /// The name for a user of another authority, which may send no sign-in name: [`username`], else a
    /// mail address, else the name to show, else the object id.
    ///
    /// [`username`]: IdClaims::username
    pub(crate) fn any_name(&self) -> Option<&str> {
        let others = self.emails.iter().flatten().chain(&self.email).chain(&self.name);
        let name = self.username().into_iter().chain(others).find(|name| !name.trim().is_empty());
        name.map(|name| &**name).or(self.local_account_id())
    }

    /// The tenant that issued the token; ADFS has none.
    ///
    /// # Errors
    /// [`Kind::Service`] if the tenant id is not a GUID.
    pub(crate) fn tenant_id(&self) -> Result<Option<Guid>> {
        let Some(tid) = &self.tid else { return Ok(None) };
        Guid::parse(tid).map(Some).ok_or_else(|| {
            Error::new(
                Kind::Service,
                "The service sent a token whose tenant id is not a GUID; it is not used.",
            )
        })
    }

    /// The audience, if there is exactly one.
    pub(crate) fn audience(&self) -> Option<&str> {
        match &self.aud {
            Some(Audience::One(audience)) => Some(audience),
            Some(Audience::Several(all)) => match all.as_slice() {
                [only] => Some(only),
                _ => None,
            },
            None => None,
        }
    }

    /// MSAL's `local_account_id`: `oid`, else `sub`.
    pub(crate) fn local_account_id(&self) -> Option<&str> {
        self.oid.as_deref().or(self.sub.as_deref())
    }

    /// True if the token is of another account than `home_account_id`: `uid.utid`, or the subject
    /// where the service sends no `client_info`. A token of another tenant than `utid` tells nothing:
    /// the account has another object id there.
    ///
    /// The issuer tells no more. In Entra it is the tenant, and a refresh token works in others than
    /// that of the sign-in. A service without tenants has one issuer, at the address that was asked.
    pub(super) fn is_of_other(&self, home_account_id: &str) -> bool {
        let Some((own, home)) = home_account_id.split_once('.') else {
            return self.sub.as_ref().is_some_and(|sub| **sub != *home_account_id);
        };
        let (Some(oid), Some(tid)) = (&self.oid, &self.tid) else { return false };
        // B2C adds the policy: `oid-policy`.
        let (start, policy) = own.split_at_checked(oid.len()).unwrap_or((own, ""));
        let is_its =
            start.eq_ignore_ascii_case(oid) && (policy.is_empty() || policy.starts_with('-'));
        tid.eq_ignore_ascii_case(home) && !is_its
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_names_its_account_in_the_home_tenant_only() {
        for (claims, account, is_other) in [
            (json!({"oid": "U-1", "tid": "T", "sub": "s"}), "u-1.t", false),
            (json!({"oid": "u-2", "tid": "t"}), "u-1.t", true),
            (json!({"oid": "guest", "tid": "other"}), "u-1.t", false),
            (json!({"oid": "u-1", "tid": "t"}), "u-1-b2c_1_in.t", false),
            (json!({"oid": "u-2", "tid": "t"}), "u-1-b2c_1_in.t", true),
            (json!({"sub": "s"}), "s", false),
            (json!({"sub": "other"}), "s", true),
            (json!({"sub": "other"}), "u-1.t", false),
            (json!({}), "s", false),
        ] {
            let claims: IdClaims = serde_json::from_value(claims).unwrap();
            assert_eq!(claims.is_of_other(account), is_other, "{account} {claims:?}");
        }
    }
}
