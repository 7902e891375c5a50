//! Checks the connection to Entra.

use super::check::{Check, Topic};
use super::settings::flaw;
use crate::accounts::Context;
use crate::entra::server_time;
use crate::error::Result;
use crate::sys::{Env, Way, block_on, extra_authorities};

/// Maximum clock difference to Entra, in seconds. Beyond it, tokens may look expired and assertions
/// not yet valid.
const MOST_SKEW: i64 = 120;

/// Checks the proxy and the configured certificate authorities, and unless `is_offline` also whether
/// Entra responds and the clock agrees.
pub(super) fn network(is_offline: bool, context: &Context<'_>) -> Vec<Check> {
    let env = &context.system.env;
    let mut checks = vec![match ways(context) {
        Ok(ways) => Check::ok(Topic::Proxy, ways),
        Err(error) => Check::of_error(Topic::Proxy, &error),
    }];
    let set = |name: &&str| Some(format!("{name}={}", env.non_empty(name)?));
    let variables = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"];
    let authorities: Vec<_> = variables.iter().filter_map(set).collect();
    if !authorities.is_empty() {
        checks.extend(trusted(env, &authorities.join(", ")));
    }
    if is_offline {
        return checks;
    }
    // Contacting the fallback cloud could reveal a user to the wrong cloud.
    if flaw(context).is_some() {
        checks.push(Check::warning(
            Topic::Network,
            "not checked: the settings with the active cloud cannot be read",
        ));
        return checks;
    }
    let asked = context.cloud().authority_host().and_then(|login_url| {
        block_on(server_time(context.system, &login_url)).map(|time| (login_url, time))
    });
    match asked {
        Err(error) | Ok((_, Err(error))) => checks.push(Check::of_error(Topic::Network, &error)),
        Ok((login_url, Ok(time))) => {
            checks.push(Check::ok(Topic::Network, format!("{login_url} answers")));
            checks.extend(time.map(|time| clock(context.system.clock.now() - time)));
        }
    }
    checks
}

/// Checks the certificate authorities from the variables in `set`.
fn trusted(env: &Env, set: &str) -> Vec<Check> {
    match extra_authorities(env) {
        Err(error) => vec![Check::of_error(Topic::Authorities, &error)],
        Ok(found) if found.flaws.is_empty() => vec![Check::ok(Topic::Authorities, set)],
        Ok(found) => {
            found.flaws.iter().map(|flaw| Check::warning(Topic::Authorities, flaw)).collect()
        }
    }
}

/// Describes how Entra and Azure Resource Manager are reached, and why.
fn ways(context: &Context<'_>) -> Result<String> {
    let mut ways: Vec<String> = Vec::new();
    for url in [context.cloud().authority_host()?, context.cloud().resource_manager()?] {
        let way = Way::to(&url, &context.system.env)?;
        let way = format!("{} is asked {way}", url.environment());
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    Ok(ways.join("; "))
}

fn clock(ahead: i64) -> Check {
    if ahead.abs() <= MOST_SKEW {
        return Check::ok(Topic::Clock, "agrees with Entra's");
    }
    let direction = if ahead > 0 { "ahead of" } else { "behind" };
    Check::failure(Topic::Clock, format!("{} s {direction} Entra's", ahead.abs()))
        .remedy("Set this machine's clock, for instance with NTP.")
}
