//! Reachability and clock of the login host.

use chrono::DateTime;

use super::authority::Authority;
use crate::error::{Error, Kind, Result};
use crate::foreign::Json;
use crate::sys::{EndpointUrl, Request, System};

/// The time of the login host at `login_url`, in seconds since 1970-01-01 UTC, from the `Date` of a
/// response (RFC 9110 section 6.6.1): one anonymous request. `None` if the response has no date.
///
/// # Errors
/// [`Kind::Network`] if the host cannot be reached, or another server answers.
pub(crate) async fn server_time(system: &System, login_url: &EndpointUrl) -> Result<Option<i64>> {
    let url = Authority::new(login_url, "organizations")?.openid_configuration()?;
    let response = system.http.send(system, Request::get(&url)).await?;
    if !response.is_success() || response.json::<Json>().is_err() {
        return Err(Error::new(
            Kind::Network,
            format!("{} did not answer like Entra (HTTP {}).", url.environment(), response.status),
        )
        .remedy("A proxy or a sign-in portal of your network may stand in between."));
    }
    let date = response.header("date").and_then(|date| DateTime::parse_from_rfc2822(date).ok());
    Ok(date.map(|date| date.timestamp()))
}
