//! The way to Entra.

use super::super::Context;
use super::check::Check;
use crate::broker;
use crate::cli::Doctor;
use crate::sys::{Env, block_on, extra_authorities, without_password};

/// Seconds that this machine's clock may differ from Entra's before tokens are taken for ended, or
/// assertions for not yet valid.
const MOST_SKEW: i64 = 120;

/// The check of Entra's answering.
pub(super) const ANSWERS: &str = "network";

/// Proxies and authorities as they are set; unless told to stay offline, whether Entra answers, and
/// what time it is there.
pub(super) fn network(request: &Doctor, context: &Context<'_>) -> Vec<Check> {
    let env = &context.system.env;
    let mut checks = Vec::new();
    let seen = |names: &[&str], shown: fn(&str) -> String| {
        let set = |name: &&str| Some(format!("{name}={}", shown(&env.non_empty(name)?)));
        names.iter().filter_map(set).collect::<Vec<_>>().join(", ")
    };
    let proxies = seen(
        &["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY"],
        without_password,
    );
    if !proxies.is_empty() {
        checks.push(Check::ok("proxy", proxies));
    }
    let authorities = seen(
        &["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"],
        str::to_owned,
    );
    if !authorities.is_empty() {
        checks.extend(trusted(env, &authorities));
    }
    if request.offline {
        return checks;
    }
    let asked = context.cloud().authority_host().and_then(|login_url| {
        block_on(broker::server_time(context.system, &login_url)).map(|time| (login_url, time))
    });
    match asked {
        Err(error) | Ok((_, Err(error))) => checks.push(Check::of_error(ANSWERS, &error)),
        Ok((login_url, Ok(time))) => {
            checks.push(Check::ok(ANSWERS, format!("{login_url} answers")));
            checks.extend(time.map(|time| clock(context.system.clock.now() - time)));
        }
    }
    checks
}

/// What the variables that are `set` lead to.
fn trusted(env: &Env, set: &str) -> Vec<Check> {
    const WHAT: &str = "authorities";
    match extra_authorities(env) {
        Err(error) => vec![Check::of_error(WHAT, &error)],
        Ok(found) if found.flaws.is_empty() => vec![Check::ok(WHAT, set)],
        Ok(found) => found.flaws.iter().map(|flaw| Check::warning(WHAT, flaw)).collect(),
    }
}

fn clock(ahead: i64) -> Check {
    if ahead.abs() <= MOST_SKEW {
        return Check::ok("clock", "agrees with Entra's");
    }
    let direction = if ahead > 0 { "ahead of" } else { "behind" };
    Check::failure("clock", format!("{} s {direction} Entra's", ahead.abs()))
        .remedy("Set this machine's clock, for instance with NTP.")
}
