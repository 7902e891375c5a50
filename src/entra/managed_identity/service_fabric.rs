//! Service Fabric: a secret header proves who asks, a pinned certificate who answers.
//!
//! <https://learn.microsoft.com/azure/service-fabric/how-to-managed-identity-service-fabric-app-code>

use super::{HostIdentity, IDENTITY_ENDPOINT, answer, ask, url};
use crate::entra::TokenResponse;
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use crate::sys::{EndpointUrl, Request, System};

const VERSION: &str = "2019-07-01-preview";

/// `thumbprint` is the SHA-1 of the endpoint's certificate. Which identity an application has is
/// part of its deployment: ids are ignored here, as in MSAL.
pub(super) async fn token(
    system: &System,
    endpoint: &str,
    header: Secret,
    thumbprint: &str,
    resource: &str,
) -> Result<TokenResponse> {
    // At the node's own address, which the certificate vouches for.
    let endpoint = EndpointUrl::parse(endpoint, IDENTITY_ENDPOINT)?;
    if !endpoint.is_encrypted() {
        return Err(Error::new(
            Kind::Network,
            "IDENTITY_ENDPOINT has no TLS, so its certificate cannot be the one of IDENTITY_SERVER_THUMBPRINT; nothing was sent.",
        ));
    }
    let request = Request::get(url(&endpoint, VERSION, resource, HostIdentity::System, ""))
        .secret_header("secret", header)
        .pinned(thumbprint);
    answer::read(system, &ask(system, request).await?)
}
