//! Selects the profile entry that a command uses.
//!
//! az has one default for all terminals. azt also reads `AZT_SUBSCRIPTION` (name or id) and
//! `AZT_ACCOUNT` (user name or client id): they override the profile's default, and options
//! override both. So two terminals can work with two accounts at the same time.
//! `client_account.rs` selects accounts of clients other than az's.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Context, client_account, is_unknown, with_near_matches};
use crate::entra::is_guid;
use crate::error::{Error, Kind, Result};
use crate::foreign::Typed;
use crate::program::Program;
use crate::settings::{Profile, Subscription};
use crate::sys::Level;

/// The selecting options of the command line.
#[derive(Clone, Copy, Default)]
pub(crate) struct Selection<'a> {
    /// `--subscription`: name or id.
    pub(crate) subscription: Option<&'a str>,
    /// `--account`: user name or client id.
    pub(crate) account: Option<&'a str>,
    /// `--tenant`: GUID or domain; an account in this tenant is preferred.
    pub(crate) tenant: Option<&'a str>,
    /// `--client-id`: a client other than az's, whose accounts are not in the profile.
    pub(crate) client_id: Option<&'a str>,
    /// `--authority`: where that account signed in.
    pub(crate) authority: Option<&'a str>,
}

impl Selection<'_> {
    /// Selects an entry of the profile in `context`'s folder; `--verbose` prints it with the
    /// reason.
    pub(crate) fn find(self, context: &Context<'_>) -> Result<Subscription> {
        let (system, dir) = (context.system, &context.dir);
        if system.terminal.shows(Level::Info) {
            return self.of(&Profile::load(dir)?, context).cloned();
        }
        let env = |name: &str| system.env.non_empty(name);
        let question = || {
            let asked = (self.subscription, self.account, self.tenant);
            let variables = (env("AZT_SUBSCRIPTION"), env("AZT_ACCOUNT"));
            json!([context.cloud().name, asked, variables]).to_string()
        };
        Profile::answer(dir, question, system.clock.now(), |profile| {
            self.of(profile, context).cloned()
        })
    }

    /// Selects an entry of `profile`; `--verbose` prints it with the reason.
    pub(crate) fn of<'p>(
        self,
        profile: &'p Profile,
        context: &Context<'_>,
    ) -> Result<&'p Subscription> {
        let (entry, why) = self.with_reason(profile, context)?;
        tell(context, entry, why);
        Ok(entry)
    }

    /// Selects an entry of `profile`; returns the reason too: `from AZT_ACCOUNT`, `the default`.
    pub(crate) fn with_reason<'p>(
        self,
        profile: &'p Profile,
        context: &Context<'_>,
    ) -> Result<(&'p Subscription, &'static str)> {
        let chosen = self.choose(profile, context);
        chosen.map_err(|error| with_elsewhere(error, profile, context))
    }

    fn choose<'p>(
        self,
        profile: &'p Profile,
        context: &Context<'_>,
    ) -> Result<(&'p Subscription, &'static str)> {
        let (system, cloud) = (context.system, context.cloud().name.as_str());
        let find = |wanted: Option<&str>| {
            profile.find(system.program, cloud, wanted).map_err(|error| match wanted {
                Some(it) => with_near_matches(error, system.program, profile.visible(cloud), it),
                None => error,
            })
        };
        if let Some(account) = self.account {
            return self.of_account(profile, context, account, "from --account");
        }
        if self.subscription.is_some() {
            return Ok((find(self.subscription)?, "from --subscription"));
        }
        let wanted = system.env.non_empty("AZT_SUBSCRIPTION");
        if let Some(account) = system.env.non_empty("AZT_ACCOUNT") {
            // With both variables set, both must match: a typo in one must not select another
            // account.
            let both = Selection { subscription: wanted.as_deref(), ..self };
            let found = both.of_account(profile, context, &account, "from AZT_ACCOUNT");
            return found.map_err(|error| of_variable(error, "AZT_ACCOUNT and AZT_SUBSCRIPTION"));
        }
        if let Some(wanted) = wanted {
            let found = profile.find(system.program, cloud, Some(&wanted));
            let entry = found.map_err(|error| {
                let error = of_variable(error, "AZT_SUBSCRIPTION");
                let is_wrong = error.kind() == Kind::Failed && system.program == Program::Azt;
                if !is_wrong || !is_unknown(profile.visible(cloud), &wanted) {
                    return error;
                }
                let text = format!(
                    "Subscription '{}' not found. AZT_SUBSCRIPTION names it in this shell: correct the variable, or unset it.",
                    Typed(&wanted)
                );
                let all = profile.visible(cloud);
                with_near_matches(Error::failed(text), system.program, all, &wanted)
            })?;
            return Ok((entry, "from AZT_SUBSCRIPTION"));
        }
        // With a tenant, a missing default is not an error yet.
        let default = find(None).map_err(|error| without_default(error, profile, context));
        let Some(tenant) = self.tenant else { return Ok((default?, "the default")) };
        let has_it = |entry: &&Subscription| is_in(entry, tenant);
        if let Ok(default) = default {
            let own = |entry: &Subscription| entry.user_name() == default.user_name();
            if profile.visible(cloud).any(|entry| own(entry) && is_in(entry, tenant)) {
                return Ok((default, "the default, whose account is in that tenant"));
            }
        }
        match profile.visible(cloud).find(has_it) {
            Some(entry) => Ok((entry, "because the default's account is not in that tenant")),
            None => Ok((default?, "the default")),
        }
    }

    /// Selects an entry of `account`: that of `--subscription`, else of `AZT_SUBSCRIPTION`, else
    /// one in the tenant, else the default, else the first `Enabled` one, else the first.
    fn of_account<'p>(
        self,
        profile: &'p Profile,
        context: &Context<'_>,
        account: &str,
        why: &'static str,
    ) -> Result<(&'p Subscription, &'static str)> {
        let (system, cloud) = (context.system, context.cloud().name.as_str());
        let name = account.to_lowercase();
        let own: Vec<&Subscription> = profile
            .visible(cloud)
            .filter(|entry| entry.user_name().to_lowercase() == name)
            .collect();
        if own.is_empty() {
            let mut others: Vec<&str> =
                profile.visible(cloud).map(Subscription::user_name).collect();
            others.dedup();
            let login = format!("{} login", system.program);
            let error = |text: String| Error::new(Kind::NotSignedIn, text);
            let error = if self.account.is_none() {
                // No `command`: a sign-in with another account would leave the variable wrong.
                error(format!(
                    "The account '{account}', which AZT_ACCOUNT names, is not signed in. Run `{login}` for it, or correct AZT_ACCOUNT.",
                    account = Typed(account)
                ))
            } else {
                let text = format!(
                    "The account '{account}' is not signed in. Run `{login}`",
                    account = Typed(account)
                );
                if is_guid(account) {
                    // No `command`: azt does not know the credential options.
                    error(text + " for this service principal.")
                } else {
                    error(text + ".").command(login)
                }
            };
            return Err(if others.is_empty() {
                error
            } else {
                error.remedy(format!("Signed-in accounts: {}", others.join(", ")))
            });
        }
        let called = |wanted: &str| {
            let lower = wanted.to_lowercase();
            let mut found = own.iter().copied().filter(|entry| entry.is_called(&lower));
            match (found.next(), found.next()) {
                // `Profile::find` reports the ambiguity in az's words.
                (_, Some(_)) => profile.find(system.program, cloud, Some(wanted)).map(Some),
                (first, None) => Ok(first),
            }
        };
        if let Some(wanted) = self.subscription {
            let entry = called(wanted)?.ok_or_else(|| {
                let text = format!(
                    "The account '{account}' has no subscription '{wanted}'.",
                    account = Typed(account),
                    wanted = Typed(wanted)
                );
                with_near_matches(Error::failed(text), system.program, own.iter().copied(), wanted)
            });
            return entry.map(|entry| (entry, why));
        }
        let from_env = match system.env.non_empty("AZT_SUBSCRIPTION") {
            Some(wanted) => called(&wanted)?,
            None => None,
        };
        let chosen = from_env
            .or_else(|| {
                own.iter()
                    .copied()
                    .find(|entry| self.tenant.is_some_and(|tenant| is_in(entry, tenant)))
            })
            .or_else(|| own.iter().copied().find(|entry| entry.is_default()))
            .or_else(|| own.iter().copied().find(|entry| entry.state() == "Enabled"))
            .or_else(|| own.first().copied());
        chosen.map(|entry| (entry, why)).ok_or_else(|| Error::failed("The profile is empty."))
    }
}

/// If the active cloud has no subscriptions, replaces `error` by a hint at `AZURE_CLOUD_NAME` when
/// that variable selects it while another cloud has some; else adds the accounts of other clients.
/// Under the name `az`, keeps `error`, az's message.
pub(crate) fn with_elsewhere(error: Error, profile: &Profile, context: &Context<'_>) -> Error {
    let (system, cloud) = (context.system, context.cloud().name.as_str());
    if profile.visible(cloud).next().is_some() {
        return error;
    }
    let is_elsewhere = !profile.all().is_empty();
    match system.env.non_empty("AZURE_CLOUD_NAME") {
        Some(name) if is_elsewhere && system.program == Program::Azt => Error::new(
            Kind::NotSignedIn,
            format!(
                "Nobody is signed in to {cloud}, and AZURE_CLOUD_NAME is '{name}'. Run `azt login` for that cloud, or correct AZURE_CLOUD_NAME.",
                name = Typed(&name)
            ),
        ),
        _ => client_account::with_hint(error, context),
    }
}

/// What to do if accounts are signed in and none of their subscriptions is the default. Under the
/// name `az`, keeps `error`, az's message.
fn without_default(error: Error, profile: &Profile, context: &Context<'_>) -> Error {
    if error.kind() != Kind::Failed || context.system.program == Program::Az {
        return error;
    }
    let users = profile.visible(&context.cloud().name).map(Subscription::user_name);
    let users: Vec<&str> = users.collect::<BTreeSet<_>>().into_iter().collect();
    Error::failed("No subscription found: none is the default.")
        .remedy(format!("Signed in: {}.", users.join(", ")))
        .remedy("Choose one: azt switch")
        .command("azt switch")
        .remedy("Or by its name or id: azt account set -s NAME")
}

/// Says that `variables` made the choice that failed.
fn of_variable(error: Error, variables: &str) -> Error {
    if error.kind() == Kind::Failed {
        return error.remedy(format!("The choice comes from the environment: {variables}."));
    }
    error
}

fn tell(context: &Context<'_>, entry: &Subscription, why: &str) {
    let terminal = &context.system.terminal;
    if terminal.shows(Level::Info) {
        let (user, name, id) = (entry.user_name(), entry.name(), entry.id());
        terminal.info(&format!("Account {user} by subscription '{name}' ({id}), {why}."));
    }
}

/// True when `tenant`, a GUID or a domain, is the tenant of the entry.
pub(crate) fn is_in(entry: &Subscription, tenant: &str) -> bool {
    let domain = entry.tenant_default_domain();
    entry.tenant_id().eq_ignore_ascii_case(tenant)
        || domain.is_some_and(|domain| domain.eq_ignore_ascii_case(tenant))
}
