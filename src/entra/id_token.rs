//! What an ID token says about the person.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// Claims of an ID token that are used.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct IdClaims {
    /// Sign-in name to show; may change over time.
    pub preferred_username: Option<String>,
    /// Sign-in name at ADFS and in v1 tokens.
    pub upn: Option<String>,
    /// Sign-in name in v1 access tokens, such as Cloud Shell's.
    pub unique_name: Option<String>,
    /// Object id of the account in the tenant `tid`.
    pub oid: Option<String>,
    /// Who issued the token.
    pub iss: Option<String>,
    /// Whom the token is for: text, or several.
    pub aud: Option<serde_json::Value>,
    /// Subject, unique per application.
    pub sub: Option<String>,
    /// What the authorization request carried, to tie the token to it.
    pub nonce: Option<String>,
    /// The tenant that issued the token (GUID).
    pub tid: Option<String>,
}

impl IdClaims {
    /// The claims of `jwt` (RFC 7519), whose signature is not looked at. `None` when it is no JWT.
    pub fn decode(jwt: &str) -> Option<Self> {
        let payload = jwt.split('.').nth(1)?;
        let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// The name that az shows and stores: `preferred_username`, else `upn`.
    pub fn username(&self) -> Option<&str> {
        self.preferred_username.as_deref().or(self.upn.as_deref())
    }

    /// MSAL's `local_account_id`: `oid`, else `sub`.
    pub fn local_account_id(&self) -> Option<&str> {
        self.oid.as_deref().or(self.sub.as_deref())
    }
}
