//! Tenants by GUID and by domain.

use serde::Deserialize;

use super::authority::{Authority, is_adfs};
use crate::error::{Error, Kind, Result};
use crate::foreign::{Guid, Sentence};
use crate::sys::{EndpointUrl, Request, System};

/// True for everything that az takes for a tenant's GUID: with or without dashes, in braces, as
/// `urn:uuid:`.
pub fn is_guid(text: &str) -> bool {
    Guid::parse(text).is_some()
}

/// The GUID of `tenant`: itself if it is one, else looked up by its domain in the OpenID Connect
/// discovery document (one request), whose issuer carries it. ADFS has none to look up.
pub async fn resolve_tenant(
    system: &System,
    login_url: &EndpointUrl,
    tenant: &str,
) -> Result<String> {
    #[derive(Deserialize)]
    struct Discovery {
        issuer: Sentence,
    }
    if is_guid(tenant) || is_adfs(login_url) {
        return Ok(tenant.to_owned());
    }
    let url = Authority::new(login_url, tenant)?.openid_configuration()?;
    let response = system.http.send(system, Request::get(&url)).await?;
    if response.status != 200 {
        let detail = Sentence::new(&String::from_utf8_lossy(&response.body));
        let kind = if response.status >= 500 { Kind::Service } else { Kind::Failed };
        return Err(Error::new(
            kind,
            format!("Failed to resolve tenant '{tenant}'.\n\nError detail: {detail}"),
        ));
    }
    serde_json::from_slice::<Discovery>(&response.body)
        .ok()
        .and_then(|found| Guid::parse(found.issuer.split('/').nth(3)?))
        .map(String::from)
        .ok_or_else(|| {
            Error::new(
                Kind::Service,
                format!("{} did not say which tenant '{tenant}' is.", url.environment()),
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
