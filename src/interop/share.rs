//! Sign-ins made here, told to az.

use serde_json::{Value, json};

use super::az_files::{SERVICE_PRINCIPALS, TOKEN_CACHE, host, section, text, update};
use crate::error::Result;
use crate::settings::ConfigDir;
use crate::vault::{Account, IdToken, Record, RefreshToken, ServicePrincipal, Vault};

/// Gives az what the vault has of `name`, a user name or client id: account, refresh token and ID
/// tokens in MSAL's layout, or the application's credential. Access tokens are not given: az gets
/// its own.
pub fn share(dir: &ConfigDir, vault: &Vault<'_>, name: &str) -> Result<()> {
    let owner = name.to_lowercase();
    let accounts: Vec<Account> = of(vault, |it: &Account| it.username.to_lowercase() == owner)?;
    if !accounts.is_empty() {
        let refresh_tokens = of(vault, |it: &RefreshToken| it.account == owner)?;
        let id_tokens = of(vault, |it: &IdToken| it.account == owner)?;
        update(dir, TOKEN_CACHE, json!({}), |cache| {
            for account in &accounts {
                put(cache, "Account", &account_key(account), as_msals(account, None));
            }
            for token in &refresh_tokens {
                put_refresh_token(cache, token);
            }
            for token in &id_tokens {
                put(cache, "IdToken", &id_token_key(token), as_msals(token, Some("IdToken")));
            }
        })?;
    }
    let is_meant = |it: &ServicePrincipal| it.client_id.to_lowercase() == owner;
    for entry in of(vault, is_meant)? {
        // az knows no places that assertions come from, and no passwords of certificates.
        if entry.client_assertion_source.is_some() || entry.certificate_password.is_some() {
            continue;
        }
        update(dir, SERVICE_PRINCIPALS, json!([]), |all| {
            remove_entries(all, |it| {
                text(it, "client_id") == entry.client_id && text(it, "tenant") == entry.tenant
            });
            if let Some(all) = all.as_array_mut() {
                all.push(as_msals(&entry, None));
            }
        })?;
    }
    Ok(())
}

/// Takes `name`, a user name or client id, out of az's files.
pub fn unshare(dir: &ConfigDir, name: &str) -> Result<()> {
    let owner = name.to_lowercase();
    if dir.file(TOKEN_CACHE).exists() {
        update(dir, TOKEN_CACHE, json!({}), |cache| {
            let mut homes = Vec::new();
            if let Some(accounts) = section(cache, "Account") {
                accounts.retain(|_, entry| {
                    let is_theirs = text(entry, "username").to_lowercase() == owner;
                    if is_theirs {
                        homes.push(text(entry, "home_account_id").to_owned());
                    }
                    !is_theirs
                });
            }
            for name in ["AccessToken", "RefreshToken", "IdToken"] {
                if let Some(tokens) = section(cache, name) {
                    tokens.retain(|_, entry| {
                        let home = text(entry, "home_account_id");
                        let is_applications =
                            home.is_empty() && text(entry, "client_id").to_lowercase() == owner;
                        !is_applications && !homes.iter().any(|gone| gone == home)
                    });
                }
            }
        })?;
    }
    if dir.file(SERVICE_PRINCIPALS).exists() {
        update(dir, SERVICE_PRINCIPALS, json!([]), |all| {
            remove_entries(all, |it| text(it, "client_id").to_lowercase() == owner);
        })?;
    }
    Ok(())
}

fn of<R: Record>(vault: &Vault<'_>, is_meant: impl Fn(&R) -> bool) -> Result<Vec<R>> {
    Ok(vault.all::<R>()?.into_iter().filter(|record| is_meant(record)).collect())
}

/// The record as MSAL and az write it, without the members that are not theirs.
fn as_msals<R: Record>(record: &R, credential_type: Option<&str>) -> Value {
    let mut value = serde_json::to_value(record).unwrap_or_default();
    if let Some(members) = value.as_object_mut() {
        members.shift_remove("requested");
        if let Some(environment) = members.get_mut("environment") {
            let bare = environment.as_str().map(|it| host(it).to_owned());
            *environment = bare.into();
        }
        if let Some(credential_type) = credential_type {
            members.insert("credential_type".to_owned(), credential_type.into());
        }
        if R::LETTERS != Account::LETTERS {
            members.shift_remove("account");
        }
    }
    value
}

fn put(cache: &mut Value, name: &str, key: &str, entry: Value) {
    if let Some(section) = section(cache, name) {
        section.insert(key.to_owned(), entry);
    }
}

/// The refresh token, in place of those of the same account and client: it is the newest.
fn put_refresh_token(cache: &mut Value, token: &RefreshToken) {
    if let Some(section) = section(cache, "RefreshToken") {
        section.retain(|_, it| {
            text(it, "home_account_id") != token.home_account_id
                || !text(it, "environment").eq_ignore_ascii_case(host(&token.environment))
                || text(it, "client_id") != token.client_id
        });
    }
    let entry = as_msals(token, Some("RefreshToken"));
    let RefreshToken { home_account_id, client_id, target, .. } = token;
    let environment = host(&token.environment);
    let key = format!("{home_account_id}-{environment}-refreshtoken-{client_id}--{target}");
    put(cache, "RefreshToken", &key.to_lowercase(), entry);
    let app = match &token.family_id {
        Some(family) => {
            json!({"client_id": client_id, "environment": environment, "family_id": family})
        }
        None => json!({"client_id": client_id, "environment": environment}),
    };
    put(cache, "AppMetadata", &format!("appmetadata-{environment}-{client_id}"), app);
}

fn account_key(account: &Account) -> String {
    let Account { home_account_id, realm, .. } = account;
    let environment = host(&account.environment);
    format!("{home_account_id}-{environment}-{realm}").to_lowercase()
}

fn id_token_key(token: &IdToken) -> String {
    let IdToken { home_account_id, client_id, realm, .. } = token;
    let environment = host(&token.environment);
    format!("{home_account_id}-{environment}-idtoken-{client_id}-{realm}-").to_lowercase()
}

fn remove_entries(all: &mut Value, is_meant: impl Fn(&Value) -> bool) {
    if let Some(all) = all.as_array_mut() {
        all.retain(|entry| !is_meant(entry));
    }
}
