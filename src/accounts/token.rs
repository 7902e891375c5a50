//! The token that a command wants, by way of the vault, az's files, or the network.

use std::time::Duration;

use super::Context;
use super::migration::{self, migrate};
use crate::broker::{self, Aging, Broker, Identity, Token, TokenRequest};
use crate::error::{Error, Kind, Result};
use crate::foreign::Sentence;
use crate::interop::{self, AdalFile, Application};
use crate::program::Program;
use crate::settings::Cloud;
use crate::sys::{System, is_detached, repeat_detached};
use crate::vault::{Account, Vault};

/// How long az's lock is waited for while somebody waits for a token: az gets the next one.
const AZ_LIMIT: Duration = Duration::from_millis(500);

/// The token of `request` at `cloud`. An account that the vault does not know, or knows no good
/// refresh token of, may have been signed in with the real az: that is used at once.
pub(crate) fn token(context: &Context<'_>, cloud: &Cloud, request: &TokenRequest) -> Result<Token> {
    let system = context.system;
    let name = match &request.identity {
        Identity::User { name } => Some(name.as_str()),
        Identity::ServicePrincipal { client_id } => Some(client_id.as_str()),
        _ => None,
    };
    if matches!(request.identity, Identity::ManagedIdentity(_) | Identity::CloudShell { .. }) {
        cloud.check_for_host_identity()?;
    }
    let vault = vault_of(context, &request.identity)?;
    let broker = Broker::new(system, cloud, context.homes(), vault, aging(context)?)?;
    let failed = match broker.token(request) {
        Err(failed) => failed,
        Ok(token) => {
            if token.is_due_for_refresh {
                refresh_in_background(system);
            }
            share(context, cloud, &broker, name, &token);
            return Ok(token);
        }
    };
    let (Some(name), Some(vault)) = (name, broker.vault()) else { return Err(failed.error) };
    let taken_over = match failed.error.kind() {
        Kind::NotSignedIn => take_over_unknown(context, cloud, vault, name)?,
        Kind::InteractionRequired => take_over(context, cloud, vault, name)?,
        // No sign-in would cure any other failure.
        _ => return Err(failed.error),
    };
    // Another process may have taken az's sign-in over.
    if taken_over || broker.has_another_sign_in(request, &failed) {
        Ok(broker.token(request)?)
    } else {
        Err(with_sources_of_az(failed.error, context, name))
    }
}

/// What this call does with an aging token.
fn aging(context: &Context<'_>) -> Result<Aging> {
    let serves = context.config.get_bool("core", "renew_ahead", true)?;
    Ok(if is_detached(context.system) {
        Aging::RefreshUnattended
    } else if serves && context.system.env.is_process() {
        Aging::Serve
    } else {
        Aging::Refresh
    })
}

fn refresh_in_background(system: &System) {
    let started = repeat_detached(system);
    system.terminal.debug(&match started {
        Ok(()) => "another process refreshes the token ahead of need".to_owned(),
        Err(error) => format!("no process could be started to refresh the token: {error}"),
    });
}

/// `error` with what az's list has of the application `name`. A file, or a command, that a list names is
/// not used, nor is a secret of which nobody knows where it belongs; its owner can.
fn with_sources_of_az(error: Error, context: &Context<'_>, name: &str) -> Error {
    let named = sources_of_az(context, name);
    named.into_iter().fold(error, Error::remedy)
}

/// Why what az's list has of the application `name` is not used, and how one signs in with it.
pub(crate) fn sources_of_az(context: &Context<'_>, name: &str) -> Vec<String> {
    let named = interop::applications_of_az(&context.dir, name);
    named.iter().filter_map(|it| migration::why_not(context, it)).collect()
}

/// What `application` signs in with where that is the name of a place, and how one does so.
pub(crate) fn source_of(application: &Application, program: Program) -> Option<String> {
    let source = Sentence::new(&application.source()?.to_string());
    let id = &application.client_id;
    Some(match application.sign_in_with_source(program) {
        Some(login) => format!(
            "az signed service principal {id} in with {source}. What a list names is not used; if it is yours: {login}"
        ),
        None => format!(
            "az's list would sign service principal {id} in with {source}. What a list names is not used."
        ),
    })
}

/// The vault with the tokens of `identity`, made if az has anything that could come into it; `None`
/// when nothing is kept.
pub(crate) fn vault_of<'s>(
    context: &Context<'s>,
    identity: &Identity,
) -> Result<Option<Vault<'s>>> {
    let (system, dir, config) = (context.system, &context.dir, &context.config);
    let opened = broker::open_vault_of(identity, system, dir, config);
    let is_person_or_app =
        matches!(identity, Identity::User { .. } | Identity::ServicePrincipal { .. });
    match opened {
        // Nothing was ever stored here. If az knows the account, that changes now.
        Err(error)
            if is_person_or_app
                && error.kind() == Kind::NotSignedIn
                && (interop::knows(dir) || AdalFile::exists(system, dir)) =>
        {
            broker::make_vault_quietly(system, dir, config).map(Some)
        }
        opened => opened,
    }
}

/// Takes over what az has of `name`, whom the vault does not know; else what az before 2.30 had.
/// Returns true when there was something.
pub(crate) fn take_over_unknown(
    context: &Context<'_>,
    cloud: &Cloud,
    vault: &Vault<'_>,
    name: &str,
) -> Result<bool> {
    if take_over(context, cloud, vault, name)? {
        return Ok(true);
    }
    let migrated = migrate(context, vault)?;
    match migrated.postponed {
        Some(error) if vault.get(&Account::key_of(&cloud.environment()?, name))?.is_none() => {
            Err(error)
        }
        _ => Ok(migrated.any),
    }
}

/// Takes over what az has of `name`; true when there was something.
fn take_over(context: &Context<'_>, cloud: &Cloud, vault: &Vault<'_>, name: &str) -> Result<bool> {
    let (environment, homes) = (cloud.environment()?, context.homes());
    let home = |client_id: &str, tenant: &str| homes.of_plain(client_id, tenant);
    if interop::adopt(&context.dir, vault, &environment, name, &broker::can_redeem, &home)? {
        let text = format!("A sign-in of {name} that was made with az is used.");
        context.system.terminal.info(&text);
        return Ok(true);
    }
    Ok(false)
}

/// Tells az of a refresh token that came with `token`.
fn share(
    context: &Context<'_>,
    cloud: &Cloud,
    broker: &Broker<'_>,
    name: Option<&str>,
    token: &Token,
) {
    if token.is_new
        && is_shared(context).unwrap_or(false)
        && let (Some(name), Some(vault), Ok(environment)) =
            (name, broker.vault(), cloud.environment())
        && let Err(error) = interop::share(&context.dir, vault, &environment, name, None, AZ_LIMIT)
    {
        context.system.terminal.info(&format!("az was not told: {error}"));
    }
}

/// True when sign-ins are shared with az (`core.share_with_az`). The file alone turns that on, and the
/// environment of a call only off: what is shared lies in plain text long after the call.
pub(crate) fn is_shared(context: &Context<'_>) -> Result<bool> {
    let config = &context.config;
    Ok(config.get_bool("core", "share_with_az", false)?
        && config.get_bool_of_files("core", "share_with_az", false)?)
}
