//! Assertions that a pipeline service issues to the current job: one file per service.

mod azure_pipelines;
mod github_actions;

use std::collections::HashMap;

pub(crate) use azure_pipelines::{azure_pipelines_assertion, azure_pipelines_connection};
pub(crate) use github_actions::{github_actions_assertion, in_github_actions};

use crate::error::{Error, Kind, Result};
use crate::foreign::Loose;
use crate::secret::Secret;
use crate::sys::{EndpointUrl, Request, System};

/// Names additional allowed hosts, separated by blanks: `host`, or `*.domain` for all its
/// subdomains.
const FURTHER_HOSTS: &str = "AZT_PIPELINE_HOSTS";

/// The audience of assertions for Entra.
pub(crate) const TOKEN_EXCHANGE: &str = "api://AzureADTokenExchange";

/// Sends `request` and takes the assertion from `member` of the response. `denied` is the remedy
/// for a refusal.
async fn ask(
    system: &System,
    url: &EndpointUrl,
    request: Request,
    member: &str,
    denied: &str,
) -> Result<Secret> {
    let response = system.http.send(system, request).await?;
    system.terminal.debug(&format!("{} -> {}", url.environment(), response.status));
    let mut body: HashMap<String, Loose<Secret>> = response.json().unwrap_or_default();
    let token = body.remove(member).and_then(|token| token.0);
    let token = token.map(|token| Secret::new(token.expose().trim()));
    if let Some(token) = token.filter(|token| !token.is_empty() && response.is_success()) {
        return Ok(token);
    }
    let said = response.complaint().told();
    let said = said.map_or_else(|| ".".to_owned(), |said| format!(": {said}"));
    let host = url.environment();
    let told = format!("{host} issued no token for this job (HTTP {}){said}", response.status);
    Err(match response.status {
        429 | 500.. => Error::new(Kind::Service, told).remedy("Try again in a minute."),
        200..=299 => Error::new(Kind::Service, told),
        _ => Error::new(Kind::Refused, told).remedy(denied),
    })
}

/// The variable `name`, which is set only in a job.
fn variable(system: &System, name: &str, service: &str, how: &str) -> Result<String> {
    system.env.non_empty(name).ok_or_else(|| {
        Error::failed(format!(
            "{name} is not set, so this is not a job of {service} that may request tokens."
        ))
        .remedy(how)
    })
}

/// The address in the variable `name`, if its host is in `hosts`, on this machine, or in the user's
/// list. The job's own token is sent there, and any earlier step of the job could have set the
/// variable.
fn address(text: &str, name: &str, hosts: &[&str], system: &System) -> Result<EndpointUrl> {
    let url = EndpointUrl::parse_with_query(text, name)?;
    let further = system.env.non_empty(FURTHER_HOSTS).unwrap_or_default().to_ascii_lowercase();
    let mut known = hosts.iter().copied().chain(further.split_whitespace());
    if url.is_on_this_machine() || known.any(|pattern| is_one_of(url.host(), pattern)) {
        return Ok(url);
    }
    Err(Error::new(
        Kind::Refused,
        format!(
            "{name} names the host {}, which is not one of this pipeline's service; nothing was sent.",
            url.host()
        ),
    )
    .remedy(format!("If the host is right, add it to {FURTHER_HOSTS}.")))
}

/// True if `pattern` is `host`, or `*.` with a parent domain of `host`.
fn is_one_of(host: &str, pattern: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(domain) if !domain.is_empty() => {
            host.strip_suffix(domain).is_some_and(|label| label.len() > 1 && label.ends_with('.'))
        }
        _ => host == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_matches_whole_labels_only() {
        for (host, pattern, is_one) in [
            ("a.example", "a.example", true),
            ("b.a.example", "a.example", false),
            ("b.a.example", "*.a.example", true),
            ("c.b.a.example", "*.a.example", true),
            ("a.example", "*.a.example", false),
            (".a.example", "*.a.example", false),
            ("evila.example", "*.a.example", false),
            ("a.example.evil", "*.a.example", false),
            ("evil", "*", false),
            ("evil.", "*.", false),
            ("evil.example", "*.*", false),
        ] {
            assert_eq!(is_one_of(host, pattern), is_one, "{host} {pattern}");
        }
    }
}
