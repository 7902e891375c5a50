//! The users of a vault in the format of other programs' caches.

use serde_json::Value;

use super::az_files::text;
use super::unified::{
    Members, account_key, id_token_key, put, replace_refresh_token, row, section,
};
use crate::error::Result;
use crate::vault::{Account, IdToken, Record, RefreshToken, Vault};

/// Users with their accounts, refresh tokens and ID tokens. Access tokens are not shared: another
/// program requests its own.
pub(super) struct Users {
    accounts: Vec<Account>,
    refresh_tokens: Vec<RefreshToken>,
    id_tokens: Vec<IdToken>,
}

impl Users {
    /// All users of the vault, or only the one with this user name.
    pub(super) fn of(vault: &Vault<'_>, name: Option<&str>) -> Result<Self> {
        let name = name.map(str::to_lowercase);
        let matches = |owner: &str| name.as_deref().is_none_or(|name| name == owner);
        Ok(Self {
            // The broker's secrets are not in the vault, so az could get no token.
            accounts: of(vault, |it: &Account| {
                matches(&it.username.to_lowercase()) && !it.is_brokered()
            })?,
            refresh_tokens: of(vault, |it: &RefreshToken| matches(&it.account))?,
            id_tokens: of(vault, |it: &IdToken| matches(&it.account))?,
        })
    }

    /// True when there are no users.
    pub(super) fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    /// Writes the users into MSAL's unified cache, replacing their rows. Other rows stay. Returns
    /// the users whose refresh token in the cache is newer; it stays too.
    pub(super) fn put_into(&self, cache: &mut Value) -> Vec<&str> {
        let mut later = Vec::new();
        for account in &self.accounts {
            put(cache, "Account", account_key(account), row(account, "Account", Members::Msals));
        }
        for token in &self.refresh_tokens {
            if !replace_refresh_token(cache, token) {
                later.push(token.account.as_str());
            }
        }
        for token in &self.id_tokens {
            put(cache, "IdToken", id_token_key(token), row(token, "IdToken", Members::Msals));
        }
        later
    }
}

/// Removes the user or application `name` from a unified cache.
pub(super) fn remove_from(cache: &mut Value, name: &str) {
    let owner = name.to_lowercase();
    let mut homes = Vec::new();
    if let Some(accounts) = section(cache, "Account") {
        accounts.retain(|_, row| {
            let is_theirs = text(row, "username").to_lowercase() == owner;
            if is_theirs {
                homes.push(text(row, "home_account_id").to_owned());
            }
            !is_theirs
        });
    }
    for name in ["AccessToken", "RefreshToken", "IdToken"] {
        if let Some(tokens) = section(cache, name) {
            tokens.retain(|_, row| {
                let home = text(row, "home_account_id");
                let is_applications =
                    home.is_empty() && text(row, "client_id").to_lowercase() == owner;
                !is_applications && !homes.iter().any(|gone| gone == home)
            });
        }
    }
}

/// The records of one type for which `matches` is true.
pub(super) fn of<R: Record>(vault: &Vault<'_>, matches: impl Fn(&R) -> bool) -> Result<Vec<R>> {
    Ok(vault.all::<R>()?.into_iter().filter(|record| matches(record)).collect())
}
