//! Exports the vault to a file, and imports such a file or any MSAL cache into a vault.
//!
//! The file is MSAL's unified cache. Its rows also have the vault's own members. A sixth section,
//! `ServicePrincipal`, which MSAL libraries preserve, holds the applications in the format of az's
//! list. An import thus restores the vault, except for credentials that are a source (see
//! [`Application`]): these are exported and imported only on request.

use serde_json::{Map, Value};

use super::application::Application;
use super::az_files::text;
use super::dialect::{self, Row};
use super::unified::{
    Members, SECTIONS, access_token_key, account_key, host, id_token_key, put, put_app_metadata,
    refresh_token_key, row, rows, section,
};
use super::users::of;
use crate::error::{Error, Result};
use crate::foreign::{LONGEST_TOKEN_LIFETIME, Name};
use crate::settings::is_same_login_host;
use crate::vault::{AccessToken, Account, IdToken, Record, RefreshToken, ServicePrincipal, Vault};

/// The section with applications.
const APPLICATIONS: &str = "ServicePrincipal";

/// Returns the login host of an application by client id and tenant, if known.
pub(crate) type Home<'a> = &'a dyn Fn(&str, &str) -> Result<Option<String>>;

/// True when the cache `exported` has no users and no applications.
pub(crate) fn has_no_accounts(exported: &Value) -> bool {
    let is_empty =
        |name: &str| exported.get(name).and_then(Value::as_object).is_none_or(Map::is_empty);
    is_empty("Account") && is_empty(APPLICATIONS)
}

/// Exports `vault`, or only the records of the user name or client id `name`, with secrets in plain
/// text; without accounts of clients other than az's, which an import could not use. Also returns the client ids of applications that are left out: those whose credential is a
/// source, unless `with_sources`.
pub fn export(
    vault: &Vault<'_>,
    name: Option<&str>,
    with_sources: bool,
) -> Result<(Value, Vec<String>)> {
    let name = name.map(str::to_lowercase);
    let matches = |owner: &str, client_id: &str| {
        name.as_deref().is_none_or(|name| {
            let named = if owner.is_empty() { client_id } else { owner };
            !name.is_empty() && named.to_lowercase() == name
        })
    };
    let mut cache =
        Value::Object(SECTIONS.map(|it| (it.to_owned(), Map::new().into())).into_iter().collect());
    let tokens = of(vault, |it: &AccessToken| {
        matches(&it.account, &it.client_id) && !it.is_of_client_account()
    })?;
    add(&mut cache, "AccessToken", &tokens, access_token_key);
    let mut tokens = of(vault, |it: &RefreshToken| matches(&it.account, &it.client_id))?;
    // A token with a family must come last, so that the client's metadata names the family.
    tokens.sort_by(|one, other| one.family_id.cmp(&other.family_id));
    for token in &tokens {
        put_app_metadata(&mut cache, token);
    }
    add(&mut cache, "RefreshToken", &tokens, refresh_token_key);
    let tokens = of(vault, |it: &IdToken| matches(&it.account, &it.client_id))?;
    add(&mut cache, "IdToken", &tokens, id_token_key);
    let accounts = of(vault, |it: &Account| matches(&it.username, ""))?;
    add(&mut cache, "Account", &accounts, account_key);
    let mut applications = of(vault, |it: &ServicePrincipal| matches("", &it.client_id))?;
    let mut left_out = Vec::new();
    if !with_sources {
        let (taken, others) = applications.into_iter().partition(has_own_credential);
        applications = taken;
        left_out = others.into_iter().map(|it| it.client_id).collect();
        for it in &mut applications {
            // A member from a later version may name a source.
            it.other.clear();
        }
    }
    add(&mut cache, APPLICATIONS, &applications, |it| format!("{}-{}", it.client_id, it.tenant));
    left_out.sort_unstable();
    left_out.dedup();
    Ok((cache, left_out))
}

/// True when the credential is a secret or an assertion, and no source is named.
fn has_own_credential(entry: &ServicePrincipal) -> bool {
    let is_source = entry.certificate.is_some() || entry.client_assertion_source.is_some();
    (entry.client_secret.is_some() || entry.client_assertion.is_some()) && !is_source
}

/// Adds the rows of a section in the order of their keys. Records with the same MSAL key get
/// distinct keys: readers do not interpret keys.
fn add<R: Record>(cache: &mut Value, name: &str, records: &[R], key: impl Fn(&R) -> String) {
    let mut rows: Vec<(String, Value)> =
        records.iter().map(|record| (key(record), row(record, name, Members::All))).collect();
    rows.sort_by_cached_key(|(key, row)| {
        ["requested", "account", "username", "family_id", "tenant", "environment"]
            .map(|member| text(row, member).to_owned())
            .into_iter()
            .fold(key.clone(), |all, member| format!("{all}\0{member}"))
    });
    for (mut key, row) in rows {
        while section(cache, name).is_some_and(|section| section.contains_key(&key)) {
            key.push('-');
        }
        put(cache, name, key, row);
    }
}

/// The result of an import.
#[derive(Debug, Default)]
pub struct Imported {
    /// The imported users, each with the login host.
    pub users: Vec<Account>,
    /// The imported applications, and those that the vault already had.
    pub applications: Vec<ServicePrincipal>,
    /// Applications that were not imported because their credential is a source: see
    /// [`take_with_source`].
    pub sources: Vec<Application>,
    /// Applications that were not imported because their login host is unknown.
    pub without_cloud: Vec<Application>,
    /// Number of imported access tokens.
    pub access_tokens: usize,
    /// Number of unusable rows: of unknown users, of clients whose refresh tokens cannot be
    /// redeemed, expired, or malformed.
    pub skipped: usize,
    /// Names of users that were not imported because they have no usable refresh token.
    pub left_out: Vec<String>,
}

impl Imported {
    /// Adds the result of importing another cache.
    pub fn add(&mut self, other: Self) {
        for user in other.users {
            if self.users.iter().all(|known| known.key() != user.key()) {
                self.users.push(user);
            }
        }
        self.applications.extend(other.applications);
        self.sources.extend(other.sources);
        self.without_cloud.extend(other.without_cloud);
        self.access_tokens += other.access_tokens;
        self.skipped += other.skipped;
        self.left_out.extend(other.left_out);
        let comes = |name: &String| {
            self.users.iter().any(|it| it.username.to_lowercase() == name.to_lowercase())
        };
        self.left_out.retain(|name| !comes(name));
        self.left_out.sort_unstable();
        self.left_out.dedup();
    }
}

/// Imports `cache`: MSAL's unified cache from any of its writers, a file of [`export`], or az's
/// list of applications. Existing refresh tokens are replaced only by newer ones, existing access
/// tokens only if expired, and existing applications never.
///
/// - `environment` returns the vault's name of a login host.
/// - `is_of_use` decides which refresh tokens can be redeemed. Other refresh tokens are skipped,
///   and so are users without a usable one.
/// - `home` returns the login host of an application whose row does not name it.
/// - `now` is in seconds since 1970-01-01 UTC.
///
/// Fails for any other kind of file.
pub fn import(
    vault: &Vault<'_>,
    cache: &Value,
    environment: &dyn Fn(&str) -> String,
    is_of_use: &dyn Fn(&RefreshToken) -> bool,
    home: Home<'_>,
    now: i64,
) -> Result<Imported> {
    let _writing = vault.write_lock();
    let found = Imported::default();
    let mut reader = Reader { vault, environment, is_of_use, home, now, found };
    if let Value::Array(applications) = cache {
        for row in applications {
            reader.application(row)?;
        }
        return Ok(reader.found);
    }
    let is_cache = SECTIONS.iter().chain([&APPLICATIONS]).any(|name| cache.get(name).is_some());
    if !is_cache && cache.as_object().is_none_or(|members| !members.is_empty()) {
        return Err(Error::failed("This is neither an MSAL token cache nor az's credential list."));
    }
    reader.users(cache)?;
    for row in rows(cache, APPLICATIONS) {
        reader.application(row)?;
    }
    for row in rows(cache, "AccessToken") {
        reader.access_token(cache, row)?;
    }
    Ok(reader.found)
}

/// Imports `application`, whose credential is a source that the user agreed to. `None` when its
/// login host is unknown.
pub fn take_with_source(
    vault: &Vault<'_>,
    application: &Application,
) -> Result<Option<ServicePrincipal>> {
    let Some(environment) = &application.environment else { return Ok(None) };
    let record = application.record_with_source(environment);
    let _writing = vault.write_lock();
    vault.put(&record)?;
    Ok(Some(record))
}

struct Reader<'a> {
    vault: &'a Vault<'a>,
    environment: &'a dyn Fn(&str) -> String,
    is_of_use: &'a dyn Fn(&RefreshToken) -> bool,
    home: Home<'a>,
    now: i64,
    found: Imported,
}

impl Reader<'_> {
    /// Imports the users that have a refresh token. Without one, no token can be refreshed; that is
    /// so when a broker of the operating system keeps the refresh token.
    fn users(&mut self, cache: &Value) -> Result<()> {
        for row in rows(cache, "RefreshToken") {
            let Some(token) = self.owned::<RefreshToken>(cache, row) else { continue };
            if !(self.is_of_use)(&token) {
                self.found.skipped += 1;
            } else if self.is_newer(&token)? {
                self.vault.put(&token)?;
            }
        }
        for row in rows(cache, "IdToken") {
            if let Some(token) = self.owned::<IdToken>(cache, row) {
                self.vault.put(&token)?;
            }
        }
        let mut accounts: Vec<Account> = Vec::new();
        for row in rows(cache, "Account") {
            match self.known_host(row).and_then(dialect::user) {
                Some(account) => accounts.push(account),
                None => self.found.skipped += 1,
            }
        }
        while let Some(first) = accounts.first().map(Account::key) {
            let (same, others) = accounts.into_iter().partition(|it| it.key() == first);
            accounts = others;
            self.user(same)?;
        }
        Ok(())
    }

    /// Imports one of `same`, accounts with the same user name: the one with a usable refresh
    /// token.
    fn user(&mut self, same: Vec<Account>) -> Result<()> {
        let Some(name) = same.first().map(|it| it.username.clone()) else { return Ok(()) };
        let environment = same.first().map(|it| it.environment.clone());
        let owner = name.to_lowercase();
        let tokens = of(self.vault, |it: &RefreshToken| {
            it.account == owner
                && Some(&it.environment) == environment.as_ref()
                && (self.is_of_use)(it)
        })?;
        match dialect::newest_sign_in(same, &tokens) {
            Some((account, _)) => {
                self.vault.put(&account)?;
                self.found.users.push(account);
            }
            None => self.found.left_out.push(name),
        }
        Ok(())
    }

    /// Parses a row, adding the user name of its account in this cache. Counts it as skipped if it
    /// has none.
    fn owned<R: Row>(&mut self, cache: &Value, row: &Value) -> Option<R> {
        let record = self.known_host(row).and_then(|mut row| {
            if text(&row, "account").is_empty() {
                let owner = owner(cache, text(&row, "home_account_id"))?;
                member(&mut row, "account", &owner);
            }
            dialect::record(row)
        });
        if record.is_none() {
            self.found.skipped += 1;
        }
        record
    }

    fn access_token(&mut self, cache: &Value, row: &Value) -> Result<()> {
        match self.usable(cache, row) {
            Some(token) if self.lacks_application(&token)? => {}
            Some(token) => {
                let held = self.vault.get(&token.key())?;
                if held.is_none_or(|held| held.expires_on <= self.now) {
                    self.vault.put(&token)?;
                    self.found.access_tokens += 1;
                }
            }
            None => self.found.skipped += 1,
        }
        Ok(())
    }

    /// True for an application's own token when the vault has no such application at that login
    /// host. Such a token would wrongly assign a credential of azt 0.1, stored without a login
    /// host, to it.
    fn lacks_application(&self, token: &AccessToken) -> Result<bool> {
        let key = ServicePrincipal::key_of(&token.environment, &token.client_id, &token.realm);
        Ok(token.account.is_empty() && self.vault.get(&key)?.is_none())
    }

    fn usable(&self, cache: &Value, row: &Value) -> Option<AccessToken> {
        let mut row = self.known_host(row)?;
        let is_bound =
            ["key_id", "kid", "keyid", "ext_cache_key", "user_assertion_hash", "userAssertionHash"];
        if row.get("requested").is_none() {
            // Written by another program. The requested scope is known only if it was `/.default`.
            let mut all = text(&row, "target").split_whitespace();
            let requested = all.find(|scope| scope.ends_with("/.default"))?.to_owned();
            if is_bound.iter().any(|name| row.get(name).is_some()) {
                return None;
            }
            let home = text(&row, "home_account_id").to_owned();
            let owner = if home.is_empty() { String::new() } else { owner(cache, &home)? };
            member(&mut row, "requested", &requested);
            member(&mut row, "account", &owner);
        }
        let token: AccessToken = dialect::record(row)?;
        // A longer lifetime than Entra's maximum means that no Entra client wrote the row.
        let ends = self.now.saturating_add(1)..=self.now.saturating_add(LONGEST_TOKEN_LIFETIME);
        ends.contains(&token.expires_on).then_some(token)
    }

    fn application(&mut self, row: &Value) -> Result<()> {
        let Some(it) = Application::of_row(row) else {
            self.found.skipped += 1;
            return Ok(());
        };
        let environment = match &it.environment {
            Some(named) => Some(named.clone()),
            None => (self.home)(&it.client_id, &it.tenant)?,
        };
        let Some(environment) = environment else {
            self.found.without_cloud.push(it);
            return Ok(());
        };
        let key = ServicePrincipal::key_of(&environment, &it.client_id, &it.tenant);
        match (self.vault.get(&key)?, it.record(&environment)) {
            // Nothing says which credential is newer, so the vault's own is kept.
            (Some(held), _) => self.found.applications.push(held),
            (None, Some(record)) => {
                self.vault.put(&record)?;
                self.found.applications.push(record);
            }
            (None, None) => {
                self.found.sources.push(Application { environment: Some(environment), ..it });
            }
        }
        Ok(())
    }

    /// Normalizes the row, and replaces its login host by the vault's name for it.
    fn known_host(&self, row: &Value) -> Option<Value> {
        let mut row = dialect::plain(row)?;
        let environment = (self.environment)(text(&row, "environment"));
        member(&mut row, "environment", &environment);
        Some(row)
    }

    /// True unless the vault has this token or a newer one.
    fn is_newer(&self, token: &RefreshToken) -> Result<bool> {
        let held = self.vault.get(&token.key())?;
        Ok(held.is_none_or(|held| {
            held != *token
                && (held.last_modification_time == 0
                    || token.last_modification_time >= held.last_modification_time)
        }))
    }
}

/// The user name of the account `home_account_id`, in lower case.
fn owner(cache: &Value, home_account_id: &str) -> Option<String> {
    let account = rows(cache, "Account")
        .find(|row| text(row, "home_account_id").eq_ignore_ascii_case(home_account_id))?;
    let name =
        Some(text(account, "username")).filter(|name| !name.is_empty() && Name::is_clean(name));
    name.map(str::to_lowercase)
}

fn member(row: &mut Value, name: &str, value: &str) {
    if let Some(row) = row.as_object_mut() {
        row.insert(name.to_owned(), value.into());
    }
}

/// True when `name` from a cache denotes the login host `environment` of a cloud; aliases count.
pub fn is_same_host(environment: &str, name: &str) -> bool {
    is_same_login_host(&host(environment).to_lowercase(), &host(name).to_lowercase())
}
