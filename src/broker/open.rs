//! Opening the vault as the settings ask for it.

use super::Identity;
use crate::error::{Error, Kind, Result};
use crate::foreign::Name;
use crate::program::Program;
use crate::settings::{Config, ConfigDir, Profile};
use crate::sys::{Level, System};
use crate::vault::{self, Inventory, KeyChoice, KeyId, KeySource, Options, Prompt, Vault};

/// The vault of a configuration folder; `None` when nothing was ever stored there.
pub(crate) fn open_vault<'a>(
    system: &'a System,
    dir: &ConfigDir,
    config: &Config<'_>,
) -> Result<Option<Vault<'a>>> {
    Vault::open(system, dir.azt(), options(config)?)
}

/// True when nothing is to be put on the disk (`core.persist` is off): for containers and pipelines
/// whose identity needs no sign-in.
pub(crate) fn keeps_nothing(config: &Config<'_>) -> Result<bool> {
    Ok(!config.get_bool("core", "persist", true)?)
}

/// The vault with the tokens of `identity`; `None` when nothing is kept. Made if there is none for
/// an identity that needs no sign-in: az's profile, or the environment, is enough to use it. Where none
/// can be made (no home, a disk that is read-only or full) its tokens are kept in memory, which is said.
///
/// # Errors
/// [`Kind::NotSignedIn`] for the others.
pub(crate) fn open_vault_of<'a>(
    identity: &Identity,
    system: &'a System,
    dir: &ConfigDir,
    config: &Config<'_>,
) -> Result<Option<Vault<'a>>> {
    if keeps_nothing(config)? {
        return Ok(None);
    }
    if !identity.signs_in() {
        return match make_vault_quietly(system, dir, config) {
            Err(error) if error.is_from_system() => {
                say_nothing_is_kept(system, &error);
                Ok(None)
            }
            made => made.map(Some),
        };
    }
    let vault = open_vault(system, dir, config)?;
    vault.map(Some).ok_or_else(|| identity.not_signed_in(system.program))
}

fn say_nothing_is_kept(system: &System, error: &Error) {
    let text = format!(
        "The token is kept in memory only. {error} Set AZURE_CONFIG_DIR to a folder that you can write to, or AZURE_CORE_PERSIST=false."
    );
    system.remark(&text);
}

/// The vault, made if there is none, without a word: callers of what is no sign-in take anything on
/// standard error for a failure.
pub(crate) fn make_vault_quietly<'a>(
    system: &'a System,
    dir: &ConfigDir,
    config: &Config<'_>,
) -> Result<Vault<'a>> {
    let (vault, notice) = make_vault(system, dir, config)?;
    if let Some(notice) = notice {
        system.terminal.info(&notice);
    }
    Ok(vault)
}

/// The vault of a configuration folder, made if there is none; says where the key of a new one is
/// kept, and why. For a sign-in, before it starts.
///
/// # Errors
/// What it leaves could not be kept, in the vault or in the profile.
pub(crate) fn open_vault_for_sign_in<'a>(
    system: &'a System,
    dir: &ConfigDir,
    config: &Config<'_>,
) -> Result<Vault<'a>> {
    let (vault, notice) = make_vault(system, dir, config)?;
    vault.check_pin(Prompt::Allowed)?;
    vault.try_out()?;
    Profile::try_out(dir)?;
    match (notice, system.program) {
        // No warning: that is how it is meant to be.
        (Some(notice), Program::Azt) if system.terminal.shows(Level::Warning) => {
            system.terminal.plain(&notice);
        }
        (Some(notice), Program::Az) => system.remark(&notice),
        (Some(_), Program::Azt) | (None, _) => {}
    }
    Ok(vault)
}

/// The vault and, if it was made just now, where its key is kept and why.
fn make_vault<'a>(
    system: &'a System,
    dir: &ConfigDir,
    config: &Config<'_>,
) -> Result<(Vault<'a>, Option<String>)> {
    dir.ensure()?;
    let vault = Vault::open_or_create(system, dir.azt(), options(config)?)?;
    let notice = vault.choice_notice().map(str::to_owned);
    Ok((vault, notice))
}

/// What lies in the vault of a configuration folder, without opening it.
pub(crate) fn inventory(system: &System, dir: &ConfigDir) -> Result<Inventory> {
    vault::inventory(system, dir.azt())
}

/// Why no keyring has the key of a vault whose key is in a file because none took it: `None` for other
/// vaults. The inner `None`: one answers by now.
#[allow(clippy::option_option, reason = "the doc comment says what each means")]
pub(crate) fn keyring_flaw(
    system: &System,
    dir: &ConfigDir,
    config: &Config<'_>,
) -> Result<Option<Option<Error>>> {
    let options = options(config)?;
    let key = vault::inventory(system, dir.azt())?.key;
    let is_makeshift = options.key_source == KeyChoice::Auto
        && key.is_some_and(|(source, _)| source == KeySource::File);
    Ok(is_makeshift.then(|| vault::keyring_flaw(system, dir.azt(), options)))
}

/// Seals everything anew with a new key, whose id is the answer.
pub(crate) fn rekey(system: &System, dir: &ConfigDir, config: &Config<'_>) -> Result<KeyId> {
    vault::rekey(system, dir.azt(), options(config)?, None)
}

/// Keeps the key in the source named `to` from now on, with everything sealed anew; answers its id.
pub(crate) fn move_key(
    system: &System,
    dir: &ConfigDir,
    config: &Config<'_>,
    to: &str,
) -> Result<KeyId> {
    let KeyChoice::Source(to) = to.parse()? else {
        return Err(Error::new(Kind::Usage, "Name the key source: keyring, kernel, env or file."));
    };
    vault::rekey(system, dir.azt(), options(config)?, Some(to))
}

/// `core.key_source` (auto, env, file, kernel, keyring) and `core.key_cache_seconds`.
fn options(config: &Config<'_>) -> Result<Options> {
    let mut options = Options::default();
    if let Some(choice) = config.get("core", "key_source")? {
        options.key_source = key_source(&choice)?;
    }
    if let Some(seconds) = config.get("core", "key_cache_seconds")? {
        options.key_cache_seconds = key_cache_seconds(&seconds)?;
    }
    Ok(options)
}

fn key_source(text: &str) -> Result<KeyChoice> {
    text.to_lowercase().parse()
}

fn key_cache_seconds(text: &str) -> Result<u32> {
    text.trim().parse().map_err(|_| {
        Error::failed(format!(
            "The setting core.key_cache_seconds is '{}', which is no number of seconds.",
            Name::new(text)
        ))
    })
}

/// An error where `text` is no value of `core.key_source`.
pub(crate) fn check_key_source(text: &str) -> Result<()> {
    key_source(text).map(drop)
}

/// An error where `text` is no value of `core.key_cache_seconds`.
pub(crate) fn check_key_cache_seconds(text: &str) -> Result<()> {
    key_cache_seconds(text).map(drop)
}
