//! What every command is given.

use super::core_settings;
use crate::broker::Homes;
use crate::error::Result;
use crate::output::Format;
use crate::settings::{Cloud, Clouds, Config, ConfigDir, put_aside_damaged};
use crate::sys::System;

/// The settings, read once.
pub struct Context<'a> {
    /// The outside.
    pub system: &'a System,
    /// az's configuration folder.
    pub dir: ConfigDir,
    /// `config`, with the variables that override it.
    pub config: Config<'a>,
    /// All clouds.
    pub clouds: Clouds,
}

impl<'a> Context<'a> {
    /// Reads the settings.
    pub fn load(system: &'a System) -> Result<Self> {
        let dir = ConfigDir::find(system);
        let config = Config::load(system, &dir)?;
        let clouds = Clouds::load(&dir, &config)?;
        Ok(Self { system, dir, config, clouds })
    }

    /// Reads the settings, and takes a file that cannot be understood for an empty one: for `doctor` and
    /// `config`, which find and mend such files.
    pub fn load_despite_flaws(system: &'a System) -> Result<Self> {
        let dir = ConfigDir::find(system);
        let config = Config::load(system, &dir).unwrap_or_else(|_| Config::of_environment(system));
        let clouds = Clouds::load(&dir, &config).or_else(|_| Clouds::built_in(&dir))?;
        Ok(Self { system, dir, config, clouds })
    }

    /// Reads the settings, and takes the built-in clouds where `clouds.config` is damaged: for the commands
    /// that put that file aside. A command that asks no cloud gets AzureCloud.
    ///
    /// # Errors
    /// The cloud that the command goes to is described in the damaged file.
    pub fn load_to_start_afresh(system: &'a System, goes_to_cloud: bool) -> Result<Self> {
        let dir = ConfigDir::find(system);
        let config = Config::load(system, &dir)?;
        let clouds = Clouds::load(&dir, &config).or_else(|flaw| {
            let built_in = Clouds::built_in_of(&dir, &config);
            let built_in = built_in
                .or_else(|error| if goes_to_cloud { Err(error) } else { Clouds::built_in(&dir) });
            built_in.map_err(|_| flaw)
        })?;
        Ok(Self { system, dir, config, clouds })
    }

    /// Puts the profile and the clouds aside where they are damaged, which is said however quiet the call
    /// is to be: just before something new is written in their place.
    pub(super) fn put_aside_damaged(&self) -> Result<()> {
        let tell = |told: &str| self.system.terminal.plain(&format!("WARNING: {told}"));
        put_aside_damaged(&self.dir, tell)
    }

    /// The active cloud.
    pub fn cloud(&self) -> &Cloud {
        self.clouds.active()
    }

    /// Where applications belong.
    pub fn homes(&self) -> Homes<'_> {
        Homes::new(&self.dir, &self.clouds)
    }

    /// The form of results where the call names none: `core.output`, else JSON.
    pub fn default_format(&self) -> Result<Format> {
        match self.config.get("core", "output")? {
            None => Ok(Format::Json),
            Some(name) => core_settings::format_of(&name),
        }
    }
}
