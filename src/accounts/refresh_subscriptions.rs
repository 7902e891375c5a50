//! Refreshes the subscriptions of signed-in accounts.

use super::subscriptions::{self, Found};
use super::{Context, arm_token, token};
use crate::broker::{Identity, SignIn};
use crate::error::{Error, Kind, Result};
use crate::settings::{AssignedIdentity, Profile, Subscription, User};
use crate::sys::block_on;
use crate::vault::Vault;

/// Lists the subscriptions of every account of the active cloud, and replaces its entries.
///
/// If an account fails, its entries stay, with az's warning. Entries of other clouds stay (az drops
/// them).
pub(crate) fn refresh_all(context: &Context<'_>) -> Result<()> {
    let cloud = context.cloud();
    let profile = Profile::load(&context.dir)?;
    let mut accounts: Vec<&Subscription> = Vec::new();
    for entry in profile.visible(&cloud.name) {
        if accounts.iter().all(|known| known.user_name() != entry.user_name()) {
            accounts.push(entry);
        }
    }
    for entry in accounts {
        let name = entry.user_name();
        match look_up(context, entry) {
            Ok(found) => Profile::update(&context.dir, |profile| {
                // Skips an account that was signed out meanwhile.
                if profile.visible(&cloud.name).any(|it| it.user_name() == name) {
                    profile.replace_user(&cloud.name, name, found.subscriptions);
                }
                Ok(())
            })?,
            Err(error) => context.system.terminal.warn(&format!(
                "Refreshing for '{name}' failed with an error '{error}'. The existing accounts were not modified. You can run '{} login' later to explicitly refresh them",
                context.system.program
            )),
        }
    }
    Ok(())
}

/// Lists the subscriptions that the account of `entry` can see now. For a user, all tenants are
/// visited. A tenant-level account without subscriptions keeps its tenant-level entry.
pub(crate) fn look_up(context: &Context<'_>, entry: &Subscription) -> Result<Found> {
    let identity = Identity::of(entry, context.system)?;
    let user = match &identity {
        Identity::User { name } => User::Named { name: name.clone() },
        Identity::ServicePrincipal { client_id } => User::ServicePrincipal {
            client_id: client_id.clone(),
            use_cert_sn_issuer: entry.use_cert_sn_issuer(),
        },
        Identity::ManagedIdentity(AssignedIdentity::System) | Identity::CloudShell { .. } => {
            identity.user()
        }
        Identity::Environment(_) | Identity::Client(_) => identity.user(),
        // All have the same name, so the entries of one would replace those of another.
        Identity::ManagedIdentity(_) => {
            return Err(Error::failed("all user-assigned identities have this name"));
        }
    };
    let is_user = matches!(identity, Identity::User { .. });
    let vault = token::vault_of(context, &identity)?;
    let sign_in = resume(context, &identity, entry, vault.as_ref())?;
    let scopes = arm_token::scopes(context)?;
    let mut found = block_on(async {
        if is_user {
            subscriptions::of_all_tenants(context, &sign_in, &user, &scopes).await
        } else {
            subscriptions::of_tenant(context, &sign_in, &user, &scopes).await
        }
    })??;
    found.warn(context, &user, entry.is_tenant_level());
    vault.map_or(Ok(()), |vault| sign_in.store(&vault))?;
    Ok(found)
}

/// Resumes the sign-in of `identity` in the tenant of `entry`, from the vault or from az's files.
fn resume<'s>(
    context: &Context<'s>,
    identity: &Identity,
    entry: &Subscription,
    vault: Option<&Vault<'s>>,
) -> Result<SignIn<'s>> {
    let (system, cloud) = (context.system, context.cloud());
    let (homes, tenant) = (context.homes(), entry.tenant_id());
    let resume = || SignIn::resume(system, cloud, homes, vault, identity.clone(), tenant);
    match (resume(), vault) {
        (Err(error), Some(vault))
            if error.kind() == Kind::NotSignedIn
                && token::take_over_unknown(context, cloud, vault, entry.user_name())? =>
        {
            resume()
        }
        (other, _) => other,
    }
}

/// Checks that the account of `entry` still gets a token, with one request if no ticket has
/// to renew its sign-in. Stores nothing.
pub(crate) fn try_sign_in(context: &Context<'_>, entry: &Subscription) -> Result<()> {
    let identity = Identity::of(entry, context.system)?;
    // A managed identity needs no vault.
    let vault = if identity.signs_in() { token::vault_of(context, &identity)? } else { None };
    let sign_in = resume(context, &identity, entry, vault.as_ref())?;
    let scopes = arm_token::scopes(context)?;
    block_on(sign_in.check(entry.tenant_id(), &scopes))?
}
