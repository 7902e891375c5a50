//! Accounts of clients other than az's: which one a command uses, and how it is shown.
//!
//! They are only in the vault. To az each entry of `azureProfile.json` is a subscription of its own
//! client: it would ask for tokens for it, and could make it the default.

use serde_json::{Value, json};

use super::{Context, Selection};
use crate::broker::{self, client_accounts, environment_of_authority};
use crate::entra::{AZURE_CLI_CLIENT_ID, Authority};
use crate::error::{Error, Kind, Result};
use crate::foreign::{Guid, Sentence, Typed};
use crate::program::Program;
use crate::settings::{Cloud, is_login_host};
use crate::shell::quoted;
use crate::vault::{ClientAccount, Vault};

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
    /// Selects an account, of the active cloud or of an authority, at the client that `--client-id` or
    /// `AZT_CLIENT_ID` names; `None` if neither names one, or az's. A subscription overrides the
    /// variable: it belongs to az's client. Returns the vault too, so that it is opened once.
    pub(crate) fn client_account<'s>(
        self,
        context: &Context<'s>,
    ) -> Result<Option<(ClientAccount, Vault<'s>)>> {
        self.client_account_among(context, "--account", |it| is_visible(context, it))
    }

    /// [`Selection::client_account`] among the accounts for which `is_candidate` returns true.
    /// `name_option` is the option that names an account.
    pub(crate) fn client_account_among<'s>(
        self,
        context: &Context<'s>,
        name_option: &str,
        is_candidate: impl Fn(&ClientAccount) -> bool,
    ) -> Result<Option<(ClientAccount, Vault<'s>)>> {
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
        let Some(vault) = vault else { return Err(self.nobody(&client_id)) };
        let mut accounts = client_accounts(&vault)?;
        accounts.retain(|it| it.client_id == client_id && is_candidate(it));
        let account = self.of_client(&client_id, &accounts, name_option, context)?.clone();
        Ok(Some((account, vault)))
    }

    /// Selects one of `accounts`, all at one client: by name, authority and tenant, if more than one.
    /// A name may also be an account's id: two users of an authority may have the same name.
    fn of_client<'c>(
        self,
        client_id: &str,
        accounts: &'c [ClientAccount],
        name_option: &str,
        context: &Context<'_>,
    ) -> Result<&'c ClientAccount> {
        let place = self.authority.map(|address| authority(context, address)).transpose()?;
        let place = place.as_ref().map(environment_of_authority).transpose()?;
        let name = self.account.map(str::to_owned);
        let name = name.or_else(|| context.system.env.non_empty("AZT_ACCOUNT"));
        let is_called = |it: &ClientAccount, name: &str| {
            it.username.to_lowercase() == name.to_lowercase() || it.home_account_id == name
        };
        let mut found: Vec<&ClientAccount> = accounts
            .iter()
            .filter(|it| place.as_ref().is_none_or(|place| it.environment == *place))
            .filter(|it| name.as_ref().is_none_or(|name| is_called(it, name)))
            .collect();
        if let (Some(tenant), None, true) = (self.tenant, &place, found.len() > 1) {
            // An authority names its own tenant, so the tenant is that of a cloud's account.
            found.retain(|it| it.authority.is_none());
            let is_at_home = |it: &&ClientAccount| it.tenant.eq_ignore_ascii_case(tenant);
            if found.iter().any(is_at_home) {
                found.retain(is_at_home);
            }
        }
        let ways = || accounts.iter().map(|it| way(it, accounts)).collect::<Vec<_>>().join(", ");
        let signed_in = |error: Error| {
            if accounts.is_empty() {
                error
            } else {
                error.remedy(format!("Signed-in accounts: {}", ways()))
            }
        };
        match (found.as_slice(), name) {
            ([only], _) => Ok(only),
            ([], Some(name)) if !accounts.is_empty() => Err(signed_in(Error::new(
                Kind::NotSignedIn,
                format!("{} is not signed in to the client {client_id}.", Typed(&name)),
            ))),
            ([], _) => Err(signed_in(self.nobody(client_id))),
            _ => Err(Error::failed(format!(
                "Several accounts are signed in to the client {client_id}."
            ))
            .remedy(format!("Choose one with {name_option}, --tenant or --authority: {}", ways()))),
        }
    }

    fn nobody(self, client_id: &str) -> Error {
        let address = self.authority.map(|it| format!(" --authority {}", quoted(it)));
        let address = address.unwrap_or_default();
        Error::new(
            Kind::NotSignedIn,
            format!(
                "Nobody is signed in to the client {client_id}. Run `azt login --client-id {client_id}{address} --scope SCOPE`."
            ),
        )
    }
}

/// The name of `account` with the option that tells its place; its id where another of `all` has both.
fn way(account: &ClientAccount, all: &[ClientAccount]) -> String {
    let option = match &account.authority {
        Some(address) => format!("--authority {}", quoted(address)),
        None => format!("--tenant {}", quoted(&account.tenant)),
    };
    let is_alike = |it: &&ClientAccount| {
        it.username.to_lowercase() == account.username.to_lowercase()
            && (&it.environment, &it.tenant) == (&account.environment, &account.tenant)
    };
    if all.iter().filter(is_alike).count() > 1 {
        return format!("{} ({}, {option})", account.home_account_id, account.username);
    }
    format!("{} ({option})", account.username)
}

/// Adds to `error`, which says that no subscription can be used, the accounts of clients other than
/// az's. az knows no such accounts.
pub(crate) fn with_hint(error: Error, context: &Context<'_>) -> Error {
    if context.system.program == Program::Az {
        return error;
    }
    let mut all = listed(context).unwrap_or_default();
    all.retain(|it| is_visible(context, it));
    all.iter().fold(error, |error, it| {
        let shown = shown(it);
        error.remedy(format!(
            "{shown} is signed in. To use it, add --client-id {}, or set AZT_CLIENT_ID.",
            it.client_id
        ))
    })
}

/// The error for `account set` with the name or id of an account of a client in `account list`, which
/// cannot be the default; `None` if `wanted` is no such name or id.
pub(crate) fn not_a_default(context: &Context<'_>, wanted: &str) -> Option<Error> {
    let all = listed(context).unwrap_or_default();
    let is_wanted = |it: &&ClientAccount| {
        let shown = entry(context, it);
        ["id", "name"].iter().any(|member| {
            shown
                .get(member)
                .and_then(Value::as_str)
                .is_some_and(|it| it.eq_ignore_ascii_case(wanted))
        })
    };
    let account = all.iter().find(is_wanted)?;
    let id = &account.client_id;
    Some(
        Error::new(
            Kind::Inapplicable,
            format!(
                "'{}' is {}. Only a subscription of az's own client can be the default.",
                Typed(wanted),
                shown(account)
            ),
        )
        .remedy("To use it, set AZT_CLIENT_ID to that client in this shell, or name it each time:")
        .cured_by(format!("azt account get-access-token --client-id {id}")),
    )
}

/// Name, client and place of an account, for messages.
pub(crate) fn shown(account: &ClientAccount) -> String {
    let place = match &account.authority {
        Some(address) => format!("authority {address}"),
        None => format!("tenant {}", account.tenant),
    };
    format!("{} (client {}, {place})", Sentence::new(&account.username), account.client_id)
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
