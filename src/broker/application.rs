//! Stored credentials of applications, each for one login host.
//!
//! azt 0.1 stored them without a login host, so `clouds.config` decided where a secret was sent.
//! Such a record is bound once, to the login host that it was used with.

use std::collections::BTreeSet;

use crate::error::{Error, Kind, Result};
use crate::program::Program;
use crate::settings::{Clouds, ConfigDir, Profile, Subscription, UserType, builtin_login_host};
use crate::shell::quoted;
use crate::sys::System;
use crate::vault::{AccessToken, Prompt, Record, ServicePrincipal, Vault};

/// Finds the cloud of an application from the settings.
#[derive(Clone, Copy)]
pub(crate) struct Homes<'a> {
    dir: &'a ConfigDir,
    clouds: &'a Clouds,
}

impl<'a> Homes<'a> {
    /// From the profile in `dir` and the registered `clouds`.
    pub(crate) fn new(dir: &'a ConfigDir, clouds: &'a Clouds) -> Self {
        Self { dir, clouds }
    }

    /// The login host of the built-in cloud under which the profile lists the application. For an
    /// unlisted application, that of the active cloud, if it is built in and unchanged.
    ///
    /// `None` if the profile lists several hosts or a registered cloud. Otherwise an attacker who
    /// can write the profile and `clouds.config` could choose where the secret is sent.
    pub(crate) fn of(&self, client_id: &str, tenant: &str) -> Result<Option<String>> {
        let host = |cloud: &str| builtin_login_host(cloud).map(str::to_owned);
        self.by_profile(client_id, tenant, &host)
    }

    /// Like [`Homes::of`], but accepts registered clouds. For secrets in az's own files: these are
    /// plain text beside the profile, so an attacker who can write the profile already has them.
    pub(crate) fn of_plain(&self, client_id: &str, tenant: &str) -> Result<Option<String>> {
        self.by_profile(client_id, tenant, &|cloud| self.of_cloud(cloud))
    }

    /// The default domain of `tenant`, a GUID, in the active cloud; `None` if the profile has none
    /// that is made of a domain's characters.
    pub(super) fn domain_of(&self, tenant: &str) -> Option<String> {
        let is_domain = |text: &&str| {
            let is_part = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
            text.contains('.') && text.chars().all(is_part)
        };
        let profile = Profile::load_or_new(self.dir).ok()?;
        let mut all = profile.visible(&self.clouds.active().name);
        let entry = all.find(|entry| entry.tenant_id().eq_ignore_ascii_case(tenant))?;
        entry.tenant_default_domain().filter(is_domain).map(str::to_owned)
    }

    fn by_profile(
        &self,
        client_id: &str,
        tenant: &str,
        host: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<String>> {
        let profile = Profile::load(self.dir)?;
        let is_its_entry = |entry: &&Subscription| {
            entry.user_type() == Some(UserType::ServicePrincipal)
                && entry.user_name().eq_ignore_ascii_case(client_id)
        };
        let in_tenant = |entry: &&Subscription| entry.tenant_id().eq_ignore_ascii_case(tenant);
        let theirs = || profile.all().iter().filter(is_its_entry);
        let mut clouds: BTreeSet<&str> =
            theirs().filter(in_tenant).map(Subscription::environment_name).collect();
        if clouds.is_empty() {
            clouds = theirs().map(Subscription::environment_name).collect();
        }
        if clouds.is_empty() {
            return Ok(self.of_active());
        }
        let hosts: BTreeSet<Option<String>> = clouds.into_iter().map(host).collect();
        let mut hosts = hosts.into_iter();
        Ok(hosts.next().flatten().filter(|_| hosts.next().is_none()))
    }

    /// The login host of the cloud named `name`. A built-in cloud keeps its built-in host, even if
    /// `clouds.config` overrides it.
    pub(crate) fn of_cloud(&self, name: &str) -> Option<String> {
        match builtin_login_host(name) {
            Some(host) => Some(host.to_owned()),
            None => self.clouds.get(name).ok()?.environment().ok(),
        }
    }

    fn of_active(&self) -> Option<String> {
        let active = self.clouds.active();
        let built_in = builtin_login_host(&active.name)?;
        (active.environment().ok()?.as_str() == built_in).then(|| built_in.to_owned())
    }
}

/// All stored applications. Binds records of azt 0.1; `environment` stays empty if their login host
/// is unknown.
pub(crate) fn applications(
    system: &System,
    vault: &Vault<'_>,
    homes: Homes<'_>,
) -> Result<Vec<ServicePrincipal>> {
    let mut all = Vec::new();
    for entry in vault.all::<ServicePrincipal>()? {
        // azt 0.1 may have rewritten a record of this version under its own key.
        let is_filed = !entry.environment.is_empty() && vault.get(&entry.key())?.is_some();
        let entry = if is_filed { entry } else { bind(system, vault, homes, entry)? };
        if all.iter().all(|other: &ServicePrincipal| other.key() != entry.key()) {
            all.push(entry);
        }
    }
    Ok(all)
}

/// The stored credential of an application for `environment`: that of `tenant`, else of another
/// tenant. `None` if none is stored.
///
/// # Errors
/// [`Kind::NotSignedIn`] if the stored credential is for another or an unknown login host. An error
/// of the vault if the credential names a command or file and the vault's key is not the one that
/// the keyring pinned.
pub(crate) fn application(
    system: &System,
    vault: &Vault<'_>,
    homes: Homes<'_>,
    environment: &str,
    client_id: &str,
    tenant: &str,
) -> Result<Option<ServicePrincipal>> {
    let found = find(system, vault, homes, environment, client_id, tenant)?;
    // Check before running or reading what a record names: the vault may have been swapped.
    if found.as_ref().is_some_and(ServicePrincipal::has_external_credential) {
        vault.check_pin(Prompt::Never)?;
    }
    Ok(found)
}

fn find(
    system: &System,
    vault: &Vault<'_>,
    homes: Homes<'_>,
    environment: &str,
    client_id: &str,
    tenant: &str,
) -> Result<Option<ServicePrincipal>> {
    if let Some(entry) = vault.get(&ServicePrincipal::key_of(environment, client_id, tenant))? {
        return Ok(Some(entry));
    }
    let mut theirs = applications(system, vault, homes)?;
    theirs.retain(|entry| entry.client_id.eq_ignore_ascii_case(client_id));
    if theirs.is_empty() {
        return Ok(None);
    }
    let (mut here, others): (Vec<_>, Vec<_>) =
        theirs.into_iter().partition(|it| it.environment.eq_ignore_ascii_case(environment));
    if here.is_empty() {
        return Err(bound_elsewhere(system.program, &others, environment, client_id, tenant));
    }
    let at = here.iter().position(|it| it.tenant.eq_ignore_ascii_case(tenant));
    Ok(Some(here.swap_remove(at.unwrap_or(0))))
}

/// Binds `entry`, a record of azt 0.1, to the login host that it was used with, if known.
fn bind(
    system: &System,
    vault: &Vault<'_>,
    homes: Homes<'_>,
    entry: ServicePrincipal,
) -> Result<ServicePrincipal> {
    let environment = match entry.environment.as_str() {
        "" => used_with(vault, homes, &entry)?,
        named => Some(named.to_owned()),
    };
    let Some(environment) = environment else { return Ok(entry) };
    let former = ServicePrincipal::former_key_of(&entry.client_id, &entry.tenant);
    let bound = ServicePrincipal { environment, ..entry };
    // The lock keeps a concurrent sign-out from being undone.
    let Some(_writing) = vault.write_lock() else { return Ok(bound) };
    let rebind = || -> Result<Option<ServicePrincipal>> {
        if vault.get(&former)?.is_none() {
            return Ok(None);
        }
        // A newer sign-in at this host wins.
        let later = vault.get(&bound.key())?;
        if later.is_none() {
            vault.put(&bound)?;
        }
        vault.remove(&former)?;
        Ok(later)
    };
    match rebind() {
        Ok(later) => {
            system.terminal.info(&format!(
                "The stored credential of service principal {} is now bound to {}.",
                bound.client_id, bound.environment
            ));
            Ok(later.unwrap_or(bound))
        }
        // The binding is known even if it cannot be stored.
        Err(error) => {
            system.terminal.debug(&format!("the binding of an application is not stored: {error}"));
            Ok(bound)
        }
    }
}

/// The login host that issued tokens to the application, else the one that the settings name.
fn used_with(
    vault: &Vault<'_>,
    homes: Homes<'_>,
    entry: &ServicePrincipal,
) -> Result<Option<String>> {
    let is_its_own = |token: &AccessToken| {
        token.account.is_empty()
            && token.client_id.eq_ignore_ascii_case(&entry.client_id)
            && token.realm.eq_ignore_ascii_case(&entry.tenant)
    };
    let tokens = vault.all::<AccessToken>()?.into_iter().filter(is_its_own);
    let mut hosts = tokens.map(|token| token.environment).collect::<BTreeSet<_>>().into_iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => Ok(Some(host)),
        _ => homes.of(&entry.client_id, &entry.tenant),
    }
}

/// The error for credentials that are for `others`, not for `environment`.
fn bound_elsewhere(
    program: Program,
    others: &[ServicePrincipal],
    environment: &str,
    client_id: &str,
    tenant: &str,
) -> Error {
    let hosts: BTreeSet<&str> =
        others.iter().map(|it| it.environment.as_str()).filter(|host| !host.is_empty()).collect();
    let hosts = hosts.into_iter().collect::<Vec<_>>().join(" and ");
    let text = if hosts.is_empty() {
        format!(
            "It is not known which cloud the stored credential of service principal {client_id} is for, so it is not sent to {environment}."
        )
    } else {
        format!(
            "The stored credential of service principal {client_id} is for {hosts} and is not sent to {environment}."
        )
    };
    // No full command line: the sign-in needs a credential that azt does not know.
    Error::new(Kind::NotSignedIn, text).remedy(format!(
        "To use {environment}, sign in there: {program} login --service-principal --username {} --tenant {}, with the credential for it.",
        quoted(client_id),
        quoted(tenant)
    ))
}
