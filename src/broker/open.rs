//! Opens the vault with the options that the settings give.

use std::path::Path;

use super::Identity;
use crate::error::{Error, Kind, Result};
use crate::program::Program;
use crate::settings::{Config, ConfigDir, Profile, known};
use crate::sys::{Level, System};
use crate::vault::{self, Inventory, KeyChoice, KeyId, KeySource, Options, Prompt, Vault};

/// The vault of a configuration folder; `None` if nothing was ever stored there.
pub(crate) fn open_vault<'a>(
    system: &'a System,
    dir: &ConfigDir,
    config: &Config<'_>,
) -> Result<Option<Vault<'a>>> {
    Vault::open(system, dir.azt(), options(config)?)
}

/// True if nothing may be written to disk (`core.persist` is off): for containers and pipelines
/// whose identity needs no sign-in.
pub(crate) fn is_memory_only(config: &Config<'_>) -> Result<bool> {
    Ok(!config.is_on(&known::PERSIST)?)
}

/// The vault for the tokens of `identity`; `None` if nothing is stored.
///
/// Creates the vault for an identity that needs no sign-in. If that fails (no home folder, a
/// read-only or full disk), it reports so and returns `None`: tokens stay in memory.
///
/// # Errors
/// [`Kind::NotSignedIn`] if an identity that needs a sign-in has no vault.
pub(crate) fn open_vault_of<'a>(
    identity: &Identity,
    system: &'a System,
    dir: &ConfigDir,
    config: &Config<'_>,
) -> Result<Option<Vault<'a>>> {
    if is_memory_only(config)? {
        return Ok(None);
    }
    if !identity.signs_in() {
        return match make_vault_quietly(system, dir, config) {
            Err(error) if error.is_io_error() => {
                report_nothing_kept(system, &error);
                Ok(None)
            }
            made => made.map(Some),
        };
    }
    let vault = open_vault(system, dir, config)?;
    vault.map(Some).ok_or_else(|| identity.not_signed_in(system.program))
}

fn report_nothing_kept(system: &System, error: &Error) {
    let text = format!(
        "The token is kept in memory only. {error} Set AZURE_CONFIG_DIR to a folder that you can write to, or AZURE_CORE_PERSIST=false."
    );
    system.remark(&text);
}

/// The vault, created if missing. Prints no notice, because callers other than a sign-in treat any
/// text on standard error as a failure.
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

/// The vault of a configuration folder, created if missing. Call it before a sign-in starts, and
/// [`tell_place_of_key`] after it.
///
/// # Errors
/// The vault or the profile cannot be written, so the sign-in could not be stored.
pub(crate) fn open_vault_for_sign_in<'a>(
    system: &'a System,
    dir: &ConfigDir,
    config: &Config<'_>,
) -> Result<Vault<'a>> {
    let (vault, notice) = make_vault(system, dir, config)?;
    vault.check_pin(Prompt::Allowed)?;
    vault.check_writable()?;
    Profile::check_writable(dir)?;
    // What follows from the source that the user chose is said before it is used.
    if let Some(notice) = notice
        && !is_automatic(config)?
    {
        tell(system, &notice);
    }
    Ok(vault)
}

/// Tells where `vault` keeps its new key, and why, if azt chose that. After a sign-in, because one
/// that fails says only why.
pub(crate) fn tell_place_of_key(
    system: &System,
    dir: &ConfigDir,
    config: &Config<'_>,
    vault: &Vault<'_>,
) -> Result<()> {
    let Some(notice) = vault.choice_notice() else { return Ok(()) };
    if !is_automatic(config)? {
        return Ok(());
    }
    if !system.is_watched() {
        tell(system, notice);
    } else if system.terminal.shows(Level::Warning) {
        // The key fell back to the file, which is no warning.
        let place = in_home(system, &dir.azt().file("vault.key"));
        let text = format!("Key: {place} (no keyring here; azt doctor has details)");
        system.terminal.dim(&text);
    }
    Ok(())
}

fn is_automatic(config: &Config<'_>) -> Result<bool> {
    Ok(options(config)?.key_source == KeyChoice::Auto)
}

fn tell(system: &System, notice: &str) {
    match system.program {
        Program::Azt if system.terminal.shows(Level::Warning) => system.terminal.plain(notice),
        Program::Azt => {}
        Program::Az => system.remark(notice),
    }
}

/// `path`, with `~` for the home folder.
fn in_home(system: &System, path: &Path) -> String {
    let inside = system.home().and_then(|home| Some(path.strip_prefix(home).ok()?.to_owned()));
    let shown = inside.map_or_else(|| path.to_owned(), |inside| Path::new("~").join(inside));
    shown.display().to_string()
}

/// The vault and, if this call created it, the notice of where its key is kept and why.
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

/// What the vault of a configuration folder contains, without opening it.
pub(crate) fn inventory(system: &System, dir: &ConfigDir) -> Result<Inventory> {
    vault::inventory(system, dir.azt())
}

/// Why no keyring holds the key, for a vault whose key fell back to a file. The outer `None`: the
/// key did not fall back. The inner `None`: a keyring works now.
#[allow(clippy::option_option, reason = "the doc comment says what each means")]
pub(crate) fn keyring_flaw(
    system: &System,
    dir: &ConfigDir,
    config: &Config<'_>,
) -> Result<Option<Option<Error>>> {
    let options = options(config)?;
    let key = vault::inventory(system, dir.azt())?.key;
    let fell_back = options.key_source == KeyChoice::Auto
        && key.is_some_and(|(source, _)| source == KeySource::File);
    Ok(fell_back.then(|| vault::keyring_flaw(system, dir.azt(), options)))
}

/// Encrypts everything again with a new key; returns the id of that key.
pub(crate) fn rekey(system: &System, dir: &ConfigDir, config: &Config<'_>) -> Result<KeyId> {
    vault::rekey(system, dir.azt(), options(config)?, None)
}

/// Opens the vault for calls that may not ask; returns for how many seconds, if the kernel keeps the
/// key that long, and the source of the key. `None` if nothing was ever stored.
pub(crate) fn unlock(
    system: &System,
    dir: &ConfigDir,
    config: &Config<'_>,
) -> Result<Option<(KeySource, u32)>> {
    let options = options(config)?;
    let vault = Vault::unlock(system, dir.azt(), options)?;
    Ok(vault.map(|vault| (vault.key_source(), options.key_cache_seconds)))
}

/// Removes the key's copy in the kernel's keyring; returns the key's source, or `None` if nothing was
/// ever stored.
pub(crate) fn lock(system: &System, dir: &ConfigDir) -> Result<Option<KeySource>> {
    vault::lock(system, dir.azt())
}

/// Moves the key to the source named `to` and encrypts everything again; returns the id of the new
/// key.
pub(crate) fn move_key(
    system: &System,
    dir: &ConfigDir,
    config: &Config<'_>,
    to: &str,
) -> Result<KeyId> {
    let Ok(KeyChoice::Source(to)) = to.parse() else {
        return Err(Error::new(
            Kind::Usage,
            format!(
                "'{to}' is no place for the key: use keyring, passphrase, kernel, env or file."
            ),
        ));
    };
    vault::rekey(system, dir.azt(), options(config)?, Some(to))
}

/// `core.key_source` and `core.key_cache_seconds`.
fn options(config: &Config<'_>) -> Result<Options> {
    Ok(Options {
        key_source: config.word(&known::KEY_SOURCE)?.parse()?,
        key_cache_seconds: config.seconds(&known::KEY_CACHE_SECONDS)?,
        ..Options::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Values;

    #[test]
    fn the_table_of_settings_has_the_vaults_key_sources() {
        let Values::OneOf(words) = known::KEY_SOURCE.values else { panic!("words") };
        for word in words {
            word.parse::<KeyChoice>().unwrap();
        }
        let error = "none".parse::<KeyChoice>().unwrap_err();
        let (_, listed) = error.message().split_once("use ").unwrap();
        let listed = listed.trim_end_matches('.').replace(" or ", ", ");
        let sorted: std::collections::BTreeSet<&str> = words.iter().copied().collect();
        assert_eq!(listed.split(", ").collect::<std::collections::BTreeSet<_>>(), sorted);
    }
}
