//! Azure Cloud Shell: the user's token, from an endpoint inside the container.

use super::{MSI_ENDPOINT, answer, ask};
use crate::entra::TokenResponse;
use crate::entra::form::Form;
use crate::error::Result;
use crate::sys::{EndpointUrl, Request, System};

/// The address of Cloud Shell if `MSI_ENDPOINT` is not set.
const DEFAULT_ENDPOINT: &str = "http://localhost:50342/oauth2/token";

pub(super) async fn token(system: &System, resource: &str) -> Result<TokenResponse> {
    let endpoint = system.env.non_empty(MSI_ENDPOINT);
    let endpoint = endpoint.as_deref().unwrap_or(DEFAULT_ENDPOINT);
    let endpoint = EndpointUrl::parse_host_endpoint(endpoint, MSI_ENDPOINT)?;
    let form = Form::empty().with("resource", resource).into_body();
    let request = Request::post_form(endpoint, form).header("metadata", "true");
    answer::read(system, &ask(system, request).await?)
}
