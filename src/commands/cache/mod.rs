//! `cache …`: inspects, clears, exports and imports the vault.

mod export;
mod import;
mod list;
mod migrate;
mod publish;
mod status;

pub(super) use status::{PlainText, plain_text};

use serde_json::json;

use super::{Answer, rows};
use crate::accounts::Context;
use crate::broker;
use crate::cli::{CacheClear, CacheCommand};
use crate::error::{Error, Kind, Result};
use crate::vault::Vault;

pub(super) fn run(command: &CacheCommand, context: &Context<'_>) -> Result<Answer> {
    match command {
        CacheCommand::Clear(request) => clear(request, context),
        CacheCommand::Export(request) => export::run(request, context),
        CacheCommand::Import(request) => import::run(request, context),
        CacheCommand::List { .. } => list::run(context),
        CacheCommand::Migrate(request) => migrate::run(request, context),
        CacheCommand::Publish(request) => publish::run(request, context),
        CacheCommand::Rekey { .. } => rekey(context),
        CacheCommand::Status { .. } => status::run(context),
    }
}

/// Removes access tokens, or with `--all` everything including the key. The profile and az's files
/// stay.
fn clear(request: &CacheClear, context: &Context<'_>) -> Result<Answer> {
    if request.all {
        broker::forget_everything(context.system, &context.dir)?;
    } else if let Some(vault) = broker::open_vault(context.system, &context.dir, &context.config)? {
        broker::forget_access_tokens(&vault)?;
    }
    Ok(Answer::none())
}

fn rekey(context: &Context<'_>) -> Result<Answer> {
    let id = broker::rekey(context.system, &context.dir, &context.config)?;
    Ok(Answer::of(json!({"keyId": id.to_string()})))
}

/// Opens the vault; fails if there is none.
fn vault<'s>(context: &Context<'s>) -> Result<Vault<'s>> {
    let opened = broker::open_vault(context.system, &context.dir, &context.config)?;
    opened.ok_or_else(|| {
        let login = format!("{} login", context.system.program);
        Error::new(Kind::NotSignedIn, "Nothing is stored.")
            .remedy(format!("Run: {login}"))
            .command(login)
    })
}
