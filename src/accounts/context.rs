//! The settings that every command gets.

#[cfg(unix)]
use super::RemoteBroker;
use crate::broker::Homes;
use crate::error::Result;
use crate::settings::{Cloud, Clouds, Config, ConfigDir, put_aside_damaged};
use crate::sys::System;

/// What a command does with a settings file that cannot be parsed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum DamagedSettings {
    /// Fails.
    Refuse,
    /// Uses the active cloud if it is built in, although `clouds.config` is damaged; else fails.
    /// For a sign-in, which moves that file aside, and for `logout` without a user name.
    UseBuiltInCloud,
    /// Uses AzureCloud if the damaged `clouds.config` describes the active cloud. For `account clear`
    /// and `logout --username`, which concern every cloud.
    UseAzureCloud,
    /// Reads every damaged file as empty. For `doctor` and `config`, which find and repair it.
    Ignore,
}

/// The settings, loaded once.
pub(crate) struct Context<'a> {
    /// The system outside the process.
    pub(crate) system: &'a System,
    /// az's configuration folder.
    pub(crate) dir: ConfigDir,
    /// `config` with the variables that override it.
    pub(crate) config: Config<'a>,
    /// All clouds.
    pub(crate) clouds: Clouds,
    /// True if a token that is due for a renewal is handed out and renewed by another process. A
    /// process that serves many calls renews it itself.
    pub(crate) renews_in_background: bool,
    /// The azt that hands out the tokens in place of the vault.
    #[cfg(unix)]
    pub(crate) remote: Option<RemoteBroker>,
}

impl<'a> Context<'a> {
    /// Reads the settings; `damaged` decides about files that cannot be parsed.
    pub(crate) fn load(system: &'a System, damaged: DamagedSettings) -> Result<Self> {
        #[cfg(unix)]
        let remote = RemoteBroker::of(system)?;
        #[cfg(unix)]
        let dir = match &remote {
            Some(remote) => remote.settings()?,
            None => ConfigDir::find(system),
        };
        #[cfg(not(unix))]
        let dir = ConfigDir::find(system);
        let config = match Config::load(system, &dir) {
            Err(_) if damaged == DamagedSettings::Ignore => Config::of_environment(system),
            config => config?,
        };
        let clouds = Clouds::load(&dir, &config).or_else(|flaw| {
            let built_in = match damaged {
                DamagedSettings::Refuse => return Err(flaw),
                DamagedSettings::UseBuiltInCloud => Clouds::built_in_of(&dir, &config),
                DamagedSettings::UseAzureCloud => {
                    Clouds::built_in_of(&dir, &config).or_else(|_| Clouds::built_in(&dir))
                }
                DamagedSettings::Ignore => Clouds::built_in(&dir),
            };
            built_in.map_err(|_| flaw)
        })?;
        Ok(Self {
            system,
            dir,
            config,
            clouds,
            renews_in_background: true,
            #[cfg(unix)]
            remote,
        })
    }

    /// Moves a damaged profile or `clouds.config` aside, with a warning even under
    /// `--only-show-errors`. Called just before new files are written.
    pub(crate) fn put_aside_damaged(&self) -> Result<()> {
        let tell = |told: &str| self.system.terminal.plain(&format!("WARNING: {told}"));
        put_aside_damaged(&self.dir, tell)
    }

    /// The active cloud.
    pub(crate) fn cloud(&self) -> &Cloud {
        self.clouds.active()
    }

    /// The login hosts of applications.
    pub(crate) fn homes(&self) -> Homes<'_> {
        Homes::new(&self.dir, &self.clouds)
    }
}
