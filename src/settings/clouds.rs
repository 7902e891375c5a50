//! The built-in clouds, and the changes and additions of `clouds.config`.

use std::path::PathBuf;

use super::builtin_clouds::{self, NAMES};
use super::cloud::{Cloud, Endpoint};
use super::cloud_overrides::CloudOverrides;
use super::config::Config;
use super::config_dir::ConfigDir;
use super::ini::{Ini, IniError};
use super::known;
use crate::error::{Error, Result};
use crate::foreign::{Name, Typed};
use crate::sys::file::Access;

pub(super) const FILE: &str = "clouds.config";
/// The cloud that is active by default.
pub(super) const DEFAULT_CLOUD: &str = "AzureCloud";
/// The only API profile that az 2.91 supports.
const PROFILE: &str = "latest";
/// The option that stores the user's `--allow-foreign-audience`; az ignores it.
const CONFIRMED: &str = "azt_allow_foreign_audience";
/// Profiles of former az versions; a cloud with one of them uses [`PROFILE`].
const OLD_PROFILES: [&str; 4] =
    ["2017-03-09-profile", "2018-03-01-hybrid", "2019-03-01-hybrid", "2020-09-01-hybrid"];

/// The registered clouds and the active one, as loaded. Only the active cloud is built on load:
/// most calls need no other.
pub(crate) struct Clouds {
    active: Cloud,
    /// True when the configured cloud is not registered.
    fell_back: bool,
    notices: Vec<String>,
    ini: Ini,
    path: PathBuf,
}

impl Clouds {
    /// Reads `<dir>/clouds.config`, and the name of the active cloud from `config` (`cloud.name`).
    ///
    /// A name that is not registered means AzureCloud, with a notice; unlike az, this does not
    /// rewrite `config` then. A file that is not INI is an error; unlike az, this does not remove
    /// it.
    pub(crate) fn load(dir: &ConfigDir, config: &Config<'_>) -> Result<Self> {
        let path = path(dir);
        let ini = Ini::read(dir.folder(), FILE)?;
        let mut notices = Vec::new();
        let wanted = config.text(&known::CLOUD_NAME)?;
        let name = wanted.as_deref().unwrap_or(DEFAULT_CLOUD);
        let fell_back = !is_registered(&ini, name);
        if fell_back && let Some(item) = config.find(&known::CLOUD_NAME)? {
            notices.push(not_registered(&item.value));
            notices.push(format!("Using '{DEFAULT_CLOUD}'. The name comes from {}.", item.source));
        }
        let name = if fell_back { DEFAULT_CLOUD } else { name };
        let mut active = read(&ini, name, &path)?;
        if OLD_PROFILES.contains(&active.profile.as_str()) {
            notices.push(format!(
                "The azure stack profile '{}' has been deprecated and removed, using the \
                 'latest' profile instead.",
                active.profile
            ));
            PROFILE.clone_into(&mut active.profile);
        }
        Ok(Self { active, fell_back, notices, ini, path })
    }

    /// # Errors
    /// The configured cloud is not registered. A sign-in must not send its credential to AzureCloud
    /// instead.
    pub(crate) fn check_registered(&self) -> Result<()> {
        if self.fell_back {
            return Err(Error::failed("Signing in needs a registered cloud.")
                .remedy("Register it with azt cloud register, or choose another: azt cloud set --name AzureCloud")
                .command("azt cloud set --name AzureCloud"));
        }
        Ok(())
    }

    /// Only the built-in clouds, with AzureCloud active: for when `clouds.config` cannot be read.
    pub(crate) fn built_in(dir: &ConfigDir) -> Result<Self> {
        let (ini, path) = (Ini::default(), path(dir));
        let active = read(&ini, DEFAULT_CLOUD, &path)?;
        Ok(Self { active, fell_back: false, notices: Vec::new(), ini, path })
    }

    /// [`Clouds::load`] without `clouds.config`: for a sign-in, which moves a damaged file aside.
    ///
    /// # Errors
    /// - The file is refused or cannot be read at all.
    /// - The active cloud is not built in: falling back to another cloud would send it the user's
    ///   secrets.
    pub(crate) fn built_in_of(dir: &ConfigDir, config: &Config<'_>) -> Result<Self> {
        dir.folder().read(FILE)?;
        let name = config.text(&known::CLOUD_NAME)?;
        let built_in = Self::built_in(dir)?;
        let name = name.as_deref().unwrap_or(DEFAULT_CLOUD);
        if !NAMES.contains(&name) {
            return Err(Error::failed(not_registered(name)));
        }
        Ok(Self { active: built_in.get(name)?, ..built_in })
    }

    /// The active cloud.
    pub(crate) fn active(&self) -> &Cloud {
        &self.active
    }

    /// Notices about the choice of the active cloud, one line each, to print as warnings.
    pub(crate) fn notices(&self) -> &[String] {
        &self.notices
    }

    /// All clouds: AzureCloud, AzureChinaCloud, AzureUSGovernment, AzureBleuCloud, then the custom
    /// ones in the order of the file.
    pub(crate) fn list(&self) -> Result<Vec<Cloud>> {
        self.names().map(|name| self.get(name)).collect()
    }

    /// The cloud with exactly this name.
    pub(crate) fn get(&self, name: &str) -> Result<Cloud> {
        if name == self.active.name {
            return Ok(self.active.clone());
        }
        if !is_registered(&self.ini, name) {
            return Err(Error::failed(not_registered(name)));
        }
        read(&self.ini, name, &self.path)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        NAMES.into_iter().chain(self.ini.sections().filter(|name| !NAMES.contains(name)))
    }

    /// The subscription last chosen in a cloud. A sign-out does not remove it (az 2.91).
    pub(crate) fn subscription(&self, cloud: &str) -> Result<Option<String>> {
        let found =
            self.ini.get(cloud, "subscription").map_err(|error| error.in_file(&self.path))?;
        Ok(found.map(|id| Name::new(&id).into()))
    }

    /// Makes the cloud with this name, in any case, the active one in `<dir>/config`.
    ///
    /// `None` when it is already active. `AZURE_CLOUD_NAME` still overrides the file.
    pub(crate) fn set_active(&self, dir: &ConfigDir, name: &str) -> Result<Option<Cloud>> {
        let lower = name.to_lowercase();
        let found = self.names().find(|name| name.to_lowercase() == lower);
        let cloud = self.get(found.ok_or_else(|| Error::failed(not_registered(name)))?)?;
        if cloud.name == self.active.name && !self.fell_back {
            return Ok(None);
        }
        Config::set(dir, &known::CLOUD_NAME, &cloud.name)?;
        Ok(Some(cloud))
    }

    /// Adds a custom cloud. Fails when the name is taken, a required endpoint is missing, or
    /// [`Cloud::resource_manager`] would refuse the cloud.
    pub(crate) fn register(dir: &ConfigDir, name: &str, values: &CloudOverrides) -> Result<()> {
        update(dir, |ini| {
            if is_registered(ini, name) {
                return Err(Error::failed(format!(
                    "The cloud '{name}' is already registered.",
                    name = Typed(name)
                )));
            }
            values.require_endpoints()?;
            describe(ini, name, values, &path(dir))
        })
    }

    /// Changes the built-in or custom cloud with exactly this name. Fails when
    /// [`Cloud::resource_manager`] would refuse the result.
    pub(crate) fn update(dir: &ConfigDir, name: &str, values: &CloudOverrides) -> Result<()> {
        update(dir, |ini| {
            if !is_registered(ini, name) {
                values.require_endpoints()?;
                return Err(Error::failed(not_registered(name)));
            }
            describe(ini, name, values, &path(dir))
        })
    }

    /// Removes the custom cloud with exactly this name, unless it is active.
    pub(crate) fn unregister(&self, dir: &ConfigDir, name: &str) -> Result<()> {
        update(dir, |ini| {
            let because = if !is_registered(ini, name) {
                return Err(Error::failed(not_registered(name)));
            } else if name == self.active.name {
                "it's currently active"
            } else if NAMES.contains(&name) {
                "it's not a custom cloud"
            } else {
                ini.remove_section(name).map_err(|error| error.in_file(&path(dir)))?;
                return Ok(());
            };
            Err(Error::failed(format!(
                "The cloud '{name}' cannot be unregistered as {because}.",
                name = Typed(name)
            )))
        })
    }

    /// Stores the subscription chosen in the cloud with exactly this name, for the next `cloud
    /// set`.
    pub(crate) fn set_subscription(dir: &ConfigDir, cloud: &str, id: &str) -> Result<()> {
        update(dir, |ini| {
            if !is_registered(ini, cloud) {
                return Err(Error::failed(not_registered(cloud)));
            }
            ini.set(cloud, "subscription", id).map_err(|error| error.in_file(&path(dir)))
        })
    }
}

fn path(dir: &ConfigDir) -> PathBuf {
    dir.file(FILE)
}

fn update(dir: &ConfigDir, edit: impl FnOnce(&mut Ini) -> Result<()>) -> Result<()> {
    Ini::update(dir, (dir.folder(), FILE), Access::Shared, edit)
}

fn is_registered(ini: &Ini, name: &str) -> bool {
    NAMES.contains(&name) || ini.sections().any(|section| section == name)
}

fn not_registered(name: &str) -> String {
    format!("The cloud '{}' is not registered.", Typed(name))
}

/// The cloud `name` with the file's values applied.
fn read(ini: &Ini, name: &str, path: &std::path::Path) -> Result<Cloud> {
    let mut endpoints = builtin_clouds::endpoints(name);
    let mut suffixes = builtin_clouds::suffixes(name);
    let (mut profile, mut confirmed) = (None, None);
    let items = ini.items(name).map_err(|error| error.in_file(path))?;
    for (option, value) in items.unwrap_or_default() {
        if let Some(endpoint) = option.strip_prefix("endpoint_") {
            endpoints.set(endpoint, Some(value.into_owned()));
        } else if let Some(suffix) = option.strip_prefix("suffix_") {
            suffixes.set(suffix, Some(value.into_owned()));
        } else if option == "profile" {
            profile = Some(value.into_owned());
        } else if option == CONFIRMED {
            confirmed = Some(value.into_owned());
        }
    }
    let profile = profile.unwrap_or_else(|| PROFILE.to_owned());
    if profile != PROFILE && !OLD_PROFILES.contains(&profile.as_str()) {
        let profile = Name::new(&profile);
        let text = format!("Profile {profile} does not exist or is not supported.");
        return Err(Error::failed(text)
            .remedy(format!("Remove 'profile' from [{name}] in {}.", path.display())));
    }
    if endpoints.get("management").is_none() {
        let fallback = endpoints.get(Endpoint::ResourceManager.name()).map(str::to_owned);
        endpoints.set("management", fallback);
    }
    let (name, file) = (name.to_owned(), path.to_path_buf());
    let has_login_of_environment = false;
    Ok(Cloud { name, profile, endpoints, suffixes, confirmed, has_login_of_environment, file })
}

/// Writes the set values, and fails for a cloud that [`Cloud::resource_manager`] would refuse.
fn describe(
    ini: &mut Ini,
    name: &str,
    values: &CloudOverrides,
    path: &std::path::Path,
) -> Result<()> {
    write(ini, name, values).map_err(|error| error.in_file(path))?;
    if values.allows_foreign_audience {
        let confirmed = read(ini, name, path)?.confirmable()?;
        ini.set(name, CONFIRMED, &confirmed).map_err(|error| error.in_file(path))?;
    }
    read(ini, name, path)?.resource_manager().map(|_| ())
}

/// Writes the set values in az's order.
fn write(ini: &mut Ini, name: &str, values: &CloudOverrides) -> Result<(), IniError> {
    if let Some(profile) = &values.profile {
        ini.set(name, "profile", profile)?;
    }
    for (endpoint, value) in values.endpoints.iter_set() {
        ini.set(name, &format!("endpoint_{endpoint}"), value)?;
    }
    for (suffix, value) in values.suffixes.iter_set() {
        ini.set(name, &format!("suffix_{suffix}"), value)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
