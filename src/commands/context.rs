//! What every command is given.

use super::core_settings;
use crate::broker::Homes;
use crate::error::Result;
use crate::output::Format;
use crate::settings::{Cloud, Clouds, Config, ConfigDir};
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

    /// The same with nothing in place of files that cannot be understood: for the commands that look
    /// for what is wrong, and mend it.
    pub fn load_despite_flaws(system: &'a System) -> Result<Self> {
        let dir = ConfigDir::find(system);
        let config = Config::load(system, &dir).unwrap_or_else(|_| Config::of_environment(system));
        let clouds = Clouds::load(&dir, &config).or_else(|_| Clouds::built_in(&dir))?;
        Ok(Self { system, dir, config, clouds })
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
