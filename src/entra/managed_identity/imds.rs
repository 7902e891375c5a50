//! Virtual machines, scale sets, AKS nodes: the instance metadata service (IMDS).
//!
//! <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>

use std::time::Duration;

use super::{HostIdentity, answer, ask, url};
use crate::entra::TokenResponse;
use crate::error::{Error, Kind, Result};
use crate::sys::{Deadline, EndpointUrl, Request, System, random_uuid};

const VERSION: &str = "2018-02-01";

/// Overrides the address below: pods of AKS, tests.
const HOST: &str = "AZURE_POD_IDENTITY_AUTHORITY_HOST";

/// The address of the service on every virtual machine in Azure.
const DEFAULT_HOST: &str = "http://169.254.169.254";

/// Number of retries after 404, 429 or 5xx: 0.5, 1, 2 and 4 s later.
const REPETITIONS: u32 = 4;

/// Number of retries after 410, which means an update that the platform ends within 70 s.
const REPETITIONS_OF_GONE: u32 = 7;

/// Longest `Retry-After` to wait for.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

pub(super) async fn token(
    system: &System,
    resource: &str,
    identity: HostIdentity<'_>,
) -> Result<TokenResponse> {
    let host = system.env.non_empty(HOST);
    let host = EndpointUrl::parse_host_endpoint(host.as_deref().unwrap_or(DEFAULT_HOST), HOST)?;
    let endpoint = host.at("metadata/identity/oauth2/token")?;
    let url = url(&endpoint, VERSION, resource, identity, "msi_res_id");
    let mut repetition = 0;
    loop {
        let request = Request::get(&url)
            .header("metadata", "true")
            .header("x-client-sku", "azt")
            .header("x-client-ver", env!("CARGO_PKG_VERSION"))
            .header("x-ms-client-request-id", random_uuid()?);
        let response = ask(system, request).await.map_err(no_endpoint)?;
        match pause(response.status, repetition, response.retry_after()) {
            Some(pause) if Deadline::allows(pause) => tokio::time::sleep(pause).await,
            _ => return answer::read(system, &response),
        }
        repetition += 1;
    }
}

/// How long to wait before a retry, at least as long as the service has `asked`; `None` to accept
/// the response.
fn pause(status: u16, repetition: u32, asked: Option<Duration>) -> Option<Duration> {
    let pause = match status {
        410 if repetition < REPETITIONS_OF_GONE => Duration::from_secs(10),
        404 | 429 | 500..=599 if repetition < REPETITIONS => {
            Duration::from_millis(500 << repetition)
        }
        _ => return None,
    };
    let asked = asked.unwrap_or_default();
    (asked <= LONGEST_WAIT).then(|| pause.max(asked))
}

fn no_endpoint(error: Error) -> Error {
    if error.kind() != Kind::Network {
        return error;
    }
    Error::new(
        Kind::Network,
        format!("There is no managed identity endpoint here. {}", error.message()),
    )
    .remedy("Managed identities exist on Azure's own hosts: virtual machines, App Service, Azure Arc and others. If this is one, check that it has an identity and that nothing blocks access to 169.254.169.254.")
    .source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(status: u16, asked: Option<u64>) -> Vec<u64> {
        let millis = |pause: Duration| u64::try_from(pause.as_millis()).unwrap();
        let asked = asked.map(Duration::from_secs);
        (0..20).map_while(|repetition| pause(status, repetition, asked).map(millis)).collect()
    }

    #[test]
    fn retries_follow_the_platforms_rules() {
        for status in [404, 429, 500, 503] {
            assert_eq!(pauses(status, None), [500, 1000, 2000, 4000], "{status}");
            assert_eq!(pauses(status, Some(3)), [3000, 3000, 3000, 4000], "{status}");
            assert!(pauses(status, Some(11)).is_empty(), "{status}: too long to wait");
        }
        assert_eq!(pauses(410, None).iter().sum::<u64>(), 70_000);
        for status in [200, 400, 401, 403] {
            assert!(pauses(status, Some(1)).is_empty(), "{status}");
        }
    }
}
