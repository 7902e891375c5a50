//! `cache list`.

use serde_json::{Value, json};

use super::{Answer, rows, vault};
use crate::accounts::Context;
use crate::broker;
use crate::error::Result;
use crate::sys::local_time;
use crate::vault::{AccessToken, Account, RefreshToken};

/// One row per record, without secrets: owner, purpose and expiry.
pub(super) fn run(context: &Context<'_>) -> Result<Answer> {
    let vault = vault(context)?;
    let mut all: Vec<Value> = Vec::new();
    for it in vault.all::<Account>()? {
        all.push(entry("account", &it.username, &it.realm, &it.environment));
    }
    for it in broker::client_accounts(&vault)? {
        let mut row = entry("account", &it.username, &it.tenant, &it.environment);
        put(&mut row, "client", it.client_id.into());
        all.push(row);
    }
    for it in broker::applications(context.system, &vault, context.homes())? {
        let mut row = entry("application", &it.client_id, &it.tenant, &it.environment);
        let credential = match (&it.client_secret, &it.certificate, &it.client_assertion_source) {
            (Some(_), ..) => "secret",
            (_, Some(_), _) => "certificate",
            (.., Some(_)) => "source of federated tokens",
            _ => "federated token",
        };
        put(&mut row, "credential", credential.into());
        all.push(row);
    }
    for it in vault.all::<RefreshToken>()? {
        let mut row = entry("refreshToken", &it.account, "", &it.environment);
        put(&mut row, "client", it.client_id.into());
        all.push(row);
    }
    for it in vault.all::<AccessToken>()? {
        let owner = broker::name_of_owner(&it.account);
        let owner = if owner.is_empty() { &it.client_id } else { owner };
        let mut row = entry("accessToken", owner, &it.realm, &it.environment);
        put(&mut row, "client", it.client_id.into());
        put(&mut row, "scopes", it.requested.into());
        put(&mut row, "expiresOn", local_time(it.expires_on).to_string().into());
        put(&mut row, "expires_on", it.expires_on.into());
        all.push(row);
    }
    Ok(Answer::with_columns(Value::Array(all), |list| {
        rows(
            list,
            &[
                ("Type", "type"),
                ("Account", "account"),
                ("Client", "client"),
                ("Tenant", "tenant"),
                ("Environment", "environment"),
                ("Scopes", "scopes"),
                ("ExpiresOn", "expiresOn"),
            ],
        )
    }))
}

fn entry(kind: &str, account: &str, tenant: &str, environment: &str) -> Value {
    let or_null = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
    json!({
        "type": kind,
        "account": account,
        "tenant": or_null(tenant),
        "environment": or_null(environment),
    })
}

fn put(row: &mut Value, name: &str, value: Value) {
    if let Some(row) = row.as_object_mut() {
        row.insert(name.to_owned(), value);
    }
}
