//! The client credentials grant (RFC 6749 4.4): a token for the application itself.

use crate::call::Answer;
use crate::error::EntraError;
use crate::token::{TokenRequest, client, issue};
use crate::world::{Authority, World};

pub(crate) fn grant(world: &mut World, request: &TokenRequest<'_>) -> Result<Answer, EntraError> {
    client::authenticate(world, request)?;
    if request.application.public {
        let text = "A public client cannot get a token for itself.";
        return Err(EntraError::new("unauthorized_client", 700_022, text));
    }
    let scope = request.scope(world)?.ok_or_else(|| EntraError::missing("scope"))?;
    if scope.names.iter().any(|name| name != ".default") {
        let text = format!(
            "The scope '{}' is not valid: client credentials flows accept only '<resource>/.default'.",
            request.call.field("scope").unwrap_or_default()
        );
        return Err(EntraError::new("invalid_scope", 1_002_012, text));
    }
    let tenant = match &request.authority {
        Authority::Tenant(tenant) => Some(tenant.clone()),
        // The application's own tenant, as the home tenant of a user.
        Authority::Shared(_) => {
            let home = request.application.tenants.first();
            home.and_then(|id| world.directory.tenant(id)).cloned()
        }
    };
    let tenant = tenant.ok_or_else(|| {
        let text = "A multi-tenant application must name the tenant.";
        EntraError::new("invalid_request", 50_059, text)
    })?;
    Ok(issue::for_application(world, request, &tenant, &scope))
}
