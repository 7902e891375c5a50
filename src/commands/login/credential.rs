//! The credential of `login`, from the command line, a prompt, or the variables of a CI job.

use super::check::NO_SECRET;
use crate::accounts::Context;
use crate::broker::{self, AppCredential};
use crate::cli::{Login, Pipeline};
use crate::entra::{TOKEN_EXCHANGE, azure_pipelines_connection};
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use crate::vault::AssertionSource;

/// The credential of the service principal: from the command line, else a detected federated token,
/// else a secret from a prompt.
pub(super) async fn credential(request: &Login, context: &Context<'_>) -> Result<AppCredential> {
    let from = |source: AssertionSource| Ok(AppCredential::AssertionFrom(source));
    // A later call may run in another folder (az stores paths as typed).
    let absolute = |path: &str| match std::path::absolute(path) {
        Ok(path) => path.display().to_string(),
        Err(_) => path.to_owned(),
    };
    if let Some(path) = &request.certificate {
        let sends_chain = request.use_cert_sn_issuer;
        let path = absolute(path);
        let terminal = &context.system.terminal;
        let password = match &request.certificate_password {
            None if context.system.can_ask() && broker::certificate_needs_password(&path)? => {
                Some(terminal.read_password("Password of the certificate: ")?)
            }
            given => given.clone(),
        };
        return Ok(AppCredential::Certificate { path, password, sends_chain });
    }
    if let Some(path) = &request.federated_token_file {
        return from(AssertionSource::File { path: absolute(path) });
    }
    if let Some(command) = &request.federated_token_command {
        return from(AssertionSource::Command { command: command.clone() });
    }
    if let Some(pipeline) = request.federated_token_from {
        return from(pipeline_source(pipeline, request, context)?);
    }
    if let Some(assertion) = &request.federated_token {
        return match broker::source_of_assertion(context.system, assertion).await {
            Some(source) => {
                context
                    .system
                    .terminal
                    .info("New federated tokens are read from the source of this one when needed.");
                from(source)
            }
            None => Ok(AppCredential::Assertion(assertion.clone())),
        };
    }
    if request.password.is_none()
        && let Some(source) = broker::detect_assertion_source(context.system)
    {
        let whence = match &source {
            AssertionSource::File { path } => path.as_str(),
            AssertionSource::Command { command } => command.as_str(),
            AssertionSource::GithubActions { .. } => "GitHub Actions",
            AssertionSource::AzurePipelines { .. } => "Azure Pipelines",
        };
        context
            .system
            .terminal
            .info(&format!("No credential was given. Using the federated token of {whence}."));
        return from(source);
    }
    Ok(AppCredential::Secret(password(request, context)?))
}

/// The source of a pipeline's federated tokens.
fn pipeline_source(
    pipeline: Pipeline,
    request: &Login,
    context: &Context<'_>,
) -> Result<AssertionSource> {
    match pipeline {
        Pipeline::GithubActions => Ok(AssertionSource::GithubActions {
            audience: request
                .federated_token_audience
                .clone()
                .unwrap_or_else(|| TOKEN_EXCHANGE.to_owned()),
        }),
        Pipeline::AzurePipelines => {
            let id = request.service_connection_id.clone();
            let id = id.or_else(|| azure_pipelines_connection(context.system));
            let service_connection_id = id.ok_or_else(|| {
                Error::new(
                    Kind::Inapplicable,
                    "Which service connection? Give its id with --service-connection-id.",
                )
            })?;
            Ok(AssertionSource::AzurePipelines { service_connection_id })
        }
    }
}

/// The password or secret: from the option, else from a prompt.
pub(super) fn password(request: &Login, context: &Context<'_>) -> Result<Secret> {
    let terminal = &context.system.terminal;
    match &request.password {
        Some(secret) => Ok(secret.clone()),
        None if context.system.can_ask() => terminal.read_password("Password: "),
        None => Err(Error::new(Kind::Inapplicable, NO_SECRET)),
    }
}
