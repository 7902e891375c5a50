//! Assertions that a pipeline's service makes for the job that runs: one service a file.

mod azure_pipelines;
mod github_actions;

use std::collections::HashMap;

pub(crate) use azure_pipelines::{azure_pipelines_assertion, azure_pipelines_connection};
pub(crate) use github_actions::{github_actions_assertion, in_github_actions};

use crate::error::{Error, Kind, Result};
use crate::foreign::Loose;
use crate::secret::Secret;
use crate::sys::{EndpointUrl, Request, System};

/// Names further hosts that may be asked, separated by blanks: `host`, or `*.domain` for all below it.
const FURTHER_HOSTS: &str = "AZT_PIPELINE_HOSTS";

/// The audience of assertions for Entra.
pub(crate) const TOKEN_EXCHANGE: &str = "api://AzureADTokenExchange";

/// Sends `request`, and takes the assertion from this member of the answer. `denied` says what a
/// refusal means.
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
    let told = format!("{host} gave no token for this job (HTTP {}){said}", response.status);
    Err(match response.status {
        429 | 500.. => Error::new(Kind::Service, told).remedy("Try again in a minute."),
        200..=299 => Error::new(Kind::Service, told),
        _ => Error::new(Kind::Refused, told).remedy(denied),
    })
}

/// The variable `name`, which only a job has.
fn variable(system: &System, name: &str, service: &str, how: &str) -> Result<String> {
    system.env.non_empty(name).ok_or_else(|| {
        Error::failed(format!(
            "{name} is not set, so this is not a job of {service} that may ask for tokens."
        ))
        .remedy(how)
    })
}

/// The address that the variable `name` holds, if it is at one of `hosts`, on this machine, or where
/// the person says: the job's own token is sent there, and everything that runs in a job before this
/// could have set the variable.
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
            "{name} leads to {}, where the service of this pipeline is not; nothing was sent.",
            url.host()
        ),
    )
    .remedy(format!("If it is there all the same, name the host in {FURTHER_HOSTS}.")))
}

/// True where `pattern` is `host`, or `*.` and a domain that it is below.
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
    fn a_domain_is_whole_labels() {
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
