//! What every command is given.

use crate::broker::Broker;
use crate::error::{Error, Kind, Result};
use crate::settings::{Cloud, Clouds, Config, ConfigDir};
use crate::sys::System;
use crate::vault::{KeyChoice, Options, Vault};

/// The settings, read once, and the way to the vault.
pub struct Context<'a> {
    /// The outside.
    pub system: &'a System,
    /// az's configuration folder.
    pub dir: ConfigDir,
    /// `config`, with the variables that override it.
    pub config: Config,
    /// All clouds.
    pub clouds: Clouds,
}

impl<'a> Context<'a> {
    /// Reads the settings.
    pub fn load(system: &'a System) -> Result<Self> {
        let dir = ConfigDir::find(system)?;
        let config = Config::load(system, &dir)?;
        let clouds = Clouds::load(&dir, &config)?;
        Ok(Self { system, dir, config, clouds })
    }

    /// The active cloud.
    pub fn cloud(&self) -> &Cloud {
        self.clouds.active()
    }

    /// The vault, if anything was ever stored.
    pub fn vault(&self) -> Result<Option<Vault<'a>>> {
        Vault::open(self.system, &self.dir.azt(), self.vault_options()?)
    }

    /// The vault, made if there is none. Says where the key of a new one is kept, and why.
    pub fn vault_for_sign_in(&self) -> Result<Vault<'a>> {
        self.dir.ensure()?;
        let vault = Vault::open_or_create(self.system, &self.dir.azt(), self.vault_options()?)?;
        if let Some(notice) = vault.choice_notice() {
            self.system.terminal.warn(notice);
        }
        Ok(vault)
    }

    /// A broker over `vault` for the active cloud.
    pub fn broker<'v>(&'v self, vault: &'v Vault<'a>) -> Result<Broker<'v>> {
        Broker::new(self.system, self.cloud(), vault)
    }

    fn vault_options(&self) -> Result<Options> {
        let mut options = Options::default();
        if let Some(choice) = self.config.get("core", "key_source")? {
            options.key_source = choice.to_lowercase().parse::<KeyChoice>()?;
        }
        if let Some(seconds) = self.config.get("core", "key_cache_seconds")? {
            options.key_cache_seconds = seconds.trim().parse().map_err(|_| {
                Error::new(
                    Kind::Failed,
                    format!("The setting core.key_cache_seconds is '{seconds}', which is no number of seconds."),
                )
            })?;
        }
        Ok(options)
    }
}
