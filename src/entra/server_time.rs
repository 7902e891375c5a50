//! Reachability of the login host, and the clocks of servers.

use chrono::DateTime;

use super::authority::Authority;
use crate::error::{Error, Kind, Result};
use crate::foreign::Json;
use crate::program::Program;
use crate::sys::{EndpointUrl, Request, Response, System};

/// Clock skew that Entra and AD FS tolerate, in seconds.
const TOLERATED_CLOCK_SKEW: i64 = 300;

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
    Ok(date_of(&response))
}

fn date_of(response: &Response) -> Option<i64> {
    let date = response.header("date").and_then(|date| DateTime::parse_from_rfc2822(date).ok());
    date.map(|date| date.timestamp())
}

/// Adds to `error`, a refusal in `response` from `host`, that this machine's clock is wrong, if it
/// is. Not under the name `az`.
pub(super) fn with_clock(error: Error, response: &Response, host: &str, system: &System) -> Error {
    let ahead = date_of(response).map_or(0, |date| system.clock.now() - date);
    if ahead.abs() <= TOLERATED_CLOCK_SKEW || system.program == Program::Az {
        return error;
    }
    let direction = if ahead > 0 { "ahead of" } else { "behind" };
    error.remedy(format!(
        "This machine's clock is {} minutes {direction} that of {host}: set it, then try again.",
        ahead.abs() / 60
    ))
}
