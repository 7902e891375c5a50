//! Whose tokens an endpoint hands out, and how it gets them: as a call of `account
//! get-access-token` would.

use super::refused::Refused;
use super::tokens::{Ask, Held};
use crate::accounts::{Context, DamagedSettings};
use crate::broker::{self, Wanted};
use crate::cli::GetAccessToken;
use crate::commands::get_access_token::{Chosen, chosen, issued};
use crate::error::{Error, Kind, Result};
use crate::settings::{ServedFiles, served};
use crate::sys::Origin;

/// An account, chosen once: `azt switch` elsewhere does not change what a running program gets.
pub(in crate::commands) struct Source {
    origin: Origin,
    request: GetAccessToken,
    chosen: Chosen,
    /// True if its tokens are in a vault, here or where AZT_BROKER leads.
    is_stored: bool,
}

impl Source {
    /// The account that the options of `request`, the variables and the default choose.
    pub(in crate::commands) fn of(request: &GetAccessToken, context: &Context<'_>) -> Result<Self> {
        let chosen = chosen(request, context)?;
        let is_stored = !broker::is_memory_only(&context.config)?;
        let (origin, request) = (context.system.origin(), request.clone());
        Ok(Self { origin, request, chosen, is_stored })
    }

    /// The name of the account.
    pub(in crate::commands) fn account(&self) -> &str {
        &self.chosen.account
    }

    /// True if a token can be read again without a request.
    pub(super) fn is_stored(&self) -> bool {
        self.is_stored
    }

    /// A token. Blocks.
    pub(super) fn fetch(
        &self,
        ask: &Ask,
        claims: Option<String>,
        wanted: Wanted,
    ) -> Result<Held, Refused> {
        self.try_fetch(ask, claims, wanted).map_err(Refused::from)
    }

    /// The active cloud and the settings of this account, for azt on the other side of a socket.
    /// Blocks.
    pub(super) fn settings(&self) -> Result<(String, ServedFiles), Refused> {
        let system = self.origin.system();
        let settings = || -> Result<_> {
            let context = Context::load(&system, DamagedSettings::Refuse)?;
            let Chosen { user, tenant, subscription, .. } = &self.chosen;
            let cloud = context.cloud();
            let files = served(&context.dir, cloud, user, tenant, subscription.as_deref())?;
            Ok((cloud.name.clone(), files))
        };
        settings().map_err(Refused::from)
    }

    fn try_fetch(&self, ask: &Ask, claims: Option<String>, wanted: Wanted) -> Result<Held> {
        let system = self.origin.system();
        let mut context = Context::load(&system, DamagedSettings::Refuse)?;
        // This process renews tokens itself.
        context.renews_in_background = false;
        if let (Some(own), Some(asked)) = (&self.request.tenant, &ask.tenant)
            && !own.eq_ignore_ascii_case(asked)
        {
            let text = format!("azt gives tokens of the tenant {own} only here (--tenant).");
            return Err(Error::new(Kind::Refused, text));
        }
        let mut request = GetAccessToken { claims, ..self.request.clone() };
        self.chosen.narrow(&mut request, ask.tenant.as_deref());
        let issued = issued(&request, Some(ask.scopes.clone()), wanted, None, &context)?;
        Ok(Held {
            secret: issued.token.secret,
            cached_at: issued.token.cached_at,
            expires_on: issued.token.expires_on,
            renew_from: issued.token.renew_from,
            client_id: issued.client_id,
            account: issued.account,
            tenant: issued.tenant,
        })
    }
}
