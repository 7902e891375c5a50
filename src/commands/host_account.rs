//! Which account a host gets a token of.

use crate::accounts::{Context, Selection, is_in};
use crate::broker::{self, Wanted};
use crate::cli::GetAccessToken;
use crate::entra::Scopes;
use crate::error::Result;
use crate::hosts::Destination;
use crate::settings::Profile;
use crate::vault::{HostAccount, Vault};

use super::get_access_token::{self, Issued};

/// Most accounts to try at one host.
const MOST: usize = 3;

/// An account to try, with the tenant of its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// `None` for the account of the options, the variables or the default.
    pub(super) account: Option<String>,
    /// `None` for the account's own.
    pub(super) tenant: Option<String>,
    /// Why.
    pub(super) reason: &'static str,
}

/// The accounts to try at `destination`, the best first, three at most: the chosen one, the one in the
/// tenant that the server `named`, the one that the host accepted last, the default, the others.
///
/// # Errors
/// The profile cannot be read.
pub(super) fn choices(
    destination: &Destination,
    options: &GetAccessToken,
    named: Option<&str>,
    vault: Option<&Vault<'_>>,
    context: &Context<'_>,
) -> Result<Vec<Choice>> {
    let own = |reason| Choice { account: None, tenant: options.tenant.clone(), reason };
    if is_chosen(options, context) {
        return Ok(vec![own("it was chosen")]);
    }
    if let Some(account) = &destination.account {
        let (account, tenant) = (Some(account.clone()), destination.tenant.clone());
        return Ok(vec![Choice { account, tenant, reason: "from the settings of the host" }]);
    }
    if let Some(tenant) = &destination.tenant {
        let tenant = Some(tenant.clone());
        return Ok(vec![Choice { tenant, ..own("the settings of the host name its tenant") }]);
    }
    let profile = Profile::load(&context.dir)?;
    let entries = || profile.visible(&context.cloud().name);
    let mut found: Vec<Choice> = Vec::new();
    let default = Selection::default().of(&profile, context).ok();
    if let Some(tenant) = named {
        let mut there = entries().filter(|entry| is_in(entry, tenant));
        let account = default.filter(|it| is_in(it, tenant)).or_else(|| there.next());
        let account = account.or(default).map(|entry| entry.user_name().to_owned());
        let tenant = Some(tenant.to_owned());
        found.push(Choice { account, tenant, reason: "the host named its tenant" });
    }
    if let Some(accepted) = vault.and_then(|vault| accepted(destination, vault, context)) {
        let is_here = entries().any(|entry| entry.user_name() == accepted.account);
        if is_here && named.is_none_or(|tenant| tenant == accepted.tenant) {
            let (account, tenant) = (Some(accepted.account), Some(accepted.tenant));
            found.push(Choice { account, tenant, reason: "the host accepted it last" });
        }
    }
    if named.is_none() {
        if let Some(entry) = default {
            let account = Some(entry.user_name().to_owned());
            found.push(Choice { account, tenant: None, reason: "the default" });
        }
        for entry in entries() {
            let account = Some(entry.user_name().to_owned());
            found.push(Choice { account, tenant: None, reason: "signed in too" });
        }
    }
    let mut known = Vec::new();
    found.retain(|choice| {
        let is_new = !known.contains(&choice.account);
        known.push(choice.account.clone());
        is_new
    });
    found.truncate(MOST);
    Ok(found)
}

impl Choice {
    /// Makes `options` use this account.
    pub(super) fn apply(&self, options: &mut GetAccessToken) {
        if self.account.is_some() {
            options.account.clone_from(&self.account);
        }
        if self.tenant.is_some() {
            options.tenant.clone_from(&self.tenant);
        }
    }
}

/// True if the command line or a variable chooses the account.
fn is_chosen(options: &GetAccessToken, context: &Context<'_>) -> bool {
    let by_option = options.account.is_some()
        || options.subscription.is_some()
        || options.tenant.is_some()
        || options.client_id.is_some()
        || options.identity_from_env;
    let is_set = |name: &str| context.system.env.non_empty(name).is_some();
    by_option || ["AZT_ACCOUNT", "AZT_SUBSCRIPTION", "AZT_CLIENT_ID"].into_iter().any(is_set)
}

fn accepted(
    destination: &Destination,
    vault: &Vault<'_>,
    context: &Context<'_>,
) -> Option<HostAccount> {
    let environment = context.cloud().environment().ok()?;
    vault.get(&HostAccount::key_of(&environment, &destination.host)).ok().flatten()
}

/// The token for `destination` of its first choice.
pub(super) fn issued_for(
    destination: &Destination,
    options: &GetAccessToken,
    how_new: Wanted,
    context: &Context<'_>,
) -> Result<Issued> {
    let mut options = options.clone();
    let vault = if is_chosen(&options, context) { None } else { opened(context) };
    let choices = choices(destination, &options, None, vault.as_ref(), context)?;
    if let Some(first) = choices.first() {
        first.apply(&mut options);
    }
    let scopes = Scopes::of_resource(&destination.audience);
    get_access_token::issued(&options, Some(scopes), how_new, vault, context)
}

/// The vault, if there is one here.
pub(super) fn opened<'s>(context: &Context<'s>) -> Option<Vault<'s>> {
    broker::open_vault(context.system, &context.dir, &context.config).ok().flatten()
}

/// Notes that the host accepted the token of `issued`. A failure is no error: the note saves a try.
pub(super) fn note_accepted(destination: &Destination, issued: &Issued, context: &Context<'_>) {
    let note = || -> Result<()> {
        let Some(vault) = opened(context) else { return Ok(()) };
        let environment = context.cloud().environment()?;
        let key = HostAccount::key_of(&environment, &destination.host);
        let known = vault.get(&key)?;
        let is_known =
            known.is_some_and(|it| it.account == issued.account && it.tenant == issued.tenant);
        if is_known {
            return Ok(());
        }
        vault.put(&HostAccount {
            host: destination.host.clone(),
            environment,
            account: issued.account.clone(),
            tenant: issued.tenant.clone(),
            accepted_at: context.system.clock.now(),
            other: serde_json::Map::default(),
        })
    };
    if let Err(error) = note() {
        context.system.terminal.debug(&format!("the host's account is not noted: {error}"));
    }
}
