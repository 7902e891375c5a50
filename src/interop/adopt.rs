//! A sign-in that was made with az, taken over into the vault.

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

/// Takes over what az has of `name`, a user name or client id, at the login host `environment`;
/// true when there was something that the vault did not have, or only an older refresh token of.
/// `is_of_use` tells which refresh tokens can be redeemed; `home` gives the login host that az's secret of an application is for. az's files stay as they are.
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
    // A sign-out takes the name out of az's files before it has its turn here: they are read again.
    let _writing = vault.write_lock();
    let person = adopt_person(dir, vault, environment, name, is_of_use)?;
    Ok(adopt_applications(dir, vault, name, home)? || person)
}

/// Whether az's files name `name`.
fn has(dir: &ConfigDir, environment: &str, name: &str) -> bool {
    let (people, applications) = known_names(dir, environment);
    people.iter().any(|it| it.to_lowercase() == name.to_lowercase())
        || applications.iter().any(|it| it.eq_ignore_ascii_case(name))
}

/// True when az's files, of whatever cloud, name the person or application `name`, or cannot be read.
pub(crate) fn may_know(dir: &ConfigDir, name: &str) -> bool {
    if plain_text_of_az(dir).iter().any(|(_, is_azs)| !is_azs) {
        return true;
    }
    let is_meant = |it: &str| it.to_lowercase() == name.to_lowercase();
    let cache = read(dir, TOKEN_CACHE, json!({}));
    let applications = read(dir, SERVICE_PRINCIPALS, json!([]));
    let applications = applications.as_array().map(Vec::as_slice).unwrap_or_default();
    rows(&cache, "Account").any(|row| is_meant(text(row, "username")))
        || applications.iter().any(|entry| is_meant(text(entry, "client_id")))
}

/// True when az has anything that could be taken over.
pub(crate) fn knows(dir: &ConfigDir) -> bool {
    [TOKEN_CACHE, SERVICE_PRINCIPALS].into_iter().any(|name| exists(dir, name))
}

/// True when az has of `name` what [`adopt`] takes: a refresh token that `is_of_use`, or the secret of
/// an application that is for `environment`.
pub(crate) fn can_adopt(
    dir: &ConfigDir,
    environment: &str,
    name: &str,
    is_of_use: &dyn Fn(&RefreshToken) -> bool,
    home: Home<'_>,
) -> bool {
    let is_for = |it: &Application| matches!(home(&it.client_id, &it.tenant), Ok(Some(host)) if host == environment);
    person_of_az(dir, environment, name, is_of_use).is_some()
        || applications_of_az(dir, name).iter().any(|it| it.source().is_none() && is_for(it))
}

/// Whom az knows at the login host `environment`: user names, and client ids of applications.
pub(crate) fn known_names(dir: &ConfigDir, environment: &str) -> (Vec<String>, Vec<String>) {
    let cache = read(dir, TOKEN_CACHE, json!({}));
    let here =
        rows(&cache, "Account").filter(|row| is_same_host(environment, text(row, "environment")));
    let mut people: Vec<String> = here.map(|row| text(row, "username").to_owned()).collect();
    let applications = read(dir, SERVICE_PRINCIPALS, json!([]));
    let applications = applications.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut ids: Vec<String> =
        applications.iter().map(|entry| text(entry, "client_id").to_owned()).collect();
    for names in [&mut people, &mut ids] {
        // What is no name is of nobody: these go into messages.
        names.retain(|name| !name.is_empty() && Name::is_one(name));
        names.sort_unstable();
        names.dedup();
    }
    (people, ids)
}

/// The person called `name`, with the newest refresh token that is of use. Of several of that name it
/// is the one who has it.
fn person_of_az(
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
    let people = plain("Account").filter_map(dialect::person).filter(is_theirs);
    let of_name = |token| RefreshToken {
        environment: environment.to_owned(),
        account: name.clone(),
        ..token
    };
    let tokens = plain("RefreshToken").filter_map(dialect::record).map(of_name);
    let tokens: Vec<RefreshToken> = tokens.filter(|token| is_of_use(token)).collect();
    let (account, token) = dialect::who_can_renew(people, &tokens)?;
    // Who was signed in elsewhere is at home all the same; their home is in their id.
    let home = account.home_account_id.split_once('.').map(|(_, home)| home.to_owned());
    let environment = environment.to_owned();
    let account = Account { environment, realm: home.unwrap_or(account.realm), ..account };
    Some((account, token))
}

fn adopt_person(
    dir: &ConfigDir,
    vault: &Vault<'_>,
    environment: &str,
    name: &str,
    is_of_use: &dyn Fn(&RefreshToken) -> bool,
) -> Result<bool> {
    let Some((account, token)) = person_of_az(dir, environment, name, is_of_use) else {
        return Ok(false);
    };
    let held = vault.get(&token.key())?;
    // az's may be of months ago, and dead.
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

/// az's applications with the client id `name`.
pub(crate) fn applications_of_az(dir: &ConfigDir, name: &str) -> Vec<Application> {
    let Value::Array(all) = read(dir, SERVICE_PRINCIPALS, json!([])) else { return Vec::new() };
    // An entry of az's may lack its tenant, which az itself cannot read then.
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
        // az's list names no login host: what stands there in that name is nobody's word.
        let Some(environment) = home(&it.client_id, &it.tenant)? else { continue };
        let Some(record) = it.record(&environment) else { continue };
        // Nothing says which is later; what was signed in with here works, or says why not.
        if vault.get(&record.key())?.is_none() {
            vault.put(&record)?;
            any = true;
        }
    }
    Ok(any)
}
