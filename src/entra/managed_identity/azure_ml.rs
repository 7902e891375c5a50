//! Azure Machine Learning: the App Service protocol of 2017, which supports client ids only.

use super::{HostIdentity, answer, ask};
use crate::entra::TokenResponse;
use crate::entra::form::Form;
use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::sys::{EndpointUrl, Request, System};

const VERSION: &str = "2017-09-01";

pub(super) async fn token(
    system: &System,
    endpoint: &EndpointUrl,
    secret: Secret,
    resource: &str,
    identity: HostIdentity<'_>,
) -> Result<TokenResponse> {
    let query = Form::empty().with("api-version", VERSION).with("resource", resource);
    let query = match identity {
        HostIdentity::Client(id) => query.with("clientid", id),
        HostIdentity::Object(_) | HostIdentity::Resource(_) => {
            return Err(Error::failed(
                "Azure Machine Learning supports user-assigned identities by client id only.",
            )
            .remedy("Use --client-id."));
        }
        HostIdentity::System | HostIdentity::CloudShell => query,
    };
    let request = Request::get(endpoint.with_query(query.into_body().as_str()))
        .secret_header("secret", secret);
    answer::read(system, &ask(system, request).await?)
}
