//! Service Fabric: a secret header authenticates the caller, a pinned certificate the endpoint.
//!
//! <https://learn.microsoft.com/azure/service-fabric/how-to-managed-identity-service-fabric-app-code>

use super::{HostIdentity, IDENTITY_ENDPOINT, answer, ask, url};
use crate::entra::TokenResponse;
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use crate::sys::{EndpointUrl, Request, System};

const VERSION: &str = "2019-07-01-preview";

/// `thumbprint` is the SHA-1 of the endpoint's certificate. The deployment decides which identity
/// an application has, so ids are ignored, as in MSAL.
pub(super) async fn token(
    system: &System,
    endpoint: &str,
    header: Secret,
    thumbprint: &str,
    resource: &str,
) -> Result<TokenResponse> {
    // This may be the node's own address, because the pinned certificate authenticates it.
    let endpoint = EndpointUrl::parse(endpoint, IDENTITY_ENDPOINT)?;
    if !endpoint.is_encrypted() {
        return Err(Error::new(
            Kind::Network,
            "IDENTITY_ENDPOINT does not use TLS, so IDENTITY_SERVER_THUMBPRINT cannot be checked; nothing was sent.",
        ));
    }
    let request = Request::get(url(&endpoint, VERSION, resource, HostIdentity::System, ""))
        .secret_header("secret", header)
        .pinned(thumbprint);
    answer::read(system, &ask(system, request).await?)
}
