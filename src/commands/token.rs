//! The token that a command wants, by way of the vault, az's files, or the network.

use super::Context;
use super::migration::migrate;
use crate::broker::{self, Broker, Identity, Token, TokenRequest};
use crate::error::{Kind, Result};
use crate::interop::{self, AdalFile};
use crate::settings::Cloud;

/// The token of `request` at `cloud`. An account that the vault does not know, or knows no good
/// refresh token of, may have been signed in with the real az: that is used at once.
pub(super) fn token(context: &Context<'_>, cloud: &Cloud, request: &TokenRequest) -> Result<Token> {
    let (system, config) = (context.system, &context.config);
    let name = match &request.identity {
        Identity::User { name } => Some(name.as_str()),
        Identity::ServicePrincipal { client_id } => Some(client_id.as_str()),
        _ => None,
    };
    let mut opened = broker::open_vault_of(&request.identity, system, &context.dir, config);
    if name.is_some() && opened.as_ref().is_err_and(|error| error.kind() == Kind::NotSignedIn) {
        // Nothing was ever stored here. If az knows the account, that changes now.
        if interop::knows(&context.dir) || AdalFile::path(system, &context.dir).exists() {
            opened = broker::make_vault_quietly(system, &context.dir, config).map(Some);
        }
    }
    let broker = Broker::new(system, config, cloud, opened?)?;
    let error = match broker.token(request) {
        Err(error) if matches!(error.kind(), Kind::NotSignedIn | Kind::InteractionRequired) => {
            error
        }
        other => return other.inspect(|token| share(context, &broker, name, token)),
    };
    let (Some(name), Some(vault)) = (name, broker.vault()) else { return Err(error) };
    if interop::adopt(&context.dir, vault, &cloud.environment()?, name)? {
        system.terminal.info(&format!("A sign-in of {name} that was made with az is used."));
        return broker.token(request);
    }
    if error.kind() == Kind::NotSignedIn && migrate(context, vault)? {
        return broker.token(request);
    }
    Err(error)
}

/// Tells az of a refresh token that came with `token`.
fn share(context: &Context<'_>, broker: &Broker<'_>, name: Option<&str>, token: &Token) {
    let (Some(name), Some(vault)) = (name, broker.vault()) else { return };
    if token.is_new
        && is_shared(context).unwrap_or(false)
        && let Err(error) = interop::share(&context.dir, vault, name)
    {
        context.system.terminal.info(&format!("az was not told: {error}"));
    }
}

/// True when sign-ins are shared with az (`core.share_with_az`).
pub(super) fn is_shared(context: &Context<'_>) -> Result<bool> {
    context.config.get_bool("core", "share_with_az", false)
}
