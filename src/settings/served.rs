//! The settings that a client of `azt serve` works with: the subscriptions of one account, the
//! active cloud and the definitions of clouds. None of az's other settings, which may hold secrets.

use std::collections::BTreeMap;

use super::profile::{self, Profile};
use super::subscription::Subscription;
use super::{Cloud, ConfigDir, User, clouds};
use crate::error::Result;

/// Files of the configuration folder by name, with their content.
pub(crate) type Files = BTreeMap<String, String>;

/// The settings for a client that gets tokens of `user`. The entry `subscription` is its default; if
/// it is `None`, the profile has one entry for `tenant`.
pub(crate) fn served(
    dir: &ConfigDir,
    cloud: &Cloud,
    user: &User,
    tenant: &str,
    subscription: Option<&str>,
) -> Result<Files> {
    let stand_in = Subscription::tenant_level(tenant, user, &cloud.name);
    let mut profile = match subscription {
        None => Profile::default(),
        Some(_) => Profile::load(dir)?,
    };
    profile.keep_user(stand_in.user_name(), subscription, stand_in.clone());
    let profile = profile.into_bytes(&dir.file(profile::FILE))?;
    let mut files =
        Files::from([(profile::FILE.to_owned(), String::from_utf8_lossy(&profile).into_owned())]);
    if let Some(clouds) = dir.folder().read_text(clouds::FILE)? {
        files.insert(clouds::FILE.to_owned(), clouds);
    }
    Ok(files)
}
