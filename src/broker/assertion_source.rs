//! Assertions by where they come from.

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

/// An error where the configuration folder may not say which command is run or which file is sent.
///
/// One that is named by a relative path is whatever lies in the working directory, a repository that was
/// cloned, say. Others can look into one that was copied or checked out; azt makes it for its owner
/// alone. In somebody else's, which root alone uses, it would be root who runs the command.
pub(super) fn may_run_sources(system: &System) -> Result<()> {
    let dir = ConfigDir::find(system);
    let (path, azt) = (dir.path(), dir.azt().path());
    let refused = |why: &str| {
        Error::failed(format!(
            "The service principal signs in with a certificate, or a federated token that comes from a command or a file, which is not used from {}: {why}.",
            Sentence::new(&path.display().to_string())
        ))
    };
    if path.is_relative() {
        return Err(refused("it is named by a relative path")
            .remedy("If the folder is yours, name it from the root with AZURE_CONFIG_DIR."));
    }
    if !dir.folder().is_own() {
        return Err(refused("it belongs to another user")
            .remedy("Run as that user, or name a folder of your own with AZURE_CONFIG_DIR."));
    }
    if !dir.azt().is_private() {
        let error = refused("others can look into the vault, as nobody can where azt made it");
        return Err(match azt.to_str().and_then(shown) {
            Some(azt) => error.remedy(format!("If you know that it is yours: chmod 700 {azt}")),
            None => error,
        });
    }
    Ok(())
}

/// A current assertion from `source`.
///
/// # Errors
/// It has none, or gives what is no JWT.
pub(super) async fn ask(source: &AssertionSource, system: &System) -> Result<Secret> {
    let (assertion, whence) = match source {
        AssertionSource::File { path } => {
            let file = read(path)?;
            let text = decoded(&file).unwrap_or_default();
            (Secret::new(text.trim()), path.as_str())
        }
        AssertionSource::Command { command } => {
            // The command itself may hold a secret.
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
        return Err(Error::failed(format!("{whence} holds no assertion (a JWT).")));
    }
    Ok(assertion)
}

/// The place that the variables of this process name: a file of workload identity, a job of GitHub
/// Actions or of Azure Pipelines.
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

/// The place that `assertion` came from, if it is one that this process can ask again: what it
/// gives now is about the same subject, by the same issuer.
///
/// Pipelines hand the assertion itself over (`login --federated-token`), and lose their sign-in
/// when it expires, minutes later.
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
