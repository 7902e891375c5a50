//! Where a token may be sent, and what it is for.

use super::{OwnHost, Place};
use crate::error::{Error, Kind, Result};
use crate::settings::{Cloud, Config, Endpoint};
use crate::sys::EndpointUrl;

/// A host that gets a token.
#[derive(Clone, Debug)]
pub(crate) struct Destination {
    /// The host, in lower case.
    pub(crate) host: String,
    /// The audience of the token.
    pub(crate) audience: String,
    /// The short name of the service, if it has one.
    pub(crate) service: Option<&'static str>,
    /// Why the host gets a token: the pattern that it matches.
    pub(crate) pattern: String,
    /// True if the pattern is in the settings.
    pub(crate) is_own: bool,
    /// The account of the settings.
    pub(crate) account: Option<String>,
    /// The tenant of the settings.
    pub(crate) tenant: Option<String>,
}

impl Destination {
    /// The destination `url` in `cloud`, by the settings and the table; `None` if neither knows the
    /// host.
    ///
    /// # Errors
    /// [`Kind::Refused`]: the connection would not be encrypted, or the port is not the service's.
    /// [`Kind::Inapplicable`]: the host is in another cloud, which would not take the token.
    pub(crate) fn of(
        url: &EndpointUrl,
        cloud: &Cloud,
        config: &Config<'_>,
    ) -> Result<Option<Self>> {
        if !url.is_encrypted() {
            let text = format!("A token must not be sent to {} without encryption.", url.host());
            return Err(Error::new(Kind::Refused, text).remedy("Use https."));
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if !url.host().chars().all(is_plain) {
            return Ok(None);
        }
        let own = OwnHost::all(config)?.into_iter().filter(|host| host.has(url));
        // Each member of its closest pattern.
        let own = own.reduce(|near, far| OwnHost {
            pattern: near.pattern,
            audience: near.audience.or(far.audience),
            account: near.account.or(far.account),
            tenant: near.tenant.or(far.tenant),
        });
        let own = own.unwrap_or_default();
        let Some(found) = Found::of(url, cloud, &own)? else { return Ok(None) };
        let Found { audience, service, pattern, is_own } = found;
        let OwnHost { account, tenant, .. } = own;
        let host = url.host().to_owned();
        Ok(Some(Self { host, audience, service, pattern, is_own, account, tenant }))
    }
}

/// What the settings or the table say of a host.
struct Found {
    audience: String,
    service: Option<&'static str>,
    pattern: String,
    is_own: bool,
}

impl Found {
    fn of(url: &EndpointUrl, cloud: &Cloud, own: &OwnHost) -> Result<Option<Self>> {
        if let Some(audience) = own.audience.clone() {
            let pattern = own.pattern.clone();
            return Ok(Some(Self { audience, service: None, pattern, is_own: true }));
        }
        let of_table = |audience: String, service, pattern: String| {
            Some(Self { audience, service, pattern, is_own: false })
        };
        // A registered cloud has its resource manager anywhere.
        if cloud.resource_manager().is_ok_and(|of_cloud| of_cloud.same_origin(url)) {
            let audience = cloud.endpoint(Endpoint::ActiveDirectoryResourceId)?.to_owned();
            return Ok(of_table(audience, Some("arm"), url.environment()));
        }
        let Some(place) = Place::of(url) else { return Ok(None) };
        if url.environment() != url.host() {
            let text = format!("{} is at port 443: no other port gets a token.", url.host());
            return Err(Error::new(Kind::Refused, text).remedy("Omit the port."));
        }
        if place.cloud != cloud.builtin_name() {
            return Err(in_another_cloud(url, &place, cloud));
        }
        let audience = place.audience(cloud, url)?.into_owned();
        let service = place.service.names.first().copied();
        Ok(of_table(audience, service, place.pattern.to_owned()))
    }
}

fn in_another_cloud(url: &EndpointUrl, place: &Place, active: &Cloud) -> Error {
    let text =
        format!("{} is in {}, and the active cloud is {}.", url.host(), place.cloud, active.name);
    let set = format!("azt cloud set --name {}", place.cloud);
    let error = Error::new(Kind::Inapplicable, text);
    error.remedy(format!("To use that cloud: {set}")).command(set)
}
