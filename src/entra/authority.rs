//! The endpoints of a tenant.

use crate::error::{Error, Result};
use crate::foreign::Typed;
use crate::sys::EndpointUrl;

const ADFS: &str = "adfs";

/// A tenant at a login host: `https://login.microsoftonline.com/contoso.com`.
///
/// Endpoints are built, not discovered: their paths are the same in every cloud, and discovery
/// costs a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authority {
    login_url: EndpointUrl,
    tenant: String,
}

impl Authority {
    /// The authority of `tenant` (GUID, domain, `organizations` or `common`) at `login_url`, a
    /// cloud's `activeDirectory` endpoint.
    ///
    /// # Errors
    /// `tenant` has characters that neither a GUID nor a domain has. They could send requests, with
    /// their secrets, to other paths.
    pub(crate) fn new(login_url: &EndpointUrl, tenant: &str) -> Result<Self> {
        let is_allowed = |c: char| c.is_alphanumeric() || "-._{}:".contains(c);
        if !tenant.chars().all(is_allowed) || tenant.trim_matches('.').is_empty() {
            return Err(Error::failed(format!(
                "'{tenant}' is neither a tenant's domain name nor its id (GUID).",
                tenant = Typed(tenant)
            )));
        }
        let tenant = if is_adfs(login_url) { ADFS } else { tenant }.to_owned();
        Ok(Self { login_url: login_url.clone(), tenant })
    }

    /// The login endpoint.
    pub(crate) fn login_url(&self) -> &EndpointUrl {
        &self.login_url
    }

    /// The tenant as given; `adfs` for ADFS, which has no tenants (MSAL's realm there).
    pub(crate) fn tenant(&self) -> &str {
        &self.tenant
    }

    /// The same host with another tenant.
    pub(crate) fn with_tenant(&self, tenant: &str) -> Result<Self> {
        Self::new(&self.login_url, tenant)
    }

    /// True for Active Directory Federation Services (Azure Stack).
    pub(crate) fn is_adfs(&self) -> bool {
        is_adfs(&self.login_url)
    }

    /// The token endpoint (RFC 6749 section 3.2).
    pub(crate) fn token_endpoint(&self) -> Result<EndpointUrl> {
        self.endpoint("token")
    }

    /// The authorization endpoint (RFC 6749 section 3.1).
    pub(crate) fn authorization_endpoint(&self) -> Result<EndpointUrl> {
        self.endpoint("authorize")
    }

    /// The device authorization endpoint (RFC 8628 section 3.1).
    pub(crate) fn device_authorization_endpoint(&self) -> Result<EndpointUrl> {
        self.endpoint("devicecode")
    }

    /// The OpenID Connect discovery document.
    pub(crate) fn openid_configuration(&self) -> Result<EndpointUrl> {
        const DOCUMENT: &str = ".well-known/openid-configuration";
        if self.is_adfs() {
            self.login_url.at(DOCUMENT)
        } else {
            self.login_url.at(&format!("{}/v2.0/{DOCUMENT}", self.tenant))
        }
    }

    fn endpoint(&self, name: &str) -> Result<EndpointUrl> {
        if self.is_adfs() {
            self.login_url.at(&format!("oauth2/{name}"))
        } else {
            self.login_url.at(&format!("{}/oauth2/v2.0/{name}", self.tenant))
        }
    }
}

/// True for Active Directory Federation Services (Azure Stack), which has no tenants in its paths.
pub(crate) fn is_adfs(login_url: &EndpointUrl) -> bool {
    login_url.as_str().to_ascii_lowercase().ends_with("/adfs")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority(login_url: &str, tenant: &str) -> Result<Authority> {
        Authority::new(&EndpointUrl::parse(login_url, "").unwrap(), tenant)
    }

    #[test]
    fn endpoints_are_built_from_host_and_tenant() {
        let authority = authority("https://Login.Example/", "Contoso.com").unwrap();
        assert_eq!(
            authority.token_endpoint().unwrap().as_str(),
            "https://login.example/Contoso.com/oauth2/v2.0/token"
        );
    }

    #[test]
    fn adfs_has_no_tenant_in_its_paths() {
        let authority = authority("https://adfs.local/adfs", "any").unwrap();
        assert_eq!(
            authority.token_endpoint().unwrap().as_str(),
            "https://adfs.local/adfs/oauth2/token"
        );
    }

    #[test]
    fn a_tenant_cannot_change_the_path() {
        for tenant in ["", "..", "a/../b", "a?b", "a#b", "a b", "a%2fb", "a\\b", "a@b", "a\nb"] {
            assert!(authority("https://login.example", tenant).is_err(), "{tenant:?}");
        }
        for tenant in ["contoso.com", "c0000000-0000-4000-8000-00000000000a", "bücher.example"] {
            assert!(authority("https://login.example", tenant).is_ok(), "{tenant}");
        }
    }
}
