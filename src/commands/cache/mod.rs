//! `cache …`: inspects, clears, exports and imports the vault.

mod export;
mod import;
mod list;
mod migrate;
mod publish;
mod status;

pub(super) use status::{PlainText, plain_text};

use serde_json::json;

use super::{Answer, counted, is_for_people, rows};
use crate::accounts::Context;
use crate::broker;
use crate::cli::{CacheClear, CacheCommand, CacheMigrate, Global};
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
        CacheCommand::Rekey { global } => rekey(global, context),
        CacheCommand::Status { .. } => status::run(context),
    }
}

/// Removes access tokens, or with `--all` everything including the key. The profile and az's files
/// stay.
fn clear(request: &CacheClear, context: &Context<'_>) -> Result<Answer> {
    if request.all {
        let stored = stored(context);
        broker::forget_everything(context.system, &context.dir)?;
        context.system.tell(&match stored {
            Some(stored) => format!("Removed: {stored}."),
            None => "Nothing was stored.".to_owned(),
        });
    } else if let Some(vault) = broker::open_vault(context.system, &context.dir, &context.config)? {
        broker::forget_access_tokens(&vault)?;
    }
    Ok(Answer::none())
}

/// What the vault holds, in a few words; `None` if nothing. Needs no key.
pub(super) fn stored(context: &Context<'_>) -> Option<String> {
    let found = broker::inventory(context.system, &context.dir).ok()?;
    let key = found.key.map(|(source, _)| format!("the vault key ({source})"));
    let records = Some(found.records.values().sum::<usize>()).filter(|count| *count > 0);
    let records = records.map(|count| counted(count, "stored record"));
    let parts: Vec<String> = records.into_iter().chain(key).collect();
    (!parts.is_empty()).then(|| parts.join(" and "))
}

/// Does what `cache migrate --remove` does, and fails if a file with az's sign-ins stays.
pub(super) fn move_sign_ins_of_az(global: &Global, context: &Context<'_>) -> Result<()> {
    let request = CacheMigrate { dry_run: false, remove: true, global: global.clone() };
    migrate::run(&request, context)?.wipe();
    if plain_text(context).iter().any(|it| it.is_movable) {
        return Err(Error::failed(
            "Some sign-ins of az are not in the vault, so their file stays.",
        ));
    }
    Ok(())
}

/// The number of records in the vault, in words.
pub(super) fn records(context: &Context<'_>) -> Result<String> {
    let found = broker::inventory(context.system, &context.dir)?;
    Ok(counted(found.records.values().sum(), "record"))
}

fn rekey(global: &Global, context: &Context<'_>) -> Result<Answer> {
    let id = broker::rekey(context.system, &context.dir, &context.config)?;
    if is_for_people(global, context) {
        let text = format!("The vault has a new key; {} encrypted anew.\n", records(context)?);
        return context.system.terminal.result(&text).map(|()| Answer::none());
    }
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
