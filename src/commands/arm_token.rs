//! The token that commands themselves use, for Azure Resource Manager.

use super::Context;
use crate::broker::{self, Broker, Identity, Scopes, TokenRequest};
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
    let vault = broker::open_vault_of(&identity, system, &context.dir, &context.config)?;
    let scopes = scopes(context)?;
    let tenant = subscription.tenant_id().to_owned();
    let token = Broker::new(system, &context.config, cloud, vault)?
        .token(&TokenRequest::new(identity, tenant, scopes))?;
    Ok(token.secret)
}
