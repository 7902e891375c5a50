//! Removes az's own files once the vault has everything in them.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::az_files::{SERVICE_PRINCIPALS, TOKEN_CACHE, remove_if, text};
use super::unified::{host, rows};
use crate::error::Result;
use crate::settings::ConfigDir;
use crate::vault::{Account, RefreshToken, ServicePrincipal, Vault};

/// Removes each of az's files with tokens or secrets, under az's lock, if `vault` has every account
/// in it. Returns the files that stay, each with the accounts whose only sign-in it holds; the list
/// is empty for a file that is not in az's format.
pub(crate) fn remove_az_files(
    dir: &ConfigDir,
    vault: &Vault<'_>,
) -> Result<Vec<(PathBuf, Vec<String>)>> {
    let accounts = vault.all::<Account>()?;
    let tokens = vault.all::<RefreshToken>()?;
    let applications = vault.all::<ServicePrincipal>()?;
    let has_person = |home: &str, row: &Value| {
        let is_there = |found: &str, environment: &str| {
            found == home && host(environment).eq_ignore_ascii_case(text(row, "environment"))
        };
        // The refresh token of another client cannot replace this one.
        accounts.iter().any(|it| is_there(&it.home_account_id, &it.environment))
            && tokens.iter().any(|it| {
                is_there(&it.home_account_id, &it.environment)
                    && it.client_id.eq_ignore_ascii_case(text(row, "client_id"))
            })
    };
    let has_application = |entry: &Value| {
        let same = |one: &str, member| one.eq_ignore_ascii_case(text(entry, member));
        applications.iter().any(|it| same(&it.client_id, "client_id") && same(&it.tenant, "tenant"))
    };
    let users = |cache: &Value| {
        let missed =
            rows(cache, "RefreshToken").map(|row| text(row, "home_account_id")).filter(|home| {
                let mut of =
                    rows(cache, "RefreshToken").filter(|row| text(row, "home_account_id") == *home);
                !of.all(|row| has_person(home, row))
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
    staying.extend(remove_if(dir, TOKEN_CACHE, &json!({}), users)?);
    staying.extend(remove_if(dir, SERVICE_PRINCIPALS, &json!([]), secrets)?);
    for (_, names) in &mut staying {
        names.sort_unstable();
        names.dedup();
    }
    Ok(staying)
}
