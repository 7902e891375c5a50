//! The whole vault as one file, and such files, from here or from any MSAL, back into a vault.
//!
//! The file is MSAL's unified cache. Rows keep the members that are the vault's own; a sixth
//! section, `ServicePrincipal`, which MSALs keep as they find it, has the applications as az's file
//! has them. So a vault comes back as it was, but for the places that applications' credentials come
//! from: those go and come only where that is asked for.

use serde_json::{Map, Value};

use super::application::Application;
use super::az_files::text;
use super::dialect::{self, Row};
use super::people::of;
use super::unified::{
    Members, SECTIONS, access_token_key, account_key, host, id_token_key, put, put_app_metadata,
    refresh_token_key, row, rows, section,
};
use crate::error::{Error, Result};
use crate::foreign::{LONGEST_TOKEN_LIFETIME, Name};
use crate::settings::is_same_login_host;
use crate::vault::{AccessToken, Account, IdToken, Record, RefreshToken, ServicePrincipal, Vault};

/// The section of applications.
const APPLICATIONS: &str = "ServicePrincipal";

/// The login host of an application, by client id and tenant, where anything says it.
pub(crate) type Home<'a> = &'a dyn Fn(&str, &str) -> Result<Option<String>>;

/// True when nobody is in the cache `exported`.
pub(crate) fn is_of_nobody(exported: &Value) -> bool {
    let is_empty =
        |name: &str| exported.get(name).and_then(Value::as_object).is_none_or(Map::is_empty);
    is_empty("Account") && is_empty(APPLICATIONS)
}

/// What `vault` holds, of everybody or of the user name or client id `name`: secrets in plain text.
/// Answers also the client ids of applications that are left out, because what they sign in with is a
/// place and not `with_sources`.
pub fn export(
    vault: &Vault<'_>,
    name: Option<&str>,
    with_sources: bool,
) -> Result<(Value, Vec<String>)> {
    let name = name.map(str::to_lowercase);
    let is_meant = |owner: &str, client_id: &str| {
        name.as_deref().is_none_or(|name| {
            let named = if owner.is_empty() { client_id } else { owner };
            !name.is_empty() && named.to_lowercase() == name
        })
    };
    let mut cache =
        Value::Object(SECTIONS.map(|it| (it.to_owned(), Map::new().into())).into_iter().collect());
    let tokens = of(vault, |it: &AccessToken| is_meant(&it.account, &it.client_id))?;
    add(&mut cache, "AccessToken", &tokens, access_token_key);
    let mut tokens = of(vault, |it: &RefreshToken| is_meant(&it.account, &it.client_id))?;
    // One token of the family says that the client is of it.
    tokens.sort_by(|one, other| one.family_id.cmp(&other.family_id));
    for token in &tokens {
        put_app_metadata(&mut cache, token);
    }
    add(&mut cache, "RefreshToken", &tokens, refresh_token_key);
    let tokens = of(vault, |it: &IdToken| is_meant(&it.account, &it.client_id))?;
    add(&mut cache, "IdToken", &tokens, id_token_key);
    let accounts = of(vault, |it: &Account| is_meant(&it.username, ""))?;
    add(&mut cache, "Account", &accounts, account_key);
    let mut applications = of(vault, |it: &ServicePrincipal| is_meant("", &it.client_id))?;
    let mut left_out = Vec::new();
    if !with_sources {
        let (taken, others) = applications.into_iter().partition(brings_its_credential);
        applications = taken;
        left_out = others.into_iter().map(|it| it.client_id).collect();
        for it in &mut applications {
            // Nobody knows what a member of a later version names.
            it.other.clear();
        }
    }
    add(&mut cache, APPLICATIONS, &applications, |it| format!("{}-{}", it.client_id, it.tenant));
    left_out.sort_unstable();
    left_out.dedup();
    Ok((cache, left_out))
}

/// True unless its credential is a place, or nothing that is known here.
fn brings_its_credential(entry: &ServicePrincipal) -> bool {
    let is_a_place = entry.certificate.is_some() || entry.client_assertion_source.is_some();
    (entry.client_secret.is_some() || entry.client_assertion.is_some()) && !is_a_place
}

/// Adds the rows of a section, in the order of their keys. Records that MSAL would have under one
/// key all stay: keys say nothing to readers.
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

/// What came into a vault.
#[derive(Debug, Default)]
pub struct Imported {
    /// The people that can be signed in now, each with the login host.
    pub people: Vec<Account>,
    /// The applications.
    pub applications: Vec<ServicePrincipal>,
    /// Applications that did not come in, because what they sign in with is a place: see
    /// [`take_with_source`].
    pub sources: Vec<Application>,
    /// Applications that did not come in, because nothing says which login host they are for.
    pub homeless: Vec<Application>,
    /// How many tokens came along that need no renewal.
    pub access_tokens: usize,
    /// How many rows were of no use: of nobody that is known, of clients whose refresh tokens are
    /// not taken, ended, or no rows at all.
    pub skipped: usize,
    /// User names of those who did not come in, because there is no refresh token of use.
    pub left_out: Vec<String>,
}

impl Imported {
    /// Adds what came from another cache.
    pub fn add(&mut self, other: Self) {
        for person in other.people {
            if self.people.iter().all(|known| known.key() != person.key()) {
                self.people.push(person);
            }
        }
        self.applications.extend(other.applications);
        self.sources.extend(other.sources);
        self.homeless.extend(other.homeless);
        self.access_tokens += other.access_tokens;
        self.skipped += other.skipped;
        self.left_out.extend(other.left_out);
        let comes = |name: &String| {
            self.people.iter().any(|it| it.username.to_lowercase() == name.to_lowercase())
        };
        self.left_out.retain(|name| !comes(name));
        self.left_out.sort_unstable();
        self.left_out.dedup();
    }
}

/// Takes over what `cache` has: MSAL's unified cache from any of its writers, a file of [`export`],
/// or az's list of applications. What the vault has stays, but for refresh tokens that are older.
///
/// `environment` gives the vault's name of a login host; `is_of_use` tells which refresh tokens can
/// be redeemed: no others are taken, nor who has no other. `home` gives the login host of an
/// application, by client id and tenant, whose row does not name it. `now` is in seconds since
/// 1970-01-01 UTC. Fails for what is none of these.
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
        return Err(Error::failed("This is no token cache of MSAL's and no list of az's."));
    }
    reader.people(cache)?;
    for row in rows(cache, APPLICATIONS) {
        reader.application(row)?;
    }
    for row in rows(cache, "AccessToken") {
        reader.access_token(cache, row)?;
    }
    Ok(reader.found)
}

/// Takes over `application`, which names a place that its credential comes from, as its owner has
/// agreed; `None` where nothing says which login host it is for.
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
    /// People with a refresh token; without one there is nothing to sign in with again, as where a
    /// broker of the system keeps it.
    fn people(&mut self, cache: &Value) -> Result<()> {
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
            match self.known_host(row).and_then(dialect::person) {
                Some(account) => accounts.push(account),
                None => self.found.skipped += 1,
            }
        }
        while let Some(first) = accounts.first().map(Account::key) {
            let (same, others) = accounts.into_iter().partition(|it| it.key() == first);
            accounts = others;
            self.person(same)?;
        }
        Ok(())
    }

    /// Takes over the one of `same`, rows of one name, who can be signed in again.
    fn person(&mut self, same: Vec<Account>) -> Result<()> {
        let Some(name) = same.first().map(|it| it.username.clone()) else { return Ok(()) };
        let environment = same.first().map(|it| it.environment.clone());
        let owner = name.to_lowercase();
        let tokens = of(self.vault, |it: &RefreshToken| {
            it.account == owner
                && Some(&it.environment) == environment.as_ref()
                && (self.is_of_use)(it)
        })?;
        match dialect::who_can_renew(same, &tokens) {
            Some((account, _)) => {
                self.vault.put(&account)?;
                self.found.people.push(account);
            }
            None => self.found.left_out.push(name),
        }
        Ok(())
    }

    /// A row with the user name that its account has in this cache; counted as skipped without one.
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
            Some(token) if self.is_of_a_stranger(&token)? => {}
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

    /// True for an application's own token where the vault has no such application at that login host:
    /// it would say of a credential of azt 0.1 that it belongs there.
    fn is_of_a_stranger(&self, token: &AccessToken) -> Result<bool> {
        let key = ServicePrincipal::key_of(&token.environment, &token.client_id, &token.realm);
        Ok(token.account.is_empty() && self.vault.get(&key)?.is_none())
    }

    fn usable(&self, cache: &Value, row: &Value) -> Option<AccessToken> {
        let mut row = self.known_host(row)?;
        let is_bound =
            ["key_id", "kid", "keyid", "ext_cache_key", "user_assertion_hash", "userAssertionHash"];
        if row.get("requested").is_none() {
            // Of another program: what was asked for is known where it was everything.
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
        // What ends later than any token of Entra's was not written by one of its clients.
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
            self.found.homeless.push(it);
            return Ok(());
        };
        let key = ServicePrincipal::key_of(&environment, &it.client_id, &it.tenant);
        match (self.vault.get(&key)?, it.record(&environment)) {
            // Nothing says which of two credentials is the later one.
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

    /// The row in one spelling, at the vault's name of its login host.
    fn known_host(&self, row: &Value) -> Option<Value> {
        let mut row = dialect::plain(row)?;
        let environment = (self.environment)(text(&row, "environment"));
        member(&mut row, "environment", &environment);
        Some(row)
    }

    /// True unless the vault has this token, or one that came after it.
    fn is_newer(&self, token: &RefreshToken) -> Result<bool> {
        let held = self.vault.get(&token.key())?;
        Ok(held.is_none_or(|held| {
            held != *token
                && (held.last_modification_time == 0
                    || token.last_modification_time >= held.last_modification_time)
        }))
    }
}

/// The user name, lower-case, of the account `home_account_id`.
fn owner(cache: &Value, home_account_id: &str) -> Option<String> {
    let account = rows(cache, "Account")
        .find(|row| text(row, "home_account_id").eq_ignore_ascii_case(home_account_id))?;
    let name =
        Some(text(account, "username")).filter(|name| !name.is_empty() && Name::is_one(name));
    name.map(str::to_lowercase)
}

fn member(row: &mut Value, name: &str, value: &str) {
    if let Some(row) = row.as_object_mut() {
        row.insert(name.to_owned(), value.into());
    }
}

/// True when `name`, from a cache, is the login host `environment` of a cloud.
pub fn is_same_host(environment: &str, name: &str) -> bool {
    is_same_login_host(&host(environment).to_lowercase(), &host(name).to_lowercase())
}
