//! The authorization code grant (RFC 6749 4.1.3) with PKCE (RFC 7636 4.6).

use crate::call::Answer;
use crate::error::EntraError;
use crate::token::issue::{self, Session};
use crate::token::scope::Scope;
use crate::token::{TokenRequest, client};
use crate::world::World;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};

/// A code from the authorize endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) nonce: Option<String>,
    pub(crate) session: Session,
    pub(crate) scope: Scope,
    /// Unix seconds.
    pub(crate) expires_at: i64,
    pub(crate) redeemed: bool,
}

/// A code challenge (RFC 7636 4.2).
#[derive(Clone, Debug)]
pub(crate) struct Challenge {
    pub(crate) value: String,
    /// True for `S256`, false for `plain`.
    pub(crate) s256: bool,
}

pub(crate) fn grant(world: &mut World, request: &TokenRequest<'_>) -> Result<Answer, EntraError> {
    client::authenticate(world, request)?;
    let text = request.field("code")?;
    let refused = |code: u32, text: &str| Err(EntraError::new("invalid_grant", code, text));
    let Some(code) = world.codes.get(text).cloned() else {
        return refused(9_002_313, "The request is malformed: the code is unknown.");
    };
    if code.redeemed {
        return refused(54_005, "The code was already redeemed; request a new one.");
    }
    if code.expires_at <= world.now() {
        return refused(70_008, "The code has expired.");
    }
    if code.client_id != request.application.client_id {
        return refused(700_005, "The code was issued to another client.");
    }
    if request.field("redirect_uri")? != code.redirect_uri {
        return refused(
            500_112,
            "The reply address does not match that of the authorization request.",
        );
    }
    if let Some(challenge) = &code.challenge {
        let Some(verifier) = request.call.field("code_verifier") else {
            return refused(501_481, "The code verifier is missing.");
        };
        let proof = if challenge.s256 {
            URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
        } else {
            verifier.to_owned()
        };
        if proof != challenge.value {
            return refused(
                501_481,
                "The code verifier does not match the code challenge of the authorization request.",
            );
        }
    }
    if let Some(code) = world.codes.get_mut(text) {
        code.redeemed = true;
    }
    // The scope of the sign-in also decides about OpenID Connect and refresh tokens.
    let scope = match request.scope(world)? {
        Some(mut scope) => {
            scope.openid |= code.scope.openid;
            scope.profile |= code.scope.profile;
            scope.email |= code.scope.email;
            scope.offline_access |= code.scope.offline_access;
            scope
        }
        None => code.scope,
    };
    issue::for_user(world, request, &code.session, &scope, code.nonce.as_deref())
}
