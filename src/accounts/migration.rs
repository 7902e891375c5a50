//! Copies sign-ins of az before 2.30 from `accessTokens.json` when they are first needed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Context, token};
use crate::broker::{self, SignIn};
use crate::entra::{AZURE_CLI_CLIENT_ID, Scopes};
use crate::error::{Error, Result};
use crate::interop::{AdalFile, AdalUser, Application, Credential, Source};
use crate::program::Program;
use crate::secret::Secret;
use crate::settings::known;
use crate::shell::quoted;
use crate::sys::block_on;
use crate::sys::file::{Access, Durability};
use crate::vault::{Account, ServicePrincipal, Vault};

/// A file in the vault's folder with failed attempts, so that an expired refresh token does not
/// cost every call a request. It holds names, reasons and hashes, no secrets.
const STATE: &str = "accessTokens.json.state";

/// The reason for accounts that were signed out.
pub(crate) const SIGNED_OUT: &str = "It was signed out.";

/// The content of [`STATE`]: accounts that are not migrated.
#[derive(Default, Deserialize, Serialize)]
pub(crate) struct State {
    #[serde(default)]
    failed: BTreeMap<String, Failure>,
    /// Hashes of credentials that were signed out.
    #[serde(default)]
    signed_out: BTreeSet<String>,
}

#[derive(Deserialize, Serialize)]
struct Failure {
    /// Hash of the refresh tokens that were tried; new tokens are tried again.
    tried: String,
    /// Entra's error message.
    reason: String,
}

/// The result of [`migrate`].
#[derive(Default)]
pub(crate) struct Migrated {
    /// True when an account was migrated.
    pub(crate) any: bool,
    /// The error that postponed the rest to the next call.
    pub(crate) postponed: Option<Error>,
}

impl State {
    pub(crate) fn read(context: &Context<'_>) -> Result<Self> {
        let bytes = context.dir.azt().read(STATE)?.unwrap_or_default();
        Ok(serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// Reads, changes and writes the state under the lock, so that concurrent processes lose
    /// nothing.
    fn update(context: &Context<'_>, change: impl FnOnce(&mut Self)) -> Result<()> {
        let _held = context.dir.lock()?;
        let mut state = Self::read(context)?;
        change(&mut state);
        let text = serde_json::to_vec_pretty(&state).unwrap_or_default();
        context.dir.azt().write(STATE, &text, Access::Owner, Durability::Volatile)
    }

    /// True when the application `entry` was signed out with this credential.
    pub(crate) fn is_signed_out(&self, entry: &Application) -> bool {
        self.signed_out.contains(&credential(entry))
    }

    /// Why `user` is not migrated: [`SIGNED_OUT`], or Entra's message when it refused these refresh
    /// tokens. `None` when the user may be tried.
    pub(crate) fn reason_of(&self, user: &AdalUser) -> Option<&str> {
        if self.signed_out.contains(&tried(user)) {
            return Some(SIGNED_OUT);
        }
        let failure = self.failed.get(&user.user_id.to_lowercase())?;
        (failure.tried == tried(user)).then_some(failure.reason.as_str())
    }
}

/// Hash of the refresh tokens of `user`.
fn tried(user: &AdalUser) -> String {
    broker::fingerprint(user.grants.iter().map(|grant| &grant.refresh_token))
}

/// Marks the file's credentials of `name` as signed out, so that they are not migrated again. The
/// file may hold other accounts, so it stays (az removes it).
pub(crate) fn sign_out(context: &Context<'_>, name: &str) -> Result<()> {
    let Some(found) = AdalFile::read(context.system, &context.dir)? else { return Ok(()) };
    let users = found.users.iter().map(|user| (&user.user_id, tried(user)));
    let applications = found.applications.iter().map(|entry| (&entry.client_id, credential(entry)));
    let named = |(id, _): &(&String, String)| id.eq_ignore_ascii_case(name);
    let hashes: Vec<String> =
        users.chain(applications).filter(named).map(|(_, hash)| hash).collect();
    if hashes.is_empty() {
        return Ok(());
    }
    State::update(context, |state| state.signed_out.extend(hashes))
}

/// Hash of the credential of the application `entry`.
fn credential(entry: &Application) -> String {
    let secret = match &entry.credential {
        Credential::Secret(secret) | Credential::Assertion(secret) => Some(secret.clone()),
        Credential::Source(Source::Certificate { path, .. }) => Some(Secret::new(path)),
        Credential::Source(Source::Assertions(_)) => None,
    };
    broker::fingerprint(secret.iter())
}

/// True when the vault has the application `entry` for its own login host.
pub(crate) fn has(context: &Context<'_>, vault: &Vault<'_>, entry: &Application) -> Result<bool> {
    let Some(home) = context.homes().of_plain(&entry.client_id, &entry.tenant)? else {
        return Ok(false);
    };
    let is_it = |it: &ServicePrincipal| {
        it.environment == home
            && it.client_id.eq_ignore_ascii_case(&entry.client_id)
            && it.tenant.eq_ignore_ascii_case(&entry.tenant)
    };
    Ok(broker::applications(context.system, vault, context.homes())?.iter().any(is_it))
}

/// Why the application `entry` is not migrated; `None` if it is.
pub(crate) fn why_not(context: &Context<'_>, entry: &Application) -> Option<String> {
    let program = context.system.program;
    let home = context.homes().of_plain(&entry.client_id, &entry.tenant);
    let without_cloud = || {
        home.ok()?.is_none().then(|| {
            format!(
                "It is not known which cloud the secret of service principal {} is for, so it is not sent. If it is yours, sign in with it: {program} login --service-principal --username {} --tenant {}",
                entry.client_id,
                quoted(&entry.client_id),
                quoted(&entry.tenant)
            )
        })
    };
    token::source_of(entry, program).or_else(without_cloud)
}

/// True when the vault has a sign-in of the user `name` with a refresh token, or by the identity
/// broker.
pub(crate) fn is_here(vault: &Vault<'_>, environment: &str, name: &str) -> Result<bool> {
    let Some(account) = vault.get(&Account::key_of(environment, name))? else { return Ok(false) };
    Ok(account.is_brokered() || broker::refresh_token(vault, environment, name)?.is_some())
}

/// Copies everything in the file that the vault does not have.
///
/// Each user costs one request. If the service cannot be reached, the rest is postponed to the next
/// call. The file is not changed, except that `core.remove_migrated` removes it (see
/// [`remove_old`]): other programs may need it, and it still holds the accounts that failed.
pub(crate) fn migrate(context: &Context<'_>, vault: &Vault<'_>) -> Result<Migrated> {
    let system = context.system;
    let mut migrated = Migrated::default();
    let Some(found) = AdalFile::read(system, &context.dir)? else { return Ok(migrated) };
    let state = State::read(context)?;
    let mut moved = Vec::new();
    for entry in found.applications {
        if has(context, vault, &entry)? || state.is_signed_out(&entry) {
            continue;
        }
        let home = context.homes().of_plain(&entry.client_id, &entry.tenant)?;
        if let Some(record) = home.and_then(|home| entry.record(&home)) {
            vault.put(&record)?;
            moved.push(entry.client_id);
        }
    }
    let environment = context.cloud().environment()?;
    for user in &found.users {
        let name = user.user_id.to_lowercase();
        let hopeless = state.reason_of(user).is_some();
        if hopeless || !is_of(user, &environment) || is_here(vault, &environment, &name)? {
            continue;
        }
        match redeem(context, vault, user) {
            Ok(Ok(())) => {
                moved.push(user.user_id.clone());
                State::update(context, |state| drop(state.failed.remove(&name)))?;
            }
            Ok(Err(reason)) => {
                system.terminal.warn(&format!(
                    "The sign-in of {} in {} is no longer valid: {reason}",
                    user.user_id,
                    AdalFile::path(system, &context.dir).display()
                ));
                let failure = Failure { tried: tried(user), reason };
                State::update(context, |state| drop(state.failed.insert(name, failure)))?;
            }
            // The service cannot be reached, or the vault cannot be written.
            Err(error) => {
                migrated.postponed = Some(error);
                break;
            }
        }
    }
    migrated.any = !moved.is_empty();
    let removes = || context.config.is_on(&known::REMOVE_MIGRATED);
    if moved.is_empty() || (removes()? && remove_old(context, vault)?) {
        return Ok(migrated);
    }
    let report = format!(
        "Taken over from {}: {}. The file still holds secrets in plain text; remove it when no other program needs it.",
        AdalFile::path(system, &context.dir).display(),
        moved.join(", ")
    );
    match system.program {
        Program::Azt => system.terminal.warn(&report),
        // Programs that call az treat any output on standard error as a failure.
        Program::Az => system.terminal.info(&report),
    }
    Ok(migrated)
}

/// Removes the old file if the vault has every account in it and no token belongs to another client
/// or cloud. Otherwise warns about the accounts that keep it. True when the file was removed.
pub(crate) fn remove_old(context: &Context<'_>, vault: &Vault<'_>) -> Result<bool> {
    let system = context.system;
    let path = AdalFile::path(system, &context.dir);
    let Some(found) = AdalFile::read(system, &context.dir)? else { return Ok(false) };
    let environment = context.cloud().environment()?;
    let (mut missing, mut others) = (Vec::new(), Vec::new());
    for user in found.users {
        if !is_safe(vault, &user)? {
            let is_missing =
                is_of(&user, &environment) && !is_here(vault, &environment, &user.user_id)?;
            if is_missing { &mut missing } else { &mut others }.push(user.user_id);
        }
    }
    for entry in found.applications {
        if !has(context, vault, &entry)? {
            missing.push(entry.client_id);
        }
    }
    if !missing.is_empty() {
        system.terminal.warn(&format!(
            "{} stays: it has the only sign-in of {}. Sign in again, or remove it yourself.",
            path.display(),
            missing.join(", ")
        ));
    }
    if !others.is_empty() {
        system.terminal.warn(&format!(
            "{} stays: it has sign-ins with other clients or clouds, of {}. Remove it yourself when no program needs them.",
            path.display(),
            others.join(", ")
        ));
    }
    if !missing.is_empty() || !others.is_empty() {
        return Ok(false);
    }
    AdalFile::remove(system, &context.dir)?;
    system.terminal.info(&format!("{} was removed.", path.display()));
    Ok(true)
}

/// True when the file can be removed without losing a refresh token of `user`: all are az's own,
/// and the vault has one for each of their clouds.
fn is_safe(vault: &Vault<'_>, user: &AdalUser) -> Result<bool> {
    for grant in &user.grants {
        let host = host_and_tenant(&grant.authority).map(|(host, _)| host);
        let host = host.filter(|host| is_of(user, host));
        if !host.map_or(Ok(false), |host| is_here(vault, &host, &user.user_id))? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// True when `user` has refresh tokens of az's client for this cloud.
pub(crate) fn is_of(user: &AdalUser, environment: &str) -> bool {
    user.client_id.eq_ignore_ascii_case(AZURE_CLI_CLIENT_ID)
        && user.grants.iter().any(|grant| {
            host_and_tenant(&grant.authority).is_some_and(|(host, _)| host == environment)
        })
}

/// Host and tenant of `https://login.example/tenant`; `None` for ADFS, whose refresh tokens only
/// ADFS accepts.
fn host_and_tenant(authority: &str) -> Option<(String, &str)> {
    let (host, path) = authority.split_once("://")?.1.split_once('/')?;
    let tenant = path.split('/').next().filter(|tenant| !tenant.is_empty())?;
    (!tenant.eq_ignore_ascii_case("adfs")).then(|| (host.to_lowercase(), tenant))
}

/// Signs in `user` with the newest refresh token that is still valid. The inner error is Entra's
/// last refusal; the outer error means that Entra could not be reached.
fn redeem(context: &Context<'_>, vault: &Vault<'_>, user: &AdalUser) -> Result<Result<(), String>> {
    let environment = context.cloud().environment()?;
    let mut reason = String::new();
    for grant in &user.grants {
        let Some((host, tenant)) = host_and_tenant(&grant.authority) else { continue };
        if host != environment {
            continue;
        }
        let scopes = Scopes::of_resource(&grant.resource);
        let signed_in = block_on(SignIn::with_refresh_token(
            context.system,
            context.cloud(),
            tenant,
            &scopes,
            &grant.refresh_token,
        ))?;
        match signed_in {
            // Another process signed this user out meanwhile.
            Ok(_) if State::read(context)?.signed_out.contains(&tried(user)) => {
                return Ok(Err(SIGNED_OUT.to_owned()));
            }
            Ok(sign_in) => {
                sign_in.store(vault)?;
                return Ok(Ok(()));
            }
            Err(error) if error.entra_detail().is_some() && error.retry_after().is_none() => {
                error.message().clone_into(&mut reason);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Err(reason))
}
