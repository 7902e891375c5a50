//! Copies a sign-in made with az into the vault.

use serde_json::{Value, json};

use super::application::Application;
use super::az_files::{SERVICE_PRINCIPALS, TOKEN_CACHE, exists, plain_text_of_az, read, text};
use super::dialect;
use super::exchange::{Home, is_same_host};
use super::unified::rows;
use crate::error::Result;
use crate::foreign::Name;
use crate::settings::ConfigDir;
use crate::vault::{Account, Record, RefreshToken, Vault};

/// Copies az's sign-in of `name`, a user name or client id, at the login host `environment`. True
/// when the vault lacked something or had only an older refresh token.
///
/// `is_of_use` decides which refresh tokens can be redeemed. `home` returns the login host that an
/// application's secret in az's list is for. az's files are not changed.
pub(crate) fn adopt(
    dir: &ConfigDir,
    vault: &Vault<'_>,
    environment: &str,
    name: &str,
    is_of_use: &dyn Fn(&RefreshToken) -> bool,
    home: Home<'_>,
) -> Result<bool> {
    if !has(dir, environment, name) {
        return Ok(false);
    }
    // A concurrent sign-out removes the name from az's files before it takes this lock, so the
    // files are read again under the lock.
    let _writing = vault.write_lock();
    let has_user = adopt_user(dir, vault, environment, name, is_of_use)?;
    Ok(adopt_applications(dir, vault, name, home)? || has_user)
}

/// Whether az's files mention `name`.
fn has(dir: &ConfigDir, environment: &str, name: &str) -> bool {
    let (users, applications) = known_names(dir, environment);
    users.iter().any(|it| it.to_lowercase() == name.to_lowercase())
        || applications.iter().any(|it| it.eq_ignore_ascii_case(name))
}

/// True when az's files mention the user or application `name` in any cloud, or cannot be read.
pub(crate) fn may_know(dir: &ConfigDir, name: &str) -> bool {
    if plain_text_of_az(dir).iter().any(|(_, is_azs)| !is_azs) {
        return true;
    }
    let matches = |it: &str| it.to_lowercase() == name.to_lowercase();
    let cache = read(dir, TOKEN_CACHE, json!({}));
    let applications = read(dir, SERVICE_PRINCIPALS, json!([]));
    let applications = applications.as_array().map(Vec::as_slice).unwrap_or_default();
    rows(&cache, "Account").any(|row| matches(text(row, "username")))
        || applications.iter().any(|entry| matches(text(entry, "client_id")))
}

/// True when az has any file to copy from.
pub(crate) fn knows(dir: &ConfigDir) -> bool {
    [TOKEN_CACHE, SERVICE_PRINCIPALS].into_iter().any(|name| exists(dir, name))
}

/// True when [`adopt`] would find something for `name`: a refresh token that `is_of_use`, or an
/// application's secret for `environment`.
pub(crate) fn can_adopt(
    dir: &ConfigDir,
    environment: &str,
    name: &str,
    is_of_use: &dyn Fn(&RefreshToken) -> bool,
    home: Home<'_>,
) -> bool {
    let is_for = |it: &Application| matches!(home(&it.client_id, &it.tenant), Ok(Some(host)) if host == environment);
    user_of_az(dir, environment, name, is_of_use).is_some()
        || applications_of_az(dir, name).iter().any(|it| it.source().is_none() && is_for(it))
}

/// The user names that az knows at the login host `environment`, and all its application client
/// ids.
pub(crate) fn known_names(dir: &ConfigDir, environment: &str) -> (Vec<String>, Vec<String>) {
    let cache = read(dir, TOKEN_CACHE, json!({}));
    let here =
        rows(&cache, "Account").filter(|row| is_same_host(environment, text(row, "environment")));
    let mut users: Vec<String> = here.map(|row| text(row, "username").to_owned()).collect();
    let applications = read(dir, SERVICE_PRINCIPALS, json!([]));
    let applications = applications.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut ids: Vec<String> =
        applications.iter().map(|entry| text(entry, "client_id").to_owned()).collect();
    for names in [&mut users, &mut ids] {
        // These names appear in messages, so invalid ones are dropped.
        names.retain(|name| !name.is_empty() && Name::is_clean(name));
        names.sort_unstable();
        names.dedup();
    }
    (users, ids)
}

/// az's account of the user `name` with the newest usable refresh token. Of several accounts with
/// that name, the one that has this token.
fn user_of_az(
    dir: &ConfigDir,
    environment: &str,
    name: &str,
    is_of_use: &dyn Fn(&RefreshToken) -> bool,
) -> Option<(Account, RefreshToken)> {
    let (cache, name) = (read(dir, TOKEN_CACHE, json!({})), name.to_lowercase());
    let plain = |section| {
        let here = rows(&cache, section).filter_map(dialect::plain);
        here.filter(|row| is_same_host(environment, text(row, "environment")))
    };
    let is_theirs = |it: &Account| it.username.to_lowercase() == name;
    let users = plain("Account").filter_map(dialect::user).filter(is_theirs);
    let of_name = |token| RefreshToken {
        environment: environment.to_owned(),
        account: name.clone(),
        ..token
    };
    let tokens = plain("RefreshToken").filter_map(dialect::record).map(of_name);
    let tokens: Vec<RefreshToken> = tokens.filter(|token| is_of_use(token)).collect();
    let (account, token) = dialect::newest_sign_in(users, &tokens)?;
    // The realm may be a guest tenant; the home tenant is the second part of the id.
    let home = account.home_account_id.split_once('.').map(|(_, home)| home.to_owned());
    let environment = environment.to_owned();
    let account = Account { environment, realm: home.unwrap_or(account.realm), ..account };
    Some((account, token))
}

fn adopt_user(
    dir: &ConfigDir,
    vault: &Vault<'_>,
    environment: &str,
    name: &str,
    is_of_use: &dyn Fn(&RefreshToken) -> bool,
) -> Result<bool> {
    let Some((account, token)) = user_of_az(dir, environment, name, is_of_use) else {
        return Ok(false);
    };
    let held = vault.get(&token.key())?;
    // az's token may be months old and expired.
    let is_no_later = |held: RefreshToken| {
        held.secret == token.secret || held.last_modification_time > token.last_modification_time
    };
    if held.is_some_and(is_no_later) && vault.get(&account.key())?.is_some() {
        return Ok(false);
    }
    vault.put(&token)?;
    vault.put(&account)?;
    Ok(true)
}

/// The applications in az's list with the client id `name`.
pub(crate) fn applications_of_az(dir: &ConfigDir, name: &str) -> Vec<Application> {
    let Value::Array(all) = read(dir, SERVICE_PRINCIPALS, json!([])) else { return Vec::new() };
    // `of_row` skips entries without a tenant, which az cannot read either.
    let mut all: Vec<Application> = all.iter().filter_map(Application::of_row).collect();
    all.retain(|it| it.client_id.eq_ignore_ascii_case(name));
    all
}

fn adopt_applications(
    dir: &ConfigDir,
    vault: &Vault<'_>,
    name: &str,
    home: Home<'_>,
) -> Result<bool> {
    let mut any = false;
    for it in applications_of_az(dir, name) {
        // az's list has no login hosts, so an `environment` member in it is not trusted.
        let Some(environment) = home(&it.client_id, &it.tenant)? else { continue };
        let Some(record) = it.record(&environment) else { continue };
        // Nothing says which credential is newer, so the vault's own is kept.
        if vault.get(&record.key())?.is_none() {
            vault.put(&record)?;
            any = true;
        }
    }
    Ok(any)
}
