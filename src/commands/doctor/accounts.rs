//! Checks each signed-in account.

use super::super::login as sign_in;
use super::check::{Check, State, Topic};
use crate::accounts::{Context, client_account, refresh_subscriptions, sources_of_az};
use crate::broker::{self, Identity};
use crate::error::Result;
use crate::interop;
use crate::settings::{Profile, Subscription, UserType};
use crate::shell::quoted;
use crate::vault::{Account, ServicePrincipal, Vault};

/// Refresh tokens expire after 90 days without use; the warning comes earlier. In seconds.
const LONG_UNUSED: i64 = 80 * 24 * 3600;

/// Checks all accounts in the profile. With `is_online`, requests a token for those of the active
/// cloud.
pub(super) fn accounts(
    context: &Context<'_>,
    vault: &Result<Option<Vault<'_>>>,
    is_online: bool,
) -> Result<Vec<Check>> {
    let profile = Profile::load(&context.dir)?;
    let mut seen: Vec<(String, String)> = Vec::new();
    let mut checks = Vec::new();
    for entry in profile.all() {
        let id = (entry.user_name().to_lowercase(), entry.environment_name().to_owned());
        if !seen.contains(&id) {
            let is_here = entry.environment_name() == context.cloud().name;
            checks.push(account(context, vault, entry, is_online && is_here));
            seen.push(id);
        }
    }
    if let Ok(Some(vault)) = vault {
        let others = broker::client_accounts(vault)?;
        checks.extend(others.iter().map(|it| {
            let shown = client_account::shown(it);
            Check::ok(Topic::Account, format!("{shown}: has its refresh token"))
        }));
    }
    if checks.is_empty() {
        let login = format!("{} login", context.system.program);
        checks.push(Check::warning(Topic::Accounts, "nobody is signed in").cured_by(login));
    }
    Ok(checks)
}

/// Checks whether an account can get tokens without user interaction; `tries` requests one.
fn account(
    context: &Context<'_>,
    vault: &Result<Option<Vault<'_>>>,
    entry: &Subscription,
    tries: bool,
) -> Check {
    let name = entry.user_name();
    let system = context.system;
    let is_application = entry.user_type() == Some(UserType::ServicePrincipal);
    let identity = Identity::of(entry, system);
    if matches!(identity, Ok(Identity::ManagedIdentity(_) | Identity::CloudShell { .. })) {
        return if tries {
            tried(context, entry)
        } else {
            Check::ok(Topic::Account, format!("{name}: this host's identity"))
        };
    }
    if matches!(broker::is_memory_only(&context.config), Ok(true)) {
        return Check::of_error(Topic::Account, &sign_in::not_kept()).about(name);
    }
    let cloud = entry.environment_name();
    let Ok(environment) = context.clouds.get(cloud).and_then(|cloud| cloud.environment()) else {
        return Check::warning(
            Topic::Account,
            format!("{name}: its cloud '{cloud}' is not registered"),
        )
        .remedy(format!(
            "Register it again: {} cloud register --name {}, with its endpoints.",
            system.program,
            quoted(cloud)
        ));
    };
    let vault = match vault {
        Ok(Some(vault)) => vault,
        Ok(None) => return missing(context, &environment, entry),
        Err(_) => {
            return Check::warning(Topic::Account, format!("{name}: cannot check its sign-in"))
                .remedy("Repair the vault first.");
        }
    };
    let look = || -> Result<Check> {
        if is_application {
            let (homes, tenant) = (context.homes(), entry.tenant_id());
            let found = broker::application(system, vault, homes, &environment, name, tenant)?;
            return Ok(match found.filter(|it| it.tenant.eq_ignore_ascii_case(tenant)) {
                Some(found) => match credential(name, &found) {
                    kept if tries && kept.state == State::Ok => tried(context, entry),
                    kept => kept,
                },
                None => missing(context, &environment, entry),
            });
        }
        let last = broker::refresh_token(vault, &environment, name)?
            .map(|token| token.last_modification_time);
        let known = vault.get(&Account::key_of(&environment, name))?;
        if last.is_none() && known.as_ref().is_some_and(Account::is_brokered) {
            let text = format!("{name}: the identity broker has its sign-in");
            return Ok(if tries { tried(context, entry) } else { Check::ok(Topic::Account, text) });
        }
        Ok(match last.filter(|_| known.is_some()) {
            Some(at) if at > 0 && system.clock.now() - at > LONG_UNUSED => Check::warning(
                Topic::Account,
                format!("{name}: not used for {} days, of 90", (system.clock.now() - at) / 86_400),
            )
            .remedies(
                std::iter::once("Get a token, or sign in again.".to_owned())
                    .chain(login(context, entry)),
            ),
            Some(_) if tries => tried(context, entry),
            Some(_) => Check::ok(Topic::Account, format!("{name}: can refresh silently")),
            None => missing(context, &environment, entry),
        })
    };
    look().unwrap_or_else(|error| Check::of_error(Topic::Account, &error))
}

/// Checks whether the account of `entry` gets a token now.
fn tried(context: &Context<'_>, entry: &Subscription) -> Check {
    let name = entry.user_name();
    match refresh_subscriptions::try_sign_in(context, entry) {
        Ok(()) => Check::ok(Topic::Account, format!("{name}: gets tokens")),
        Err(error) => Check::of_error(Topic::Account, &error).about(name),
    }
}

fn missing(context: &Context<'_>, environment: &str, entry: &Subscription) -> Check {
    let name = entry.user_name();
    let homes = context.homes();
    let home = |client_id: &str, tenant: &str| homes.of_plain(client_id, tenant);
    if interop::can_adopt(&context.dir, environment, name, &broker::can_redeem, &home) {
        return Check::ok(
            Topic::Account,
            format!("{name}: signed in with az; azt uses that sign-in when needed"),
        );
    }
    let missing = Check::failure(Topic::Account, format!("{name}: listed, but not signed in"));
    let mut login = login(context, entry);
    if entry.user_type() == Some(UserType::ServicePrincipal) {
        if let [named, ..] = sources_of_az(context, name).as_slice() {
            return missing.remedy(named);
        }
        let tenant = quoted(entry.tenant_id());
        if let Some(last) = login.last_mut() {
            *last =
                format!("{last} --service-principal --username {} --tenant {tenant}", quoted(name));
        }
        login.push("Add its credential: --password, --certificate or another.".to_owned());
        return missing.remedies(login);
    }
    if entry.environment_name() == context.cloud().name {
        missing.cured_by(format!("{} login", context.system.program))
    } else {
        missing.remedies(login)
    }
}

/// The lines with the commands that sign in to the cloud of `entry`; two if that is not the active
/// cloud.
fn login(context: &Context<'_>, entry: &Subscription) -> Vec<String> {
    let (program, cloud) = (context.system.program, entry.environment_name());
    if cloud == context.cloud().name {
        return vec![format!("Run: {program} login")];
    }
    let cloud = quoted(cloud);
    vec![format!("Run: {program} cloud set --name {cloud}"), format!("Then run: {program} login")]
}

fn credential(name: &str, found: &ServicePrincipal) -> Check {
    match &found.certificate {
        Some(path) if !std::path::Path::new(path).exists() => {
            Check::failure(Topic::Account, format!("{name}: its certificate {path} is missing"))
                .remedy("Put it back, or sign in with another.")
        }
        _ => Check::ok(Topic::Account, format!("{name}: has its credential")),
    }
}
