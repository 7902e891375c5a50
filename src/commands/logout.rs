//! `logout`.

use super::Answer;
use crate::accounts::{self, Context, Selection, client_account, migration};
use crate::broker;
use crate::cli::Logout;
use crate::error::{Error, Kind, Result};
use crate::foreign::Typed;
use crate::interop::{self, AdalFile};
use crate::program::Program;
use crate::settings::Profile;
use crate::shell::quoted;
use crate::vault::{ClientAccount, Vault};

/// Removes the account's tokens and secrets, then its subscriptions, in all clouds. Under the name
/// `az`, an unknown account is a success, as in az.
pub(super) fn run(request: &Logout, context: &Context<'_>) -> Result<Answer> {
    // As for a token, so that the account that `account show` names is the one that is signed out.
    let selection = Selection {
        subscription: None,
        account: request.username.as_deref(),
        tenant: request.tenant.as_deref(),
        client_id: request.client_id.as_deref(),
        authority: request.authority.as_deref(),
    };
    if let Some((account, vault)) =
        selection.client_account_among(context, "--username", |_| true)?
    {
        if request.username.is_none() && request.client_id.is_none() {
            agree(request, context, &client_account::shown(&account))?;
        }
        return of_client(&account, &vault, request, context);
    }
    if request.tenant.is_some() {
        return Err(Error::new(
            Kind::Inapplicable,
            "--tenant selects an account of a client, which --client-id or AZT_CLIENT_ID must name.",
        ));
    }
    let name = if let Some(name) = &request.username {
        name.clone()
    } else {
        let profile = Profile::load_or_new(&context.dir)?;
        profile
            .find(context.system.program, &context.cloud().name, None)
            .map_err(|_| no_default(context))?
            .user_name()
            .to_owned()
    };
    check_is_known(context, &name)?;
    if request.username.is_none() {
        agree(request, context, &name)?;
    }
    context.put_aside_damaged()?;
    // Fails before the first change if the profile could not be written afterwards.
    Profile::try_out_change(&context.dir, |profile| {
        profile.remove_user(&name);
    })?;
    // Before the vault, because a concurrent token request would copy the account from az's files
    // again. An error is reported at the end.
    let elsewhere = interop::unshare(&context.dir, &name);
    let elsewhere = elsewhere.and(migration::sign_out(context, &name));
    if let Some(vault) = broker::open_vault(context.system, &context.dir, &context.config)? {
        broker::sign_out(&vault, &name)?;
    }
    // Again, because a concurrent refresh may have shared its new refresh token with az.
    let elsewhere = elsewhere.and_then(|()| interop::unshare(&context.dir, &name));
    Profile::update(&context.dir, |profile| {
        profile.remove_user(&name);
        Ok(())
    })?;
    match elsewhere {
        Err(error) if accounts::is_shared(context)? => return Err(error),
        Err(error) => context.system.terminal.warn(error.message()),
        Ok(()) => {}
    }
    tell(context, &name);
    Ok(Answer::none())
}

/// Asks whether to sign out `name`, whom the call does not name. Without a terminal the call counts
/// as the answer, as in az.
fn agree(request: &Logout, context: &Context<'_>, name: &str) -> Result<()> {
    let system = context.system;
    if request.yes || system.program == Program::Az || !system.can_ask() {
        return Ok(());
    }
    if system.terminal.confirm(&format!("Sign out {}?", Typed(name)))? {
        return Ok(());
    }
    Err(Error::new(Kind::Cancelled, "Nobody was signed out.")
        .remedy("To sign out another account: azt logout --username NAME"))
}

/// Says who was signed out, and tells a person what the default is now.
fn tell(context: &Context<'_>, name: &str) {
    context.system.say(&format!("Signed out {}.", Typed(name)));
    let profile = Profile::load(&context.dir).unwrap_or_default();
    let default = profile.visible(&context.cloud().name).find(|entry| entry.is_default());
    context.system.tell(&match default {
        Some(entry) => {
            format!("The default is {} ({}).", entry.name_and_flaw(), entry.user_name())
        }
        None if profile.all().is_empty() => "Nobody is signed in now.".to_owned(),
        None => "No subscription is the default now. Choose one: azt switch".to_owned(),
    });
}

/// Removes `account`, of a client other than az's.
///
/// # Errors
/// It is not in the tenant that `request` names.
fn of_client(
    account: &ClientAccount,
    vault: &Vault<'_>,
    request: &Logout,
    context: &Context<'_>,
) -> Result<Answer> {
    let is_there = |tenant: &String| {
        account.authority.is_none() && account.tenant.eq_ignore_ascii_case(tenant)
    };
    if request.tenant.as_ref().is_none_or(is_there) {
        broker::sign_out_of_client(vault, account)?;
        context.system.say(&format!("Signed out {}.", client_account::shown(account)));
        return Ok(Answer::none());
    }
    let shown = client_account::shown(account);
    let text = format!("The only such account is {shown}, which --tenant does not name.");
    Err(Error::new(Kind::NotSignedIn, text))
}

/// Fails if no account `name` is signed in to any cloud: after a misspelled name the account would
/// stay signed in unnoticed. Under the name `az` this is a success, as in az.
fn check_is_known(context: &Context<'_>, name: &str) -> Result<()> {
    let matches =
        |it: &str| it.eq_ignore_ascii_case(name) || it.to_lowercase() == name.to_lowercase();
    // az's files of any cloud count too; an unreadable file may contain the account.
    if context.system.program == Program::Az
        || Profile::load_or_new(&context.dir)?.all().iter().any(|entry| matches(entry.user_name()))
        || interop::may_know(&context.dir, name)
        || AdalFile::exists(context.system, &context.dir)
    {
        return Ok(());
    }
    let vault = broker::open_vault(context.system, &context.dir, &context.config)?;
    let names = vault.map(|vault| broker::signed_in(&vault)).transpose()?.unwrap_or_default();
    if names.iter().any(|it| matches(it)) {
        return Ok(());
    }
    let error =
        Error::new(Kind::NotSignedIn, format!("Nobody called '{}' is signed in.", Typed(name)));
    Err(match names.as_slice() {
        [] => error,
        names => error.remedy(format!("Signed in: {}.", names.join(", "))),
    })
}

/// The error of a sign-out without a name if the profile has no default. The profile may be new,
/// in place of a damaged one, so the error lists the accounts in the vault.
fn no_default(context: &Context<'_>) -> Error {
    let error = Error::new(Kind::NotSignedIn, "There are no active accounts.");
    if context.system.program == Program::Az {
        return error;
    }
    let vault = broker::open_vault(context.system, &context.dir, &context.config).ok().flatten();
    let names = vault.and_then(|vault| broker::signed_in(&vault).ok()).unwrap_or_default();
    let logout = |name: &String| format!("azt logout --username {}", quoted(name));
    match names.as_slice() {
        [] => error,
        names => names
            .iter()
            .fold(error.remedy("The vault still has accounts. To sign out:"), |error, name| {
                error.remedy(logout(name))
            }),
    }
}
