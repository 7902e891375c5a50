//! Accounts of clients other than az's: which one a command uses, and how it is shown.
//!
//! They are only in the vault. To az each entry of `azureProfile.json` is a subscription of its own
//! client: it would ask for tokens for it, and could make it the default.

use serde_json::{Value, json};

use super::{Context, Selection};
use crate::broker::{self, client_accounts, environment_of_authority};
use crate::entra::{AZURE_CLI_CLIENT_ID, Authority};
use crate::error::{Error, Kind, Result};
use crate::foreign::{Guid, Typed};
use crate::settings::{Cloud, is_login_host};
use crate::shell::quoted;
use crate::vault::ClientAccount;

/// The client id `text`, from `source`, in lower case with dashes.
///
/// # Errors
/// It is no GUID.
pub(crate) fn client_id(text: &str, source: &str) -> Result<String> {
    Guid::parse(text).map(String::from).ok_or_else(|| {
        Error::new(
            Kind::Inapplicable,
            format!("{source} is '{}', which is not a client id (GUID).", Typed(text)),
        )
    })
}

/// The authority at `address`, the value of `--authority`.
///
/// # Errors
/// It is no authority, or at the login host of a cloud, whose accounts would be the same ones under
/// another name.
pub(crate) fn authority(context: &Context<'_>, address: &str) -> Result<Authority> {
    let authority = Authority::at(address, "--authority")?;
    let host = authority.login_url().environment();
    let clouds = context.clouds.list()?;
    let signs_in_there = |it: &&Cloud| it.environment().is_ok_and(|own| own == host);
    let cloud = clouds.iter().find(signs_in_there).map(|cloud| cloud.name.as_str());
    if cloud.is_none() && !is_login_host(&host) {
        return Ok(authority);
    }
    let of = cloud.map_or_else(|| "Entra ID".to_owned(), |name| format!("the cloud {name}"));
    Err(Error::new(
        Kind::Inapplicable,
        format!("--authority leads to {host}, the login host of {of}."),
    )
    .remedy("Leave it out, and name the tenant with --tenant."))
}

/// The variable that selects a client.
pub(crate) const VARIABLE: &str = "AZT_CLIENT_ID";

impl Selection<'_> {
    /// Selects an account of the client that `--client-id` or `AZT_CLIENT_ID` names; `None` if neither
    /// names one, or az's. A subscription overrides the variable: it belongs to az's client.
    pub(crate) fn client_account(self, context: &Context<'_>) -> Result<Option<ClientAccount>> {
        let inapplicable = |text: &str| Err(Error::new(Kind::Inapplicable, text));
        let client_id = match (self.client_id, self.subscription) {
            (Some(_), Some(_)) => {
                return inapplicable(
                    "--subscription selects an account of az's client. Use --account with --client-id.",
                );
            }
            (Some(text), None) => client_id(text, "--client-id")?,
            (None, Some(_)) if self.authority.is_none() => return Ok(None),
            (None, subscription) => {
                let variable = context.system.env.non_empty(VARIABLE);
                match variable.filter(|_| subscription.is_none()) {
                    Some(text) => client_id(&text, VARIABLE)?,
                    None if self.authority.is_none() => return Ok(None),
                    None => {
                        return inapplicable(
                            "--authority selects an account of a client, which --client-id or AZT_CLIENT_ID must name.",
                        );
                    }
                }
            }
        };
        if client_id == AZURE_CLI_CLIENT_ID {
            return Ok(None);
        }
        let vault = broker::open_vault(context.system, &context.dir, &context.config)?;
        let accounts = vault.map(|vault| client_accounts(&vault)).transpose()?.unwrap_or_default();
        self.of_client(&client_id, accounts, context).map(Some)
    }

    /// Selects one of `accounts` at the client: by name, authority and tenant, if more than one.
    fn of_client(
        self,
        client_id: &str,
        mut accounts: Vec<ClientAccount>,
        context: &Context<'_>,
    ) -> Result<ClientAccount> {
        let wanted = self.authority.map(|address| authority(context, address)).transpose()?;
        let wanted = wanted.as_ref().map(environment_of_authority).transpose()?;
        accounts.retain(|it| {
            it.client_id == client_id
                && match &wanted {
                    Some(wanted) => it.environment == *wanted,
                    None => is_visible(context, it),
                }
        });
        let known = accounts.iter().map(shown).collect::<Vec<_>>().join(", ");
        let name = self.account.map(str::to_owned);
        let name = name.or_else(|| context.system.env.non_empty("AZT_ACCOUNT"));
        if let Some(name) = &name {
            accounts.retain(|it| it.username.to_lowercase() == name.to_lowercase());
        }
        let in_tenant = |it: &&ClientAccount| {
            // An authority names its own tenant.
            it.authority.is_none()
                && self.tenant.is_some_and(|tenant| it.tenant.eq_ignore_ascii_case(tenant))
        };
        let mut preferred = accounts.iter().filter(in_tenant);
        if let (Some(only), None) = (preferred.next(), preferred.next()) {
            return Ok(only.clone());
        }
        match (accounts.as_slice(), name) {
            ([only], _) => Ok(only.clone()),
            ([], Some(name)) if !known.is_empty() => Err(Error::new(
                Kind::NotSignedIn,
                format!("{} is not signed in to the client {client_id}.", Typed(&name)),
            )
            .remedy(format!("Signed-in accounts: {known}"))),
            ([], _) => {
                let address = self.authority.map(|it| format!(" --authority {}", quoted(it)));
                let address = address.unwrap_or_default();
                Err(Error::new(
                    Kind::NotSignedIn,
                    format!(
                        "Nobody is signed in to the client {client_id}. Run `azt login --client-id {client_id}{address} --scope SCOPE`."
                    ),
                ))
            }
            _ => Err(Error::failed(format!(
                "Several accounts are signed in to the client {client_id}."
            ))
            .remedy(format!("Choose one with --account, --tenant or --authority: {known}"))),
        }
    }
}

/// Name and place of an account, for messages.
pub(crate) fn shown(account: &ClientAccount) -> String {
    let place = account.authority.as_deref().unwrap_or(&account.tenant);
    format!("{} ({place})", account.username)
}

/// True if `account` belongs to the active cloud or to none.
pub(crate) fn is_visible(context: &Context<'_>, account: &ClientAccount) -> bool {
    account.authority.is_some()
        || context.cloud().environment().is_ok_and(|own| own == account.environment)
}

/// The accounts of clients in the vault of `context`, for a list. Opens the vault only if it has some;
/// a vault that cannot be opened is a warning.
pub(crate) fn listed(context: &Context<'_>) -> Result<Vec<ClientAccount>> {
    let (system, dir) = (context.system, &context.dir);
    if !broker::inventory(system, dir)?.records.contains_key("ca") {
        return Ok(Vec::new());
    }
    let opened = broker::open_vault(system, dir, &context.config);
    let all = opened.and_then(|vault| vault.map(|it| client_accounts(&it)).transpose());
    Ok(all
        .unwrap_or_else(|error| {
            system.terminal.warn(&format!("Accounts of other clients are not listed: {error}"));
            None
        })
        .unwrap_or_default())
}

/// The entry of `account` in the form of a subscription's, as az's tenant-level accounts: the tenant's
/// id is in the place of the subscription's.
pub(crate) fn entry(context: &Context<'_>, account: &ClientAccount) -> Value {
    let environment = context.cloud().environment().unwrap_or_default();
    let cloud = (account.environment == environment).then(|| context.cloud().name.clone());
    json!({
        "cloudName": cloud,
        "homeTenantId": account.tenant,
        "id": account.tenant,
        "isDefault": false,
        "managedByTenants": [],
        "name": format!("N/A(client {})", account.client_id),
        "state": "Enabled",
        "tenantId": account.tenant,
        "user": {
            "authority": account.authority,
            "clientId": account.client_id,
            "name": account.username,
            "type": "user",
        },
    })
}
