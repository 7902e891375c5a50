//! The token of a request, and which other account's token its host may accept.

use crate::accounts::Context;
use crate::arm;
use crate::broker::Wanted;
use crate::cli::GetAccessToken;
use crate::commands::get_access_token::{Issued, issued};
use crate::commands::host_account::{Choice, choices, note_accepted};
use crate::entra::Scopes;
use crate::error::Result;
use crate::hosts::Destination;
use crate::secret::Secret;
use crate::sys::Response;

/// A token that a request takes along.
pub(super) struct Granted {
    issued: Issued,
    /// The host and the options of a token that the table of hosts gave.
    place: Option<(Destination, GetAccessToken)>,
    /// True if the host refused another account before.
    is_other: bool,
}

/// Another account to try.
pub(super) struct Other {
    choice: Choice,
    destination: Destination,
    options: GetAccessToken,
}

impl Granted {
    /// A token for a resource that was named.
    pub(super) fn of(issued: Issued) -> Self {
        Self { issued, place: None, is_other: false }
    }

    /// A token for a host of the table.
    pub(super) fn at(destination: Destination, options: GetAccessToken, issued: Issued) -> Self {
        Self { issued, place: Some((destination, options)), is_other: false }
    }

    pub(super) fn secret(&self) -> &Secret {
        &self.issued.token.secret
    }

    /// The accounts to try after `response` refused this one: one of the tenant that it names, else
    /// the others that are signed in.
    pub(super) fn others(&self, response: &Response, context: &Context<'_>) -> Result<Vec<Other>> {
        let Some((destination, options)) = &self.place else { return Ok(Vec::new()) };
        let named = arm::tenant_of(response);
        let found = choices(destination, options, named.as_deref(), None, context)?;
        let is_other = |choice: &Choice| {
            let is_account = choice.account.as_ref().is_none_or(|it| *it == self.issued.account);
            let is_tenant = choice.tenant.as_ref().is_none_or(|it| *it == self.issued.tenant);
            !(is_account && is_tenant)
        };
        let other =
            |choice| Other { choice, destination: destination.clone(), options: options.clone() };
        Ok(found.into_iter().filter(is_other).map(other).collect())
    }

    /// Remembers that the host accepted this account, if it refused another one: a later change of the
    /// default account then counts everywhere else.
    pub(super) fn note_accepted(&self, context: &Context<'_>) {
        if let Some((destination, _)) = &self.place
            && self.is_other
        {
            note_accepted(destination, &self.issued, context);
        }
    }
}

impl Other {
    /// Its token.
    pub(super) fn granted(self, context: &Context<'_>) -> Result<Granted> {
        let mut options = self.options.clone();
        self.choice.apply(&mut options);
        let scopes = Scopes::of_resource(&self.destination.audience);
        let issued = issued(&options, Some(scopes), Wanted::Usable, None, context)?;
        Ok(Granted { is_other: true, ..Granted::at(self.destination, self.options, issued) })
    }
}
