//! The endpoints of a tenant.

use super::tenant::is_guid;
use crate::error::{Error, Kind, Result};
use crate::foreign::Typed;
use crate::sys::EndpointUrl;

const ADFS: &str = "adfs";

/// The hosts of Entra External ID.
const CIAM: &str = ".ciamlogin.com";

/// A tenant at a login host: `https://login.microsoftonline.com/contoso.com`. In B2C the policy has
/// the place of the tenant, and the tenant belongs to the login URL.
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

    /// The authority at `address`: `https://HOST/TENANT` (Entra External ID), `https://HOST/adfs` or
    /// `https://HOST/TENANT/POLICY` (B2C, also with `tfp` before the tenant). `/v2.0` at the end is
    /// dropped. At `NAME.ciamlogin.com` a missing tenant is `NAME.onmicrosoft.com`, as in MSAL.
    ///
    /// # Errors
    /// `address` has another form. The message begins with `what`, which names the source.
    pub(crate) fn at(address: &str, what: &str) -> Result<Self> {
        let wrong = |why: &str| {
            Error::new(Kind::Inapplicable, format!("{what} {why}.")).remedy("Its forms are https://NAME.ciamlogin.com/TENANT, https://NAME.b2clogin.com/TENANT/POLICY and https://HOST/adfs.")
        };
        let url = EndpointUrl::parse(address, what)?;
        let path = url.path().trim_end_matches('/');
        // The parser resolves `..` and `%2e%2e`, so such a path would not be the one that was written.
        let origin = url.as_str().strip_suffix(path).unwrap_or_default();
        let written = address.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
        let written = written.map_or("", |(_, path)| path);
        if url.path().strip_prefix('/') != Some(written) {
            return Err(wrong("has a path in an encoded or unusual form"));
        }
        let host = EndpointUrl::parse(origin, what)?;
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let segments = segments.strip_suffix(&["v2.0"]).unwrap_or(&segments);
        let segments = segments.strip_prefix(&["tfp"]).unwrap_or(segments);
        match *segments {
            [] => match host.host().strip_suffix(CIAM).filter(|name| !name.contains('.')) {
                Some(name) => Self::new(&host, &format!("{name}.onmicrosoft.com")),
                None => Err(wrong("names no tenant")),
            },
            [adfs] if adfs.eq_ignore_ascii_case(ADFS) => Self::new(&host.at(ADFS)?, ADFS),
            [tenant] => Self::new(&host, tenant),
            [tenant, policy] if !tenant.eq_ignore_ascii_case(ADFS) => {
                // Checks the characters of the tenant as well.
                let tenant = Self::new(&host, tenant)?;
                Self::new(&host.at(&tenant.tenant)?, policy)
            }
            _ => Err(wrong("has a path that is no authority's")),
        }
    }

    /// The whole address, in the form that [`Authority::at`] reads.
    pub(crate) fn address(&self) -> Result<EndpointUrl> {
        if self.is_adfs() { Ok(self.login_url.clone()) } else { self.login_url.at(&self.tenant) }
    }

    /// True for B2C, whose policy is part of the address.
    fn has_policy(&self) -> bool {
        !self.is_adfs() && self.login_url.path() != "/"
    }

    /// True if `issuer` is an issuer of this authority that is neither at its own host and path nor
    /// an alias of Entra: External ID has the tenant's id as a host name, B2C leaves the policy out
    /// or puts `tfp` before the tenant.
    pub(super) fn has_other_issuer(&self, issuer: &EndpointUrl) -> bool {
        let path = issuer.path().trim_matches('/');
        let path = path.strip_suffix("/v2.0").unwrap_or(path);
        let is_here = self.login_url.environment() == issuer.environment();
        if self.has_policy() {
            let own = self.login_url.path().trim_matches('/');
            let tenant = match path.strip_prefix("tfp/").and_then(|rest| rest.split_once('/')) {
                Some((tenant, policy)) if policy.eq_ignore_ascii_case(&self.tenant) => tenant,
                Some(_) => return false,
                None => path,
            };
            return is_here && (tenant.eq_ignore_ascii_case(own) || is_guid(tenant));
        }
        let is_ciam = |host: &str| host.ends_with(CIAM);
        is_ciam(self.login_url.host())
            && issuer.environment().strip_suffix(CIAM) == Some(path)
            && is_guid(path)
            && (!is_guid(&self.tenant) || self.tenant.eq_ignore_ascii_case(path))
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
    fn an_address_is_an_authority() {
        let ciam = "https://contoso.ciamlogin.com";
        let b2c = "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_in";
        for (address, whole, token) in [
            (ciam, "/contoso.onmicrosoft.com", "/contoso.onmicrosoft.com/oauth2/v2.0/token"),
            (
                "https://CONTOSO.ciamlogin.com/",
                "/contoso.onmicrosoft.com",
                "/contoso.onmicrosoft.com/oauth2/v2.0/token",
            ),
            ("https://contoso.ciamlogin.com/T-1/v2.0", "/T-1", "/T-1/oauth2/v2.0/token"),
        ] {
            let found = Authority::at(address, "It").unwrap();
            assert_eq!(found.address().unwrap().as_str(), format!("{ciam}{whole}"), "{address}");
            assert_eq!(found.token_endpoint().unwrap().as_str(), format!("{ciam}{token}"));
        }
        let tfp = "https://contoso.b2clogin.com/tfp/contoso.onmicrosoft.com/B2C_1_in/v2.0/";
        for address in [b2c, tfp] {
            let found = Authority::at(address, "It").unwrap();
            assert_eq!(found.address().unwrap().as_str(), b2c);
            let token = found.token_endpoint().unwrap();
            assert_eq!(token.as_str(), format!("{b2c}/oauth2/v2.0/token"));
        }
        let adfs = Authority::at("https://adfs.example/ADFS/", "It").unwrap();
        assert_eq!(adfs.address().unwrap().as_str(), "https://adfs.example/adfs");
        assert_eq!(
            adfs.token_endpoint().unwrap().as_str(),
            "https://adfs.example/adfs/oauth2/token"
        );
    }

    #[test]
    fn other_addresses_are_no_authority() {
        for address in [
            "",
            "contoso.ciamlogin.com",
            "http://contoso.ciamlogin.com/t",
            "https://contoso.b2clogin.com",
            "https://a.contoso.ciamlogin.com",
            "https://contoso.b2clogin.com/t/p/q",
            "https://contoso.b2clogin.com/t//p",
            "https://contoso.b2clogin.com//t",
            "https://contoso.b2clogin.com/t/../p",
            "https://contoso.b2clogin.com/./t",
            "https://contoso.b2clogin.com/t/%2e%2e/p",
            "https://contoso.b2clogin.com/t%2fp",
            "https://contoso.b2clogin.com/t/p?x=1",
            "https://contoso.b2clogin.com/t/p#x",
            "https://contoso.b2clogin.com@evil.example/t/p",
            "https://contoso.b2clogin.com\\.evil.example/t",
            "https://adfs.example/adfs/oauth2",
            "https://contoso.ciamlogin.com/t;x",
        ] {
            assert!(Authority::at(address, "It").is_err(), "{address}");
        }
    }

    #[test]
    fn issuers_of_other_forms_are_known() {
        const ID: &str = "c0000000-0000-4000-8000-00000000000a";
        let ciam = "https://contoso.ciamlogin.com/contoso.onmicrosoft.com";
        let b2c = "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_in";
        for (address, issuer, is_its) in [
            (ciam, format!("https://{ID}.ciamlogin.com/{ID}/v2.0"), true),
            (ciam, format!("https://{ID}.ciamlogin.com/{}/v2.0", ID.replace('a', "b")), false),
            (ciam, format!("https://evil.ciamlogin.com/{ID}/v2.0"), false),
            (ciam, format!("https://{ID}.ciamlogin.com.evil.example/{ID}/v2.0"), false),
            (b2c, format!("https://contoso.b2clogin.com/{ID}/v2.0/"), true),
            (b2c, format!("https://contoso.b2clogin.com/tfp/{ID}/b2c_1_in/v2.0/"), true),
            (b2c, format!("https://contoso.b2clogin.com/tfp/{ID}/b2c_1_other/v2.0/"), false),
            (b2c, format!("https://evil.b2clogin.com/{ID}/v2.0/"), false),
            ("https://login.example/t", format!("https://{ID}.ciamlogin.com/{ID}/v2.0"), false),
        ] {
            let issuer = EndpointUrl::parse(&issuer, "").unwrap();
            let found = Authority::at(address, "It").unwrap().has_other_issuer(&issuer);
            assert_eq!(found, is_its, "{address} {issuer}");
        }
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
