//! `vault lock`, `vault move`, `vault unlock`.

use serde_json::json;

use super::{Answer, cache, counted, is_for_people};
use crate::accounts::Context;
use crate::broker;
use crate::cli::{VaultCommand, VaultMove};
use crate::error::{Error, Kind, Result};
use crate::settings::{Config, known};
use crate::sys::VAULT_KEY;
use crate::vault::{KERNEL_FORGETS, KeySource};

pub(super) fn run(command: &VaultCommand, context: &Context<'_>) -> Result<Answer> {
    match command {
        VaultCommand::Lock { .. } => lock(context),
        VaultCommand::Move(request) => move_to(request, context),
        VaultCommand::Unlock { .. } => unlock(context),
    }
}

/// Forgets the kernel's copy of the key.
fn lock(context: &Context<'_>) -> Result<Answer> {
    let source = broker::lock(context.system, &context.dir)?.ok_or_else(nothing_stored)?;
    context.system.terminal.plain(match source {
        KeySource::Passphrase => "The vault is locked. To use it again: azt vault unlock",
        KeySource::Keyring => {
            "The kernel's copy of the key is removed. The next call asks the keyring."
        }
        KeySource::Env | KeySource::File | KeySource::Kernel => {
            "There is nothing to lock: the key needs neither keyring nor passphrase."
        }
    });
    Ok(Answer::none())
}

/// Fetches the key, so that the kernel keeps it.
fn unlock(context: &Context<'_>) -> Result<Answer> {
    let (source, seconds) = broker::unlock(context.system, &context.dir, &context.config)?
        .ok_or_else(nothing_stored)?;
    let time = counted(seconds.div_ceil(60) as usize, "minute");
    context.system.terminal.plain(&match source {
        KeySource::Passphrase => {
            format!("The vault is unlocked for {time} (core.key_cache_seconds).")
        }
        KeySource::Keyring => "The keyring gave the key: the vault is not locked.".to_owned(),
        KeySource::Env | KeySource::File | KeySource::Kernel => format!(
            "There is nothing to unlock: the key is kept in '{source}', without a passphrase."
        ),
    });
    Ok(Answer::none())
}

fn nothing_stored() -> Error {
    Error::new(Kind::NotSignedIn, "Nothing is stored here: there is no vault.")
        .remedy("Run: azt login")
        .command("azt login")
}

/// Moves the key, and changes `core.key_source` if it names another place.
fn move_to(request: &VaultMove, context: &Context<'_>) -> Result<Answer> {
    let to = request.to.to_lowercase();
    let id = broker::move_key(context.system, &context.dir, &context.config, &to)?;
    if let Some(setting) = context.config.find(&known::KEY_SOURCE)?
        && !["auto", to.as_str()].contains(&setting.value.to_lowercase().as_str())
    {
        let path = Config::path(&context.dir);
        if setting.source == path.display().to_string() {
            Config::set(&context.dir, &known::KEY_SOURCE, &to)?;
        } else {
            context.system.terminal.warn(&format!(
                "{} is '{}'. Set it to '{to}', or the next sign-in fails.",
                setting.source, setting.value
            ));
        }
    }
    if to == "kernel" {
        context.system.terminal.warn(KERNEL_FORGETS);
    }
    if to != "env" && context.system.env.non_empty(VAULT_KEY).is_some() {
        context.system.terminal.warn(&format!(
            "Now unset {VAULT_KEY}: while it is set, azt expects the vault to be encrypted with it."
        ));
    }
    if is_for_people(&request.global, context) {
        let place = match to.as_str() {
            "keyring" => "moved to the keyring",
            "kernel" => "moved to the kernel's keyring",
            "env" => "in the environment now",
            "passphrase" => "sealed with the passphrase now",
            _ => "moved to the file azt/vault.key",
        };
        let records = cache::records(context)?;
        let text = format!("The vault key is {place}; {records} encrypted anew.\n");
        return context.system.terminal.result(&text).map(|()| Answer::none());
    }
    Ok(Answer::of(json!({"keySource": to, "keyId": id.to_string()})))
}
