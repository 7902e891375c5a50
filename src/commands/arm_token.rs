//! The token that commands themselves use, for Azure Resource Manager.

use super::{Context, token};
use crate::broker::{Identity, Scopes, TokenRequest};
use crate::error::Result;
use crate::secret::Secret;
use crate::settings::{Endpoint, Subscription};

/// What they are asked for: everything granted for Azure Resource Manager.
pub(super) fn scopes(context: &Context<'_>) -> Result<Scopes> {
    Ok(Scopes::of_resource(context.cloud().endpoint(Endpoint::ActiveDirectoryResourceId)?))
}

/// The token of the account and tenant of `subscription`.
pub(super) fn of(subscription: &Subscription, context: &Context<'_>) -> Result<Secret> {
    let (system, cloud) = (context.system, context.cloud());
    let identity = Identity::of(subscription, system)?;
    let scopes = scopes(context)?;
    let wanted = TokenRequest::new(identity, subscription.tenant_id(), scopes);
    let token = token::token(context, cloud, &wanted)?;
    Ok(token.secret)
}
