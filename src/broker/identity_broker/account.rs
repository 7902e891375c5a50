//! Accounts of the identity broker, and the user of azt whose tokens come from it.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

use super::super::remedy;
use super::{IdentityBroker, LIMIT, accounts_by, identity_broker, token_by};
use crate::entra::{Authority, Scopes, TokenResponse};
use crate::error::{Error, Kind, Result};
use crate::foreign::{Guid, Name, Typed, or_default};
use crate::program::Program;
use crate::settings::is_same_login_host;
use crate::sys::{Deadline, System};
use crate::vault::Account;

/// An account of the broker.
#[derive(Clone, Debug)]
pub(crate) struct BrokerAccount {
    /// The members that azt reads.
    members: Members,
    /// The account as the broker sent it. The broker gets it back with each request.
    pub(super) as_sent: Value,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Members {
    #[serde(deserialize_with = "or_default")]
    username: Name,
    #[serde(deserialize_with = "or_default")]
    home_account_id: Name,
    #[serde(deserialize_with = "or_default")]
    local_account_id: Name,
    #[serde(deserialize_with = "or_default")]
    environment: Name,
    #[serde(deserialize_with = "or_default")]
    realm: Name,
    #[serde(deserialize_with = "or_default")]
    client_info: Option<String>,
}

impl BrokerAccount {
    /// The account in `value`; `None` if it has no user name or no id.
    pub(super) fn parse(value: Value) -> Option<Self> {
        let members: Members = Members::deserialize(&value).ok()?;
        let is_complete =
            !members.username.trim().is_empty() && !members.home_account_id.trim().is_empty();
        is_complete.then_some(Self { members, as_sent: value })
    }

    /// The user name.
    pub(crate) fn username(&self) -> &str {
        &self.members.username
    }

    /// `uid.utid`.
    pub(crate) fn home_account_id(&self) -> &str {
        &self.members.home_account_id
    }

    /// The user's id in the home tenant, and that tenant, if the id names both.
    pub(super) fn home(&self) -> Option<(&str, &str)> {
        let (uid, tenant) = self.home_account_id().split_once('.')?;
        Some((uid, tenant)).filter(|(uid, tenant)| !uid.is_empty() && !tenant.is_empty())
    }

    /// The home tenant: GUID.
    pub(crate) fn tenant(&self) -> Option<String> {
        let home = self.home().and_then(|(_, tenant)| Guid::parse(tenant));
        home.or_else(|| Guid::parse(&self.members.realm)).map(String::from)
    }

    /// True if this record is the one of the home tenant.
    pub(super) fn is_at_home(&self) -> bool {
        self.home().is_some_and(|(_, home)| self.members.realm.eq_ignore_ascii_case(home))
    }

    /// True unless the account names another cloud than that of the login host `environment`. WAM
    /// names none.
    pub(super) fn is_of_cloud(&self, environment: &str) -> bool {
        let named = self.members.environment.to_lowercase();
        named.is_empty() || is_same_login_host(&named, &environment.to_lowercase())
    }

    /// True if the two are the same user.
    pub(super) fn is(&self, home_account_id: &str) -> bool {
        self.home_account_id().eq_ignore_ascii_case(home_account_id)
    }

    /// The record that remembers this account in the vault.
    pub(in crate::broker) fn record(&self, environment: &str, tenant: &str, now: i64) -> Account {
        Account {
            home_account_id: self.home_account_id().to_owned(),
            environment: environment.to_owned(),
            realm: tenant.to_owned(),
            local_account_id: self.members.local_account_id.to_string(),
            username: self.username().to_owned(),
            authority_type: "MSSTS".to_owned(),
            account_source: Some(Account::BROKER.to_owned()),
            renews_with_ticket: false,
            client_info: self.members.client_info.clone(),
            signed_in_at: now,
            other: serde_json::Map::new(),
        }
    }
}

/// A user whose tokens come from the broker.
pub(crate) struct Brokered {
    broker: Arc<dyn IdentityBroker>,
    program: Program,
    username: String,
    home_account_id: String,
    /// The broker's account, once it is known. Locked during a question: a broker may answer one
    /// after the other, and each has its own time limit.
    account: Mutex<Option<BrokerAccount>>,
}

impl Brokered {
    /// The user that signs in with `account` of `broker`.
    pub(crate) fn new(
        system: &System,
        broker: Arc<dyn IdentityBroker>,
        account: BrokerAccount,
    ) -> Self {
        Self {
            broker,
            program: system.program,
            username: account.username().to_owned(),
            home_account_id: account.home_account_id().to_owned(),
            account: Mutex::new(Some(account)),
        }
    }

    /// The user of a record that [`Account::is_brokered`].
    pub(in crate::broker) fn stored(system: &System, account: &Account) -> Result<Self> {
        Ok(Self {
            broker: identity_broker(system)?,
            program: system.program,
            username: account.username.clone(),
            home_account_id: account.home_account_id.clone(),
            account: Mutex::new(None),
        })
    }

    /// A token of `scopes` from `authority`, without a prompt.
    ///
    /// # Errors
    /// [`Kind::InteractionRequired`] if the broker needs the user. An error if its answer is for
    /// another account, client or tenant, or has an impossible lifetime.
    pub(in crate::broker) async fn token(
        &self,
        authority: &Authority,
        scopes: &Scopes,
        now: i64,
    ) -> Result<TokenResponse> {
        self.ask(authority, scopes, now)
            .await
            .map_err(|error| remedy::for_identity_broker(error, self.program))
    }

    async fn ask(&self, authority: &Authority, scopes: &Scopes, now: i64) -> Result<TokenResponse> {
        let mut known = self.account.lock().await;
        let deadline = Deadline::at_most(LIMIT);
        let account = match known.take() {
            Some(account) => account,
            None => accounts_by(&self.broker, &authority.login_url().environment(), deadline)
                .await?
                .into_iter()
                .find(|account| account.is(&self.home_account_id))
                .ok_or_else(|| self.has_gone())?,
        };
        let account = known.insert(account);
        token_by(&self.broker, account, authority, scopes, now, deadline).await
    }

    fn has_gone(&self) -> Error {
        Error::new(
            Kind::NotSignedIn,
            format!("The identity broker has no account {} any more.", Typed(&self.username)),
        )
        .remedy("Sign in to the broker again.")
    }
}
