//! `account get-access-token`.

use serde_json::{Map, Value};

use super::{Answer, Context};
use crate::broker::{self, Broker, Identity, Scopes, TokenRequest};
use crate::cli::GetAccessToken;
use crate::error::{Error, Result};
use crate::settings::{Endpoint, Profile};
use crate::sys::local_time;

pub(super) fn run(request: &GetAccessToken, context: &Context<'_>) -> Result<Answer> {
    if request.subscription.is_some() && request.tenant.is_some() {
        return Err(Error::failed("Please specify only one of subscription and tenant, not both"));
    }
    let cloud = context.cloud();
    let profile = Profile::load(&context.dir)?;
    let subscription =
        profile.find(context.system.program, &cloud.name, request.subscription.as_deref())?;
    let identity = Identity::of(subscription, context.system)?;
    let tenant = match &request.tenant {
        Some(tenant) => {
            identity.check_tenant(tenant, subscription.tenant_id())?;
            tenant.clone()
        }
        None => subscription.tenant_id().to_owned(),
    };
    let scopes = scopes(request, &identity, context)?;
    let system = context.system;
    let vault = broker::open_vault_of(&identity, system, &context.dir, &context.config)?;
    let broker = Broker::new(system, cloud, &vault)?;
    let token = broker.token(&TokenRequest { identity, tenant: tenant.clone(), scopes })?;

    let mut answer = Map::new();
    answer.insert("accessToken".to_owned(), token.secret.expose().into());
    answer.insert("expiresOn".to_owned(), expires_on_text(token.expires_on).into());
    answer.insert("expires_on".to_owned(), token.expires_on.into());
    // As in az: with --tenant no subscription is named, and the tenant is echoed as typed.
    if request.tenant.is_none() {
        answer.insert("subscription".to_owned(), subscription.id().into());
    }
    answer.insert("tenant".to_owned(), tenant.into());
    answer.insert("tokenType".to_owned(), "Bearer".into());
    Ok(Answer { is_secret: true, ..Answer::of(Value::Object(answer)) })
}

/// az's order: scopes, resource, resource type, Azure Resource Manager.
fn scopes(request: &GetAccessToken, identity: &Identity, context: &Context<'_>) -> Result<Scopes> {
    if let Some(scopes) = request.scope.as_ref().filter(|scopes| !scopes.is_empty()) {
        // As in az: a managed identity's endpoint gives a token for one, and the first counts.
        let is_one = matches!(identity, Identity::ManagedIdentity(_));
        return Scopes::new(scopes.iter().take(if is_one { 1 } else { usize::MAX }));
    }
    let cloud = context.cloud();
    let resource = match (&request.resource, &request.resource_type) {
        (Some(resource), _) if !resource.is_empty() => resource,
        (None, Some(name)) => cloud.endpoint(
            Endpoint::from_resource_type(&name.to_lowercase())
                .unwrap_or(Endpoint::ActiveDirectoryResourceId),
        )?,
        _ => cloud.endpoint(Endpoint::ActiveDirectoryResourceId)?,
    };
    Ok(Scopes::of_resource(resource))
}

/// The time in the caller's zone, without a zone, always with six digits: the shape that SDKs
/// parse (Python's `%Y-%m-%d %H:%M:%S.%f`).
fn expires_on_text(expires_on: i64) -> String {
    local_time(expires_on).format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}
