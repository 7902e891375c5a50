//! The refresh token grant (RFC 6749 6) and its tokens.

use crate::call::Answer;
use crate::error::EntraError;
use crate::identifier;
use crate::policy;
use crate::token::issue::{self, Session};
use crate::token::scope::Scope;
use crate::token::{TokenRequest, client};
use crate::world::World;

/// A refresh token. It is bound to a user and to a client or family of clients, but to no tenant or
/// scope.
#[derive(Clone, Debug)]
pub(crate) struct RefreshToken {
    session: Session,
    client_id: String,
    family: Option<String>,
    scope: Scope,
    /// The B2C policy that issued it.
    policy: Option<String>,
    expires_at: i64,
}

pub(crate) fn grant(world: &mut World, request: &TokenRequest<'_>) -> Result<Answer, EntraError> {
    client::authenticate(world, request)?;
    let text = request.field("refresh_token")?;
    let Some(token) = world.refresh_tokens.get(text).cloned() else {
        let text = "The request is malformed or invalid: the refresh token is unknown.";
        return Err(EntraError::new("invalid_grant", 9_002_313, text).suberror("bad_token"));
    };
    let application = &request.application;
    let same_family = token.family.is_some() && token.family == application.family;
    if token.client_id != application.client_id && !same_family {
        let text = "The refresh token was not issued to this client.";
        return Err(EntraError::new("invalid_grant", 70_000, text));
    }
    if token.policy != policy::of(request.call) {
        let text = "The refresh token was issued by another policy.";
        return Err(EntraError::new("invalid_grant", 70_000, text));
    }
    if token.expires_at <= world.now() {
        let text = "The refresh token has expired due to inactivity.";
        return Err(EntraError::new("invalid_grant", 700_082, text).suberror("bad_token"));
    }
    if world.is_revoked(&token.session.username, token.session.serial) {
        let text = "The grant was revoked; the user has to sign in again.";
        return Err(EntraError::new("invalid_grant", 50_173, text).suberror("bad_token"));
    }
    let mut scope = match request.scope(world)? {
        Some(scope) => scope,
        None => token.scope,
    };
    scope.offline_access = scope.offline_access || request.v1;
    let rotate = world.settings.rotate_refresh_tokens;
    scope.offline_access &= rotate;
    let mut session = token.session;
    session.username = world.settings.refresh_as.clone().unwrap_or(session.username);
    let answer = issue::for_user(world, request, &session, &scope, None)?;
    if world.settings.invalidate_used_refresh_tokens && rotate {
        world.refresh_tokens.remove(text);
    }
    Ok(answer)
}

/// Makes a refresh token for this sign-in.
pub(crate) fn issue(
    world: &mut World,
    request: &TokenRequest<'_>,
    session: &Session,
    scope: &Scope,
) -> String {
    let token = identifier::opaque("1.rt");
    let expires_at = world.now() + world.settings.refresh_token_lifetime;
    world.refresh_tokens.insert(
        token.clone(),
        RefreshToken {
            session: session.clone(),
            client_id: request.application.client_id.clone(),
            family: request.application.family.clone(),
            scope: scope.clone(),
            policy: policy::of(request.call),
            expires_at,
        },
    );
    token
}
