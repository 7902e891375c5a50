//! Sources of client assertions (federated tokens).

use super::credential::read;
use crate::entra::{
    IdClaims, TOKEN_EXCHANGE, azure_pipelines_assertion, azure_pipelines_connection,
    github_actions_assertion, in_github_actions,
};
use crate::error::{Error, Result};
use crate::foreign::Sentence;
use crate::secret::Secret;
use crate::settings::ConfigDir;
use crate::shell::shown;
use crate::sys::{System, decoded, output_of};
use crate::vault::AssertionSource;

/// Fails if the configuration folder is not trusted to name a command to run or a file to send.
///
/// - A relative path can name a folder in the working directory, such as a cloned repository.
/// - A vault that other users can read was copied or checked out: azt creates it with mode 0700.
/// - Only root can use another user's folder, and root would then run that user's command.
pub(super) fn may_run_sources(system: &System) -> Result<()> {
    let dir = ConfigDir::find(system);
    let (path, azt) = (dir.path(), dir.azt().path());
    let refused = |why: &str| {
        Error::failed(format!(
            "The service principal signs in with a certificate, a command or a file, which azt does not take from {}: {why}.",
            Sentence::new(&path.display().to_string())
        ))
    };
    if path.is_relative() {
        return Err(refused("its path is relative")
            .remedy("If the folder is yours, set AZURE_CONFIG_DIR to its absolute path."));
    }
    if !dir.folder().is_own() {
        return Err(refused("it belongs to another user")
            .remedy("Run as that user, or set AZURE_CONFIG_DIR to a folder of yours."));
    }
    if !dir.azt().is_private() {
        let error = refused("other users can read the vault, which azt creates for its owner only");
        return Err(match azt.to_str().and_then(shown) {
            Some(azt) => {
                error.remedy(format!("If you know that the vault is yours: chmod 700 {azt}"))
            }
            None => error,
        });
    }
    Ok(())
}

/// Gets a current assertion from `source`.
///
/// # Errors
/// The source has no assertion, or returns something other than a JWT.
pub(super) async fn ask(source: &AssertionSource, system: &System) -> Result<Secret> {
    let (assertion, whence) = match source {
        AssertionSource::File { path } => {
            let file = read(path)?;
            let text = decoded(&file).unwrap_or_default();
            (Secret::new(text.trim()), path.as_str())
        }
        AssertionSource::Command { command } => {
            // Not named in errors: the command line may contain a secret.
            (Secret::new(output_of(command).await?.as_str()), "What the command printed")
        }
        AssertionSource::GithubActions { audience } => {
            (github_actions_assertion(system, audience).await?, "GitHub Actions")
        }
        AssertionSource::AzurePipelines { service_connection_id } => {
            (azure_pipelines_assertion(system, service_connection_id).await?, "Azure Pipelines")
        }
    };
    if IdClaims::decode(assertion.expose()).is_none() {
        return Err(Error::failed(format!("{whence} is not an assertion (a JWT).")));
    }
    Ok(assertion)
}

/// The source that environment variables name: a workload identity file, a GitHub Actions job or an
/// Azure Pipelines job.
pub(crate) fn detect_assertion_source(system: &System) -> Option<AssertionSource> {
    if let Some(path) = system.env.non_empty("AZURE_FEDERATED_TOKEN_FILE") {
        return Some(AssertionSource::File { path });
    }
    if in_github_actions(system) {
        return Some(AssertionSource::GithubActions { audience: TOKEN_EXCHANGE.to_owned() });
    }
    azure_pipelines_connection(system)
        .map(|service_connection_id| AssertionSource::AzurePipelines { service_connection_id })
}

/// The source of `assertion`, if this process can ask it again: its current assertion must have the
/// same issuer and subject.
///
/// Pipelines pass only the assertion (`login --federated-token`), which expires within minutes. A
/// source keeps the sign-in usable.
pub(crate) async fn source_of_assertion(
    system: &System,
    assertion: &Secret,
) -> Option<AssertionSource> {
    let mut source = detect_assertion_source(system)?;
    if let (AssertionSource::GithubActions { audience }, Some(asked)) =
        (&mut source, audience_of(assertion))
    {
        *audience = asked;
    }
    let now = match ask(&source, system).await {
        Ok(now) => now,
        Err(error) => {
            system.terminal.debug(&format!("the assertion's source is not used: {error}"));
            return None;
        }
    };
    let subject = |jwt: &Secret| {
        IdClaims::decode(jwt.expose()).and_then(|claims| Some((claims.iss?, claims.sub?)))
    };
    (subject(&now).is_some() && subject(&now) == subject(assertion)).then_some(source)
}

fn audience_of(assertion: &Secret) -> Option<String> {
    IdClaims::decode(assertion.expose())?.audience().map(str::to_owned)
}
