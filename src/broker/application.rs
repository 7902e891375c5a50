//! Stored credentials of applications, each for one login host.
//!
//! azt 0.1 filed them without one, so that whatever `clouds.config` said was where a secret went. Such
//! a record is bound once, to the login host that it was used with.

use std::collections::BTreeSet;

use crate::error::{Error, Kind, Result};
use crate::program::Program;
use crate::settings::{Clouds, ConfigDir, Profile, Subscription, UserType, builtin_login_host};
use crate::shell::quoted;
use crate::sys::System;
use crate::vault::{AccessToken, Prompt, Record, ServicePrincipal, Vault};

/// What the settings say of where an application signs in.
#[derive(Clone, Copy)]
pub(crate) struct Homes<'a> {
    dir: &'a ConfigDir,
    clouds: &'a Clouds,
}

impl<'a> Homes<'a> {
    /// By the profile in `dir` and the registered `clouds`.
    pub(crate) fn new(dir: &'a ConfigDir, clouds: &'a Clouds) -> Self {
        Self { dir, clouds }
    }

    /// The login host of the built-in cloud that the profile lists the application in; of one that it
    /// does not list, that of the active cloud if this is a built-in one as it is built in. `None` where
    /// that says nothing, or two things, or names a registered cloud: who can write the profile and
    /// `clouds.config` would have the secret sent wherever they like.
    pub(crate) fn of(&self, client_id: &str, tenant: &str) -> Result<Option<String>> {
        let host = |cloud: &str| builtin_login_host(cloud).map(str::to_owned);
        self.by_profile(client_id, tenant, &host)
    }

    /// [`Homes::of`] for a secret in az's own files, by registered clouds too: those files lie beside
    /// the profile in plain text, so whoever can write that has the secret already.
    pub(crate) fn of_plain(&self, client_id: &str, tenant: &str) -> Result<Option<String>> {
        self.by_profile(client_id, tenant, &|cloud| self.of_cloud(cloud))
    }

    fn by_profile(
        &self,
        client_id: &str,
        tenant: &str,
        host: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<String>> {
        let profile = Profile::load(self.dir)?;
        let is_theirs = |entry: &&Subscription| {
            entry.user_type() == Some(UserType::ServicePrincipal)
                && entry.user_name().eq_ignore_ascii_case(client_id)
        };
        let in_tenant = |entry: &&Subscription| entry.tenant_id().eq_ignore_ascii_case(tenant);
        let theirs = || profile.all().iter().filter(is_theirs);
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

    /// The login host of the cloud called `name`, which the call itself names; of a built-in one as it
    /// is built in, whatever `clouds.config` makes of it.
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

/// All stored applications, those of azt 0.1 bound now; `environment` stays empty in those of which
/// nobody knows what they were for.
pub(crate) fn applications(
    system: &System,
    vault: &Vault<'_>,
    homes: Homes<'_>,
) -> Result<Vec<ServicePrincipal>> {
    let mut all = Vec::new();
    for entry in vault.all::<ServicePrincipal>()? {
        // An azt 0.1 that came after this one files what it seals anew in its own way.
        let is_filed = !entry.environment.is_empty() && vault.get(&entry.key())?.is_some();
        let entry = if is_filed { entry } else { bind(system, vault, homes, entry)? };
        if all.iter().all(|other: &ServicePrincipal| other.key() != entry.key()) {
            all.push(entry);
        }
    }
    Ok(all)
}

/// The stored credential of an application for `environment`: of `tenant`, else of another tenant.
/// `None` when nothing is stored of it.
///
/// # Errors
/// [`Kind::NotSignedIn`] when what is stored is for another login host, or for nobody knows which; one of
/// the vault where it names a place and the key is not the one that the keyring noted.
pub(crate) fn application(
    system: &System,
    vault: &Vault<'_>,
    homes: Homes<'_>,
    environment: &str,
    client_id: &str,
    tenant: &str,
) -> Result<Option<ServicePrincipal>> {
    let found = find(system, vault, homes, environment, client_id, tenant)?;
    // Before anything that is stored is run or read: the vault itself may be somebody else's.
    if found.as_ref().is_some_and(ServicePrincipal::names_a_place) {
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
        return Err(is_elsewhere(system.program, &others, environment, client_id, tenant));
    }
    let at = here.iter().position(|it| it.tenant.eq_ignore_ascii_case(tenant));
    Ok(Some(here.swap_remove(at.unwrap_or(0))))
}

/// Binds `entry`, a record of azt 0.1, to the login host that it was used with, if that is known.
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
    // So that it does not come back when it is signed out meanwhile.
    let Some(_writing) = vault.write_lock() else { return Ok(bound) };
    let file_anew = || -> Result<Option<ServicePrincipal>> {
        if vault.get(&former)?.is_none() {
            return Ok(None);
        }
        // A sign-in there that came later has its own.
        let later = vault.get(&bound.key())?;
        if later.is_none() {
            vault.put(&bound)?;
        }
        vault.remove(&former)?;
        Ok(later)
    };
    match file_anew() {
        Ok(later) => {
            system.terminal.info(&format!(
                "The stored credential of service principal {} is for {} from now on.",
                bound.client_id, bound.environment
            ));
            Ok(later.unwrap_or(bound))
        }
        // It is known where it belongs all the same.
        Err(error) => {
            system.terminal.debug(&format!("an application is not filed anew: {error}"));
            Ok(bound)
        }
    }
}

/// The login host that gave the application its tokens, else the one that the settings name.
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
fn is_elsewhere(
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
            "Nobody knows which cloud the stored credential of service principal {client_id} is for, so it is not sent to {environment}."
        )
    } else {
        format!(
            "The stored credential of service principal {client_id} is for {hosts} and is not sent to {environment}."
        )
    };
    // Its credential is wanted as well: no command line that azt could name.
    Error::new(Kind::NotSignedIn, text).remedy(format!(
        "If {environment} is meant, sign in there: {program} login --service-principal --username {} --tenant {}, with the credential for it.",
        quoted(client_id),
        quoted(tenant)
    ))
}
