//! Gets a token for a command from the vault, az's files, or the network.

use std::time::Duration;

use super::Context;
use super::migration::{self, migrate};
use crate::broker::{self, Aging, Broker, Identity, NoToken, Token, TokenRequest};
use crate::error::{Error, Kind, Result};
use crate::foreign::Sentence;
use crate::interop::{self, AdalFile, Application};
use crate::program::Program;
use crate::settings::{Cloud, known};
use crate::sys::{System, is_detached, repeat_detached};
use crate::vault::{Account, Vault};

/// How long to wait for az's lock while a caller waits for a token. On a timeout, the next new
/// token is shared.
const AZ_LIMIT: Duration = Duration::from_millis(500);

/// Gets the token of `request` at `cloud`. If the vault has no sign-in or no valid refresh token of
/// the account, a sign-in of the real az is tried. `opened` is the vault, if the caller has it open.
pub(crate) fn token<'s>(
    context: &Context<'s>,
    cloud: &Cloud,
    request: &TokenRequest,
    opened: Option<Vault<'s>>,
) -> Result<Token> {
    #[cfg(unix)]
    if let Some(remote) = &context.remote {
        return remote.token(request, context.system.clock.now());
    }
    let system = context.system;
    let is_memory_only = broker::is_memory_only(&context.config)?;
    let name = match &request.identity {
        Identity::User { name } => Some(name.as_str()),
        Identity::ServicePrincipal { client_id } => Some(client_id.as_str()),
        _ => None,
    };
    if matches!(request.identity, Identity::ManagedIdentity(_) | Identity::CloudShell { .. }) {
        cloud.check_for_host_identity()?;
    }
    let vault = match opened {
        Some(vault) => Some(vault).filter(|_| !is_memory_only),
        None => vault_of(context, &request.identity)?,
    };
    let broker = Broker::new(system, cloud, context.homes(), vault, aging(context)?)?;
    let ask = || {
        let token = broker.token(request)?;
        if token.is_due_for_refresh {
            refresh_in_background(system);
        }
        Ok::<_, NoToken>(token)
    };
    let failed = match ask() {
        Err(failed) => failed,
        Ok(token) => {
            share(context, cloud, &broker, name, &token);
            return Ok(token);
        }
    };
    let (Some(name), Some(vault)) = (name, broker.vault()) else { return Err(failed.error) };
    if broker.is_of_identity_broker(request) {
        return Err(failed.error);
    }
    let taken_over = match failed.error.kind() {
        Kind::NotSignedIn => take_over_unknown(context, cloud, vault, name)?,
        Kind::InteractionRequired => take_over(context, cloud, vault, name)?,
        // A policy may refuse this sign-in and accept another one, made with a browser.
        Kind::Refused if is_of_grant(&failed.error) => take_over(context, cloud, vault, name)?,
        // Another sign-in cannot repair other failures.
        _ => return Err(failed.error),
    };
    // Another process may have copied az's sign-in meanwhile.
    if taken_over || broker.has_another_sign_in(request, &failed) {
        Ok(ask()?)
    } else {
        Err(with_sources_of_az(failed.error, context, name))
    }
}

/// True if Entra refused the stored sign-in (RFC 6749 section 5.2), not the request.
fn is_of_grant(error: &Error) -> bool {
    error.entra_detail().is_some_and(|detail| &*detail.error == "invalid_grant")
}

/// How this call handles a token that is due for refresh.
fn aging(context: &Context<'_>) -> Result<Aging> {
    let serves = context.config.is_on(&known::RENEW_AHEAD)?;
    Ok(if is_detached(context.system) {
        Aging::RefreshUnattended
    } else if serves && context.renews_in_background && context.system.env.is_process() {
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

/// Adds to `error` why the application `name` in az's list is not used: its credential is a source,
/// or the login host of its secret is unknown.
fn with_sources_of_az(error: Error, context: &Context<'_>, name: &str) -> Error {
    let named = sources_of_az(context, name);
    named.into_iter().fold(error, Error::remedy)
}

/// Why entries of az's list for the application `name` are not used, and how to sign in with them.
pub(crate) fn sources_of_az(context: &Context<'_>, name: &str) -> Vec<String> {
    let named = interop::applications_of_az(&context.dir, name);
    named.iter().filter_map(|it| migration::why_not(context, it)).collect()
}

/// Describes the credential source of `application` and how to sign in with it; `None` when its
/// credential is not a source.
pub(crate) fn source_of(application: &Application, program: Program) -> Option<String> {
    let source = Sentence::new(&application.source()?.to_string());
    let id = &application.client_id;
    Some(match application.sign_in_with_source(program) {
        Some(login) => format!(
            "az signed in service principal {id} with {source}. azt does not use sources named in az's list. If this one is yours, run: {login}"
        ),
        None => format!(
            "az's list signs in service principal {id} with {source}. azt does not use sources named in az's list."
        ),
    })
}

/// Opens the vault with the tokens of `identity`, and creates it if az's files hold sign-ins to
/// copy. `None` when tokens of `identity` are not stored.
pub(crate) fn vault_of<'s>(
    context: &Context<'s>,
    identity: &Identity,
) -> Result<Option<Vault<'s>>> {
    let (system, dir, config) = (context.system, &context.dir, &context.config);
    let opened = broker::open_vault_of(identity, system, dir, config);
    let is_user_or_app =
        matches!(identity, Identity::User { .. } | Identity::ServicePrincipal { .. });
    match opened {
        // There is no vault yet. If az has sign-ins, create one for them.
        Err(error)
            if is_user_or_app
                && error.kind() == Kind::NotSignedIn
                && (interop::knows(dir) || AdalFile::exists(system, dir)) =>
        {
            broker::make_vault_quietly(system, dir, config).map(Some)
        }
        opened => opened,
    }
}

/// Copies az's sign-in of `name`, whom the vault does not know, into the vault. If there is none,
/// migrates the sign-ins of az before 2.30. True if something was copied.
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

/// Copies az's sign-in of `name` into the vault; true if there was one.
fn take_over(context: &Context<'_>, cloud: &Cloud, vault: &Vault<'_>, name: &str) -> Result<bool> {
    let (environment, homes) = (cloud.environment()?, context.homes());
    let home = |client_id: &str, tenant: &str| homes.of_plain(client_id, tenant);
    if interop::adopt(&context.dir, vault, &environment, name, &broker::can_redeem, &home)? {
        let text = format!("Using az's sign-in of {name}.");
        context.system.terminal.info(&text);
        return Ok(true);
    }
    Ok(false)
}

/// Shares the sign-in with az if `token` is new and sharing is on.
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

/// True when sign-ins are shared with az (`core.share_with_az`). Only the file can turn sharing on,
/// a variable can only turn it off: shared sign-ins stay in plain text long after the call.
pub(crate) fn is_shared(context: &Context<'_>) -> Result<bool> {
    let config = &context.config;
    Ok(config.is_on(&known::SHARE_WITH_AZ)? && config.is_on_in_files(&known::SHARE_WITH_AZ)?)
}
