//! Removing az's own files once nothing in them is missed.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::az_files::{SERVICE_PRINCIPALS, TOKEN_CACHE, remove_if, text};
use super::unified::{host, rows};
use crate::error::Result;
use crate::settings::ConfigDir;
use crate::vault::{Account, RefreshToken, ServicePrincipal, Vault};

/// Removes az's files with tokens and secrets, under az's lock, where `vault` has everybody in them.
/// Answers those that stay, with whose only sign-in each holds; nobody where it is no file of az's.
pub(crate) fn take_away(dir: &ConfigDir, vault: &Vault<'_>) -> Result<Vec<(PathBuf, Vec<String>)>> {
    let accounts = vault.all::<Account>()?;
    let tokens = vault.all::<RefreshToken>()?;
    let applications = vault.all::<ServicePrincipal>()?;
    let has_person = |home: &str, environment: &str| {
        accounts.iter().any(|it| {
            it.home_account_id == home && host(&it.environment).eq_ignore_ascii_case(environment)
        }) && tokens.iter().any(|it| it.home_account_id == home)
    };
    let has_application = |entry: &Value| {
        let same = |one: &str, member| one.eq_ignore_ascii_case(text(entry, member));
        applications.iter().any(|it| same(&it.client_id, "client_id") && same(&it.tenant, "tenant"))
    };
    let people = |cache: &Value| {
        let missed =
            rows(cache, "RefreshToken").map(|row| text(row, "home_account_id")).filter(|home| {
                let mut of =
                    rows(cache, "RefreshToken").filter(|row| text(row, "home_account_id") == *home);
                !of.all(|row| has_person(home, text(row, "environment")))
            });
        let name = |home: &str| {
            let account = rows(cache, "Account").find(|row| text(row, "home_account_id") == home);
            account.map_or(home, |row| text(row, "username")).to_owned()
        };
        missed.map(name).collect()
    };
    let secrets = |entries: &Value| {
        let entries = entries.as_array().map(Vec::as_slice).unwrap_or_default();
        let missed = entries.iter().filter(|entry| !has_application(entry));
        missed.map(|entry| text(entry, "client_id").to_owned()).collect()
    };
    let mut staying = Vec::new();
    staying.extend(remove_if(dir, TOKEN_CACHE, &json!({}), people)?);
    staying.extend(remove_if(dir, SERVICE_PRINCIPALS, &json!([]), secrets)?);
    for (_, names) in &mut staying {
        names.sort_unstable();
        names.dedup();
    }
    Ok(staying)
}
