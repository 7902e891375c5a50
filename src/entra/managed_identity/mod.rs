//! Tokens from the host itself (managed identities for Azure resources): one file per kind of host.

mod answer;
mod app_service;
mod arc;
mod azure_ml;
mod cloud_shell;
mod imds;
mod service_fabric;

use super::form::Form;
use super::token_response::TokenResponse;
use crate::error::Result;
use crate::secret::Secret;
use crate::sys::{EndpointUrl, Request, Response, System, arc_agent_is_installed};

const IDENTITY_ENDPOINT: &str = "IDENTITY_ENDPOINT";
const MSI_ENDPOINT: &str = "MSI_ENDPOINT";

/// One of the host's identities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HostIdentity<'a> {
    /// The system-assigned one.
    System,
    /// A user-assigned one, by client id.
    Client(&'a str),
    /// A user-assigned one, by object id.
    Object(&'a str),
    /// A user-assigned one, by Azure resource id.
    Resource(&'a str),
    /// The user of Azure Cloud Shell.
    CloudShell,
}

/// A token of `identity` for `resource` (not a scope), from the host's endpoint that the
/// environment describes. If it describes several, the first in MSAL's order is used: Service
/// Fabric, App Service, Azure ML, Azure Arc, virtual machine.
///
/// # Errors
/// [`Kind::Network`](crate::error::Kind::Network) if no endpoint answers; the endpoint's error if
/// it refuses. A variable with an address outside this host is refused by name, because the request
/// contains a key to the identity.
pub(crate) async fn managed_identity_token(
    system: &System,
    resource: &str,
    identity: HostIdentity<'_>,
) -> Result<TokenResponse> {
    if identity == HostIdentity::CloudShell {
        return cloud_shell::token(system, resource).await;
    }
    let variable = |name| system.env.non_empty(name);
    let (endpoint, header) = (variable(IDENTITY_ENDPOINT), variable("IDENTITY_HEADER"));
    let here = EndpointUrl::parse_host_endpoint;
    if let (Some(endpoint), Some(header)) = (&endpoint, header) {
        let header = Secret::new(header);
        if let Some(pin) = variable("IDENTITY_SERVER_THUMBPRINT") {
            return service_fabric::token(system, endpoint, header, &pin, resource).await;
        }
        let endpoint = here(endpoint, IDENTITY_ENDPOINT)?;
        return app_service::token(system, &endpoint, header, resource, identity).await;
    }
    if let (Some(endpoint), Some(secret)) = (variable(MSI_ENDPOINT), variable("MSI_SECRET")) {
        let endpoint = here(&endpoint, MSI_ENDPOINT)?;
        return azure_ml::token(system, &endpoint, Secret::new(secret), resource, identity).await;
    }
    match (endpoint, variable("IMDS_ENDPOINT")) {
        (Some(endpoint), Some(_)) => {
            let endpoint = here(&endpoint, IDENTITY_ENDPOINT)?;
            arc::token(system, &endpoint, resource, identity).await
        }
        _ if arc_agent_is_installed(&system.env) => {
            let endpoint = here(arc::DEFAULT_ENDPOINT, "The endpoint of the Azure Arc agent")?;
            arc::token(system, &endpoint, resource, identity).await
        }
        _ => imds::token(system, resource, identity).await,
    }
}

/// `endpoint` with its query; `resource_id` is this host's name of that parameter.
fn url(
    endpoint: &EndpointUrl,
    version: &str,
    resource: &str,
    identity: HostIdentity<'_>,
    resource_id: &str,
) -> EndpointUrl {
    let query = Form::empty().with("api-version", version).with("resource", resource);
    let query = match identity {
        HostIdentity::System | HostIdentity::CloudShell => query,
        HostIdentity::Client(id) => query.with("client_id", id),
        HostIdentity::Object(id) => query.with("object_id", id),
        HostIdentity::Resource(id) => query.with(resource_id, id),
    };
    endpoint.with_query(query.into_body().as_str())
}

/// Sends `request` to the host.
async fn ask(system: &System, request: Request) -> Result<Response> {
    let response = system.http.send(system, request).await?;
    system.terminal.debug(&format!("managed identity endpoint -> {}", response.status));
    Ok(response)
}
