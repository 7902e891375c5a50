//! What every command is given.

use crate::error::Result;
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
        let dir = ConfigDir::find(system)?;
        let config = Config::load(system, &dir)?;
        let clouds = Clouds::load(&dir, &config)?;
        Ok(Self { system, dir, config, clouds })
    }

    /// The active cloud.
    pub fn cloud(&self) -> &Cloud {
        self.clouds.active()
    }
}
