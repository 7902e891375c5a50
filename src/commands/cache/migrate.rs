//! `cache migrate`.

use serde_json::{Value, json};

use super::super::migration;
use super::{Answer, Context, rows};
use crate::broker::{self, Account, ServicePrincipal, Vault};
use crate::cli::CacheMigrate;
use crate::error::Result;
use crate::interop::{self, AdalFile};

/// Takes over every sign-in of the real az, today's and that of before 2.30; answers what became
/// of each.
pub(super) fn run(request: &CacheMigrate, context: &Context<'_>) -> Result<Answer> {
    let (system, dir) = (context.system, &context.dir);
    let environment = context.cloud().environment()?;
    let vault = if request.dry_run {
        broker::open_vault(system, dir, &context.config)?
    } else {
        Some(broker::open_vault_for_sign_in(system, dir, &context.config)?)
    };
    let mut answer = Vec::new();
    let (people, applications) = interop::known_names(dir, &environment);
    for name in people.iter().chain(&applications) {
        let outcome = match &vault {
            Some(vault) if !request.dry_run => {
                if interop::adopt(dir, vault, &environment, name)? {
                    "taken over"
                } else {
                    "is here"
                }
            }
            vault => state(vault.as_ref(), &environment, name)?,
        };
        answer.push(row(name, "az", outcome, None));
    }
    if let (Some(vault), false) = (&vault, request.dry_run)
        && let Some(error) = migration::migrate(context, vault)?.postponed
    {
        return Err(error.remedy("The others are taken over; run it again for the rest."));
    }
    if let Some(file) = AdalFile::read(system, dir)? {
        let failed = migration::failures(context)?;
        let people = file.users.iter().map(|user| &user.user_id);
        for name in people.chain(file.applications.iter().map(|it| &it.client_id)) {
            let reason = failed.get(&name.to_lowercase());
            let outcome = match reason {
                Some(_) => "sign in again",
                None if request.dry_run => state(vault.as_ref(), &environment, name)?,
                None if state(vault.as_ref(), &environment, name)? == "is here" => "taken over",
                None => "is of another cloud or client",
            };
            answer.push(row(name, "accessTokens.json", outcome, reason.map(String::as_str)));
        }
    }
    if let (Some(vault), true) = (&vault, request.remove && !request.dry_run) {
        migration::remove_old(context, vault)?;
    }
    Ok(Answer::with_columns(Value::Array(answer), |list| {
        rows(
            list,
            &[
                ("Account", "account"),
                ("From", "from"),
                ("Outcome", "outcome"),
                ("Reason", "reason"),
            ],
        )
    }))
}

fn row(name: &str, from: &str, outcome: &str, reason: Option<&str>) -> Value {
    json!({"account": name, "from": from, "outcome": outcome, "reason": reason})
}

/// Whether the vault has `name`, a user name or client id.
fn state(vault: Option<&Vault<'_>>, environment: &str, name: &str) -> Result<&'static str> {
    let Some(vault) = vault else { return Ok("would be taken over") };
    let is_here = vault.get(&Account::key_of(environment, name))?.is_some()
        || vault
            .all::<ServicePrincipal>()?
            .iter()
            .any(|it| it.client_id.eq_ignore_ascii_case(name));
    Ok(if is_here { "is here" } else { "would be taken over" })
}
