//! Tenants by GUID and by domain.

use serde::Deserialize;

use super::authority::{Authority, is_adfs};
use super::error_response;
use crate::error::{Error, Kind, Result};
use crate::foreign::{Guid, Sentence, Typed, lenient};
use crate::program::Program;
use crate::sys::{EndpointUrl, Request, System};

/// True for every GUID form that az accepts for a tenant: with or without dashes, in braces, as
/// `urn:uuid:`.
pub(crate) fn is_guid(text: &str) -> bool {
    Guid::parse(text).is_some()
}

/// The GUID of `tenant`: itself if it is one, else looked up by domain in the OpenID Connect
/// discovery document, whose issuer contains it (one request). ADFS has no tenants, so it returns
/// `tenant`.
///
/// # Errors
/// Entra's error for a tenant that does not exist; under the name `az`, in az's words.
pub(crate) async fn resolve_tenant(
    system: &System,
    login_url: &EndpointUrl,
    tenant: &str,
) -> Result<String> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Discovery {
        #[serde(deserialize_with = "lenient")]
        issuer: Option<Sentence>,
        #[serde(deserialize_with = "lenient")]
        token_endpoint: Option<Sentence>,
    }
    if is_guid(tenant) || is_adfs(login_url) {
        return Ok(tenant.to_owned());
    }
    let url = Authority::new(login_url, tenant)?.openid_configuration()?;
    let response = system.http.send(system, Request::get(&url)).await?;
    if let Some(error) = error_response::refusal(&response, &url.environment()) {
        return Err(match (system.program, error.kind()) {
            (Program::Azt, _) | (_, Kind::Service) => error,
            (Program::Az, _) => Error::failed(format!(
                "Failed to resolve tenant '{}'.\n\nError detail: {}",
                Typed(tenant),
                response.line()
            )),
        });
    }
    let Discovery { issuer, token_endpoint } = response.json().unwrap_or_default();
    [issuer, token_endpoint]
        .into_iter()
        .flatten()
        .find_map(|url| Guid::parse(url.split('/').nth(3)?))
        .map(String::from)
        .ok_or_else(|| {
            Error::new(
                Kind::Service,
                format!(
                    "{} returned no id for the tenant '{tenant}'.",
                    url.environment(),
                    tenant = Typed(tenant)
                ),
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_guid_is_one() {
        for text in [
            "aaaaaaaa-0000-0000-0000-000000000001",
            "AAAAAAAA000000000000000000000001",
            "{aaaaaaaa-0000-0000-0000-000000000001}",
            "urn:uuid:aaaaaaaa-0000-0000-0000-000000000001",
        ] {
            assert!(is_guid(text), "{text}");
        }
        assert!(!is_guid("contoso.com"));
    }
}
