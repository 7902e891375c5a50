//! Copies azt's sign-ins to az's files.

use std::time::Duration;

use serde_json::json;

use super::az_files::{SERVICE_PRINCIPALS, TOKEN_CACHE, take_out, text, update};
use super::foreign_file::PATIENCE;
use super::users::{Users, of, remove_from};
use crate::error::Result;
use crate::secret::Secret;
use crate::settings::ConfigDir;
use crate::vault::{ServicePrincipal, Vault};

/// Copies the sign-in of `name`, a user name or client id, to az's files: account, refresh token
/// and ID tokens in MSAL's format, or the application's credential. Access tokens are not copied:
/// az requests its own.
///
/// Only applications of the login host `environment` are copied because az's list has no login
/// hosts. If az's file is missing or damaged, all users or applications are copied. Each step of
/// the lock waits at most `limit`.
///
/// az has no sources of assertions, so it gets the `assertion` that the application just signed in
/// with, and uses it until that expires. False when az cannot use the credential: a certificate
/// with a password.
///
/// # Errors
/// A file cannot be read. It is not changed.
pub(crate) fn share(
    dir: &ConfigDir,
    vault: &Vault<'_>,
    environment: &str,
    name: &str,
    assertion: Option<&Secret>,
    limit: Duration,
) -> Result<bool> {
    let user = Users::of(vault, Some(name))?;
    if !user.is_empty() {
        let all = Users::of(vault, None)?;
        update(dir, TOKEN_CACHE, json!({}), limit, |cache, is_new| {
            let _later = if is_new { &all } else { &user }.put_into(cache);
        })?;
    }
    let is_named = |it: &&ServicePrincipal| it.client_id.eq_ignore_ascii_case(name);
    let mut applications = of(vault, |it: &ServicePrincipal| it.environment == environment)?;
    for entry in &mut applications {
        if entry.client_assertion_source.is_some() && is_named(&&*entry) {
            entry.client_assertion = assertion.cloned();
        }
    }
    let is_usable = |it: &ServicePrincipal| {
        let lacks_assertion = it.client_assertion_source.is_some() && it.client_assertion.is_none();
        it.certificate_password.is_none() && !lacks_assertion
    };
    let is_shared =
        applications.iter().filter(is_named).all(|it| it.certificate_password.is_none());
    applications.retain(is_usable);
    for entry in &mut applications {
        entry.client_assertion_source = None;
        entry.environment.clear();
    }
    if applications.iter().any(|it| is_named(&it)) {
        update(dir, SERVICE_PRINCIPALS, json!([]), limit, |all, is_new| {
            let Some(all) = all.as_array_mut() else { return };
            for entry in applications.iter().filter(|it| is_new || is_named(it)) {
                all.retain(|it| {
                    text(it, "client_id") != entry.client_id || text(it, "tenant") != entry.tenant
                });
                all.push(serde_json::to_value(entry).unwrap_or_default());
            }
        })?;
    }
    Ok(is_shared)
}

/// Removes `name`, a user name or client id, from az's files.
///
/// # Errors
/// A file cannot be read, or is not in az's format. It is not changed; the other file is.
pub(crate) fn unshare(dir: &ConfigDir, name: &str) -> Result<()> {
    let cache = take_out(dir, TOKEN_CACHE, &json!({}), PATIENCE, |cache| remove_from(cache, name));
    let applications = take_out(dir, SERVICE_PRINCIPALS, &json!([]), PATIENCE, |all| {
        if let Some(all) = all.as_array_mut() {
            all.retain(|it| !text(it, "client_id").eq_ignore_ascii_case(name));
        }
    });
    cache.and(applications)
}
