//! Assertions that a pipeline's service makes for the job that runs: one service a file.

mod azure_pipelines;
mod github_actions;

use serde_json::Value;

pub use azure_pipelines::{azure_pipelines_assertion, azure_pipelines_connection};
pub use github_actions::{github_actions_assertion, in_github_actions};

use super::token_endpoint::host;
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use crate::sys::{Request, System};

/// The audience of assertions for Entra.
pub const TOKEN_EXCHANGE: &str = "api://AzureADTokenExchange";

/// Sends `request`, and takes the assertion from this member of the answer. `denied` says what a
/// refusal means.
async fn ask(
    system: &System,
    url: &str,
    request: Request,
    member: &str,
    denied: &str,
) -> Result<Secret> {
    let response = system.http.send(&system.env, request).await?;
    system.terminal.debug(&format!("{} -> {}", host(url), response.status));
    let error = |kind: Kind| {
        let status = response.status;
        Error::new(kind, format!("{} gave no token for this job (HTTP {status}).", host(url)))
    };
    match response.status {
        200 => {
            let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
            let token = body.get(member).and_then(Value::as_str).filter(|token| !token.is_empty());
            token.map(Secret::new).ok_or_else(|| error(Kind::Service))
        }
        429 | 500.. => Err(error(Kind::Service).remedy("Try again in a minute.")),
        _ => Err(error(Kind::Refused).remedy(denied)),
    }
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
