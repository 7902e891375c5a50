//! The choice among the accounts of the identity broker.

use crate::accounts::Context;
use crate::broker::BrokerAccount;
use crate::error::{Error, Kind, Result};
use crate::foreign::Typed;
use crate::sys::Choice;

/// The account of `all` that signs in: the one called `wanted`, the only one, or the one that the
/// user picks on a terminal.
///
/// # Errors
/// There is none, or several and nobody to ask; the message lists them.
pub(super) fn choose(
    context: &Context<'_>,
    wanted: Option<&str>,
    mut all: Vec<BrokerAccount>,
) -> Result<BrokerAccount> {
    let listed = all.iter().map(BrokerAccount::username).collect::<Vec<_>>().join(", ");
    if all.is_empty() {
        let cloud = &context.cloud().name;
        let error = format!("The identity broker has no account of the cloud {}.", Typed(cloud));
        return Err(Error::new(Kind::NotSignedIn, error)
            .remedy("Sign in to it first: in the Intune app, or at the login of this machine."));
    }
    if let Some(wanted) = wanted {
        all.retain(|it| it.username().to_lowercase() == wanted.to_lowercase());
        if all.is_empty() {
            return Err(Error::new(
                Kind::NotSignedIn,
                format!("The identity broker has no account '{}'.", Typed(wanted)),
            )
            .remedy(format!("It has: {listed}.")));
        }
    }
    if all.len() > 1 && context.system.can_ask() {
        let choice = |it: &BrokerAccount| Choice {
            name: it.username().to_owned(),
            note: String::new(),
            owner: it.tenant().unwrap_or_default(),
            id: it.home_account_id().to_owned(),
        };
        let choices: Vec<Choice> = all.iter().map(choice).collect();
        let picked = context.system.pick("Account to sign in with:", &choices)?;
        let picked = picked.filter(|at| *at < all.len());
        return picked.map(|at| all.swap_remove(at)).ok_or_else(Error::cancelled);
    }
    match (all.pop(), all.is_empty()) {
        (Some(account), true) => Ok(account),
        _ => Err(Error::failed(format!("The identity broker has several accounts: {listed}."))
            .remedy("Choose one with --username NAME.")),
    }
}
