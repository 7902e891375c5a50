//! `cache publish`.

use serde_json::json;

use super::{Answer, vault};
use crate::accounts::Context;
use crate::cli::CachePublish;
use crate::error::Result;
use crate::interop;

/// Writes users' sign-ins to the cache that Azure's SDKs share. Returns the places.
pub(super) fn run(request: &CachePublish, context: &Context<'_>) -> Result<Answer> {
    let name = request.name.as_deref().unwrap_or(interop::DEFAULT_NAME);
    let (account, plain) = (request.account.as_deref(), request.allow_unencrypted);
    let published = interop::publish(context.system, &vault(context)?, name, account, plain)?;
    for (who, place) in &published.later {
        context.system.terminal.info(&format!(
            "{who} is in {place} already, with a later sign-in of another program, which was kept."
        ));
    }
    Ok(Answer::of(json!(published.places)))
}
