//! Azure CLI's own files, in az's formats and places: `azureProfile.json`, `clouds.config`,
//! `config`.
//!
//! Reading takes no lock and reads each file once. Writing is always read, change, replace under
//! one lock ([`ConfigDir::lock`]), so that concurrent callers lose nothing; az itself takes no lock
//! (az 2.91). A file that cannot be parsed is an error that names it. It is never overwritten; a
//! sign-in moves it aside.

mod builtin_clouds;
mod cloud;
mod cloud_overrides;
mod cloud_values;
mod clouds;
mod config;
mod config_dir;
mod damaged;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod ini;
pub(crate) mod known;
mod profile;
mod python_json;
mod recent;
#[cfg_attr(not(unix), allow(dead_code, reason = "only Unix has sockets with an owner"))]
mod served;
mod setting;
mod subscription;
mod user;
pub(crate) mod variables;

pub(crate) use builtin_clouds::{
    NAMES as BUILTIN_CLOUDS, builtin_login_host, builtin_resource_manager, is_login_host,
    is_same_login_host,
};
pub(crate) use cloud::{Cloud, Endpoint};
pub(crate) use cloud_overrides::CloudOverrides;
pub(crate) use clouds::Clouds;
pub(crate) use config::Config;
pub use config_dir::ConfigDir;
pub(crate) use damaged::put_aside_damaged;
pub use profile::profile_length;
pub(crate) use profile::{Profile, ProfileNames};
pub(crate) use python_json::{to_indented as python_json_indented, to_text as python_json};
pub(crate) use recent::Recent;
pub(crate) use served::{Files as ServedFiles, served};
pub(crate) use setting::{Setting, Values};
pub(crate) use subscription::{NewSubscription, Subscription, TenantNames, shown_tenant};
pub(crate) use user::{AssignedIdentity, User, UserType};

/// The remedy for a file that cannot be parsed.
const START_AFRESH: &str =
    "Correct the file, or sign in again, which puts it aside. It was not changed.";

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use tempfile::TempDir;

    use super::ConfigDir;
    use crate::program::Program;
    use crate::sys::{Env, System};

    /// A system with exactly these variables.
    pub(super) fn system(vars: &[(&str, &str)]) -> System {
        let vars: BTreeMap<&str, &str> = vars.iter().copied().collect();
        System { env: Env::fixed(vars), ..System::real(Program::Azt) }
    }

    /// A configuration folder with one file in it; dropping the [`TempDir`] removes it.
    pub(super) fn dir_with(name: &str, text: &str) -> (TempDir, ConfigDir) {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join(name), text).unwrap();
        let dir = ConfigDir::at(root.path());
        (root, dir)
    }
}
