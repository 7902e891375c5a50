//! App Service, Functions, Container Apps, Automation: a secret header authenticates the caller.
//!
//! <https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference>

use super::{HostIdentity, answer, ask, url};
use crate::entra::TokenResponse;
use crate::error::Result;
use crate::secret::Secret;
use crate::sys::{EndpointUrl, Request, System};

const VERSION: &str = "2019-08-01";

pub(super) async fn token(
    system: &System,
    endpoint: &EndpointUrl,
    header: Secret,
    resource: &str,
    identity: HostIdentity<'_>,
) -> Result<TokenResponse> {
    let request = Request::get(url(endpoint, VERSION, resource, identity, "mi_res_id"))
        .header("metadata", "true")
        .secret_header("x-identity-header", header);
    answer::read(system, &ask(system, request).await?)
}
