//! Requests of commands to Azure Resource Manager, and their token.

use super::{Context, token};
use crate::arm;
use crate::broker::{Identity, TokenRequest};
use crate::entra::Scopes;
use crate::error::Result;
use crate::secret::Secret;
use crate::settings::{Endpoint, Subscription};
use crate::sys::block_on;

/// The scopes of the token: everything granted for Azure Resource Manager.
pub(crate) fn scopes(context: &Context<'_>) -> Result<Scopes> {
    Ok(Scopes::of_resource(context.cloud().endpoint(Endpoint::ActiveDirectoryResourceId)?))
}

/// Runs `call` with a token for the account and tenant of `subscription`.
///
/// After a claims challenge (continuous access evaluation) the token is replaced once, as
/// azure-core's ARMChallengeAuthenticationPolicy does: the cached token would be refused until it
/// expires.
pub(crate) fn ask<T>(
    subscription: &Subscription,
    context: &Context<'_>,
    call: &impl AsyncFn(&Secret) -> Result<T>,
) -> Result<T> {
    let (system, cloud) = (context.system, context.cloud());
    let identity = Identity::of(subscription, system)?;
    let mut wanted = TokenRequest::new(identity, subscription.tenant_id(), scopes(context)?);
    let token = token::token(context, cloud, &wanted, None)?;
    let answer = block_on(call(&token.secret))?;
    wanted.claims = answer.as_ref().err().and_then(arm::challenge).map(str::to_owned);
    if wanted.claims.is_none() {
        return answer;
    }
    let token = token::token(context, cloud, &wanted, None)?;
    block_on(call(&token.secret))?
}
