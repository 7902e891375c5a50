//! The renewal of a user's sign-in with the user's Kerberos ticket.

use super::remedy;
use crate::entra::{Scopes, TokenClient, TokenResponse};
use crate::error::{Error, Kind, Result};
use crate::sys::System;
use crate::vault::Account;

/// True if the ticket may renew the sign-in of `account`, which failed with `error`.
pub(super) fn is_due(system: &System, account: &Account, error: &Error) -> bool {
    let is_due = account.renews_with_ticket && remedy::has_ended(error);
    if is_due {
        system.terminal.info(&format!(
            "The sign-in has ended and is renewed with the Kerberos ticket: {error}"
        ));
    }
    is_due
}

/// Signs `account` in again, for a token of `scopes`.
///
/// # Errors
/// There is no usable ticket; or it is another account's.
pub(super) async fn with_ticket(
    client: &TokenClient<'_>,
    account: &Account,
    scopes: &Scopes,
) -> Result<TokenResponse> {
    let response = client.with_ticket(&account.username, scopes).await?;
    if response.home_account_id().as_ref() != Some(&account.home_account_id) {
        return Err(Error::new(
            Kind::Refused,
            format!("The Kerberos ticket is not of {}.", account.username),
        )
        .remedy("Get a ticket of that account, then try again:")
        .cured_by("kinit"));
    }
    Ok(response)
}
