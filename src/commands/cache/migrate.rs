//! `cache migrate`.

use serde_json::{Value, json};

use super::{Answer, rows};
use crate::accounts::{self, Context, migration};
use crate::broker;
use crate::cli::CacheMigrate;
use crate::error::Result;
use crate::foreign::Name;
use crate::interop::{self, AdalFile};
use crate::vault::{ServicePrincipal, Vault};

/// Copies every sign-in of the real az, of the current version and of versions before 2.30, into
/// the vault. Returns the outcome for each.
pub(super) fn run(request: &CacheMigrate, context: &Context<'_>) -> Result<Answer> {
    let (system, dir) = (context.system, &context.dir);
    let environment = context.cloud().environment()?;
    let vault = if request.dry_run {
        broker::open_vault(system, dir, &context.config)?
    } else {
        let vault = broker::open_vault_for_sign_in(system, dir, &context.config)?;
        broker::tell_place_of_key(system, dir, &context.config, &vault)?;
        Some(vault)
    };
    let mut answer = Vec::new();
    let (user_names, applications) = interop::known_names(dir, &environment);
    let homes = context.homes();
    let home = |client_id: &str, tenant: &str| homes.of_plain(client_id, tenant);
    for name in user_names.iter().chain(&applications) {
        let is_new = match &vault {
            Some(vault) if !request.dry_run => {
                interop::adopt(dir, vault, &environment, name, &broker::can_redeem, &home)?
            }
            _ => false,
        };
        let could = || interop::can_adopt(dir, &environment, name, &broker::can_redeem, &home);
        let (outcome, reason) = match is_known(context, vault.as_ref(), &environment, name)? {
            true if is_new => ("taken over", None),
            true => ("is here", None),
            false if request.dry_run && could() => ("would be taken over", None),
            false => ("sign in again", Some(why_not(context, name))),
        };
        answer.push(row(name, "az", outcome, reason.as_deref()));
    }
    let old = AdalFile::read(system, dir)?.unwrap_or_default();
    let before = here(context, vault.as_ref(), &environment, &old)?;
    if let (Some(vault), false) = (&vault, request.dry_run)
        && let Some(error) = migration::migrate(context, vault)?.postponed
    {
        return Err(error.remedy("The other accounts were migrated. Run this again for the rest."));
    }
    let after = here(context, vault.as_ref(), &environment, &old)?;
    let failed = migration::State::read(context)?;
    let users = old.users.iter().map(|user| {
        let reason = failed.reason_of(user).map(str::to_owned);
        (&user.user_id, migration::is_of(user, &environment), reason)
    });
    let applications = old.applications.iter().map(|entry| {
        let signed_out = failed.is_signed_out(entry).then(|| migration::SIGNED_OUT.to_owned());
        let reason = || migration::why_not(context, entry);
        (&entry.client_id, true, signed_out.or_else(reason))
    });
    let all = users.chain(applications).zip(before.into_iter().zip(after));
    for ((name, is_of_cloud, reason), was_and_is) in all {
        let (outcome, reason) = match was_and_is {
            _ if !is_of_cloud => ("is of another cloud or client", None),
            (true, _) => ("is here", None),
            (_, true) => ("taken over", None),
            _ if reason.is_some() => ("sign in again", reason),
            _ => ("would be taken over", None),
        };
        answer.push(row(name, "accessTokens.json", outcome, reason.as_deref()));
    }
    if let (Some(vault), true) = (&vault, request.remove && !request.dry_run) {
        migration::remove_old(context, vault)?;
        remove_az_files(context, vault)?;
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

/// Removes az's files, or warns why one stays.
fn remove_az_files(context: &Context<'_>, vault: &Vault<'_>) -> Result<()> {
    let terminal = &context.system.terminal;
    for (path, names) in interop::remove_az_files(&context.dir, vault)? {
        let path = path.display();
        terminal.warn(&match names.as_slice() {
            [] => format!("{path} stays: it is not a readable az file."),
            names => {
                let names: Vec<Name> = names.iter().map(|name| Name::new(name)).collect();
                let names = names.iter().map(|name| &**name).collect::<Vec<_>>().join(", ");
                format!("{path} stays: it has the only sign-in of {names}. Sign in again, or remove it yourself.")
            }
        });
    }
    if accounts::is_shared(context)? {
        terminal.warn(KEEP_OUT);
    }
    Ok(())
}

/// The warning that az's files will be written again.
const KEEP_OUT: &str = "core.share_with_az is on, so the next sign-in is written to az's files again. To stop sharing with the real az, run: azt config set core.share_with_az=false";

fn row(name: &str, from: &str, outcome: &str, reason: Option<&str>) -> Value {
    json!({"account": name, "from": from, "outcome": outcome, "reason": reason})
}

/// Why az's entry for `name` is not migrated.
fn why_not(context: &Context<'_>, name: &str) -> String {
    let named = accounts::sources_of_az(context, name).into_iter().next();
    named.unwrap_or_else(|| "az has no usable credential of it.".to_owned())
}

/// Whether the vault has a sign-in of `name`, a user name or client id.
fn is_known(
    context: &Context<'_>,
    vault: Option<&Vault<'_>>,
    environment: &str,
    name: &str,
) -> Result<bool> {
    let Some(vault) = vault else { return Ok(false) };
    let matches = |it: &ServicePrincipal| it.client_id.eq_ignore_ascii_case(name);
    Ok(migration::is_here(vault, environment, name)?
        || broker::applications(context.system, vault, context.homes())?.iter().any(matches))
}

/// For each account in the file, users before applications: whether the vault has it.
fn here(
    context: &Context<'_>,
    vault: Option<&Vault<'_>>,
    environment: &str,
    file: &AdalFile,
) -> Result<Vec<bool>> {
    let users = file.users.iter().map(|user| match vault {
        Some(vault) => migration::is_here(vault, environment, &user.user_id),
        None => Ok(false),
    });
    let applications = file.applications.iter().map(|entry| match vault {
        Some(vault) => migration::has(context, vault, entry),
        None => Ok(false),
    });
    users.chain(applications).collect()
}
