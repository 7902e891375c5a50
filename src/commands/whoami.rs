//! `whoami`: who is signed in, and why this account is used. From the profile and the vault, without
//! the network.

mod sign_in;

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Answer, wants_data};
use crate::accounts::{Context, Selection, client_account};
use crate::broker::{self, EnvironmentIdentity, Identity};
use crate::cli::Whoami;
use crate::error::Result;
use crate::exit::SUCCESS;
use crate::output::Format;
use crate::settings::{Profile, Subscription, known};
use crate::sys::local_time;
use crate::vault::{ClientAccount, Vault};
use sign_in::{SignIn, State};

/// An account, and why it is used.
struct Found<'s> {
    identity: Identity,
    /// `from AZT_ACCOUNT`, `the default`.
    reason: String,
    tenant: String,
    /// The entry of the profile; none for other clients and for the environment.
    entry: Option<Subscription>,
    /// The vault, if it is open.
    vault: Option<Vault<'s>>,
}

pub(super) fn run(request: &Whoami, context: &Context<'_>) -> Result<Answer> {
    let mut found = found(request, context)?;
    // Opened once: a keyring that hangs takes all of its time limit.
    let vault = match found.vault.take() {
        Some(vault) => Ok(Some(vault)),
        None => broker::open_vault(context.system, &context.dir, &context.config),
    };
    let sign_in = SignIn::of(&found.identity, &found.tenant, &vault, context);
    let value = value(&found, &sign_in, &vault, context)?;
    let outcome = match (sign_in.state, vault.err().or(sign_in.error)) {
        (State::Missing, _) => Err(found.identity.not_signed_in(context.system.program)),
        (State::Unknown, Some(error)) => Err(error),
        _ => Ok(SUCCESS),
    };
    let global = &request.show.global;
    let answer = if global.output == Some(Format::Tsv) && global.query.is_none() {
        // Most members have members of their own, which tsv leaves empty.
        let row =
            columns(&value).as_object().into_iter().flatten().map(|it| it.1.clone()).collect();
        Answer::of(Value::Array(vec![row]))
    } else if wants_data(global, context) {
        Answer::with_columns(value, columns)
    } else {
        context.system.terminal.prose(&text(&value, context.system.clock.now()))?;
        Answer::none()
    };
    Ok(Answer { outcome, ..answer })
}

fn found<'s>(request: &Whoami, context: &Context<'s>) -> Result<Found<'s>> {
    let show = &request.show;
    let is_setting = || context.config.is_on(&known::IDENTITY_FROM_ENV);
    if request.identity_from_env || is_setting()? {
        let reason = if request.identity_from_env {
            "from --identity-from-env"
        } else {
            "from core.identity_from_env"
        };
        let identity = EnvironmentIdentity::read(context.system)?;
        let tenant = identity.tenant.clone();
        let identity = Identity::Environment(Box::new(identity));
        return Ok(Found { identity, reason: reason.to_owned(), tenant, entry: None, vault: None });
    }
    let selection = Selection {
        subscription: show.subscription.as_deref(),
        account: show.account.as_deref(),
        tenant: show.tenant.as_deref(),
        client_id: show.client_id.as_deref(),
        authority: show.authority.as_deref(),
    };
    if let Some((account, vault)) = selection.client_account(context)? {
        let from = if show.client_id.is_some() { "--client-id" } else { client_account::VARIABLE };
        let (reason, tenant) = (format!("from {from}"), account.tenant.clone());
        let identity = Identity::Client(Box::new(account));
        return Ok(Found { identity, reason, tenant, entry: None, vault: Some(vault) });
    }
    let profile = Profile::load(&context.dir)?;
    let (entry, reason) = selection.with_reason(&profile, context)?;
    Ok(Found {
        identity: Identity::of(entry, context.system)?,
        reason: reason.to_owned(),
        tenant: entry.tenant_id().to_owned(),
        entry: Some(entry.clone()),
        vault: None,
    })
}

fn value(
    found: &Found<'_>,
    sign_in: &SignIn,
    vault: &Result<Option<Vault<'_>>>,
    context: &Context<'_>,
) -> Result<Value> {
    let Found { identity, reason, tenant, entry, vault: _ } = found;
    let entry = entry.as_ref();
    let cloud = context.config.find(&known::CLOUD_NAME)?;
    let key = broker::inventory(context.system, &context.dir)?.key;
    let client = match identity {
        Identity::Client(account) => of_client(account),
        _ => Value::Null,
    };
    let subscription =
        entry.map(|entry| json!({"id": entry.id(), "name": entry.name(), "state": entry.state()}));
    Ok(json!({
        "account": {
            "name": identity.name(),
            "type": type_of(identity),
            "reason": reason,
        },
        "tenant": {
            "id": tenant,
            "name": entry.and_then(Subscription::tenant_display_name),
            "defaultDomain": entry.and_then(Subscription::tenant_default_domain),
        },
        "subscription": subscription,
        "cloud": {
            "name": context.cloud().name,
            "reason": cloud.map_or_else(|| "the default".to_owned(), |it| format!("from {}", it.source)),
        },
        "client": client,
        "key": key.map(|(source, id)| json!({
            "source": source.to_string(),
            "id": id.to_string(),
            "error": vault.as_ref().err().map(|error| error.message().to_owned()),
        })),
        "signIn": sign_in.to_value(),
    }))
}

fn of_client(account: &ClientAccount) -> Value {
    json!({"id": account.client_id, "authority": account.authority})
}

fn type_of(identity: &Identity) -> &'static str {
    match identity {
        Identity::User { .. } | Identity::Client(_) => "user",
        Identity::ServicePrincipal { .. } | Identity::Environment(_) => "servicePrincipal",
        Identity::ManagedIdentity(_) => "managedIdentity",
        Identity::CloudShell { .. } => "cloudShell",
    }
}

/// One row, for `-o table` and `-o tsv`.
fn columns(value: &Value) -> Value {
    let at = |path: &str| value.pointer(path).cloned().unwrap_or_default();
    json!({
        "Account": at("/account/name"),
        "Type": at("/account/type"),
        "Tenant": at("/tenant/id"),
        "Subscription": at("/subscription/name"),
        "Cloud": at("/cloud/name"),
        "SignIn": at("/signIn/state"),
    })
}

/// The text for people. What may be long has a line of its own, so that 40 columns are enough.
fn text(value: &Value, now: i64) -> String {
    let at = |path: &str| value.pointer(path).and_then(Value::as_str);
    let mut text = String::new();
    let mut line = |indent: &str, line: String| {
        let _ = writeln!(text, "{indent}{line}");
    };
    let kind = match at("/account/type") {
        Some("servicePrincipal") => "service principal",
        Some("managedIdentity") => "managed identity",
        Some("cloudShell") => "user of Cloud Shell",
        _ => "user",
    };
    line("", format!("Account: {}", at("/account/name").unwrap_or_default()));
    line("  ", format!("{kind}, {}", at("/account/reason").unwrap_or_default()));
    let names = [at("/tenant/name"), at("/tenant/defaultDomain")];
    match names.into_iter().flatten().collect::<Vec<_>>().as_slice() {
        [] => line("", "Tenant:".to_owned()),
        names => line("", format!("Tenant: {}", names.join(", "))),
    }
    line("  ", at("/tenant/id").unwrap_or_default().to_owned());
    if let (Some(name), Some(id)) = (at("/subscription/name"), at("/subscription/id")) {
        line("", format!("Subscription: {name}"));
        line("  ", id.to_owned());
        if let Some(state) = at("/subscription/state").filter(|state| *state != "Enabled") {
            line("  ", format!("state: {state}"));
        }
    }
    line("", format!("Cloud: {}", at("/cloud/name").unwrap_or_default()));
    line("  ", at("/cloud/reason").unwrap_or_default().to_owned());
    if let Some(id) = at("/client/id") {
        line("", "Client:".to_owned());
        line("  ", id.to_owned());
    }
    if let Some(authority) = at("/client/authority") {
        line("", "Authority:".to_owned());
        line("  ", authority.to_owned());
    }
    match at("/key/source") {
        Some(source) => line("", format!("Vault key: {source}")),
        None => line("", "Vault key: none yet".to_owned()),
    }
    // Where it hides the sign-in, it follows as the error of the call.
    if let Some(error) = at("/key/error").filter(|_| at("/signIn/state") != Some("unknown")) {
        line("  ", error.to_owned());
    }
    line("", format!("Sign-in: {}", sign_in::words(at("/signIn/state").unwrap_or_default())));
    let date = |path: &str| {
        let seconds = value.pointer(path).and_then(Value::as_i64)?;
        Some((local_time(seconds).format("%Y-%m-%d %H:%M").to_string(), seconds))
    };
    if let Some((date, at)) = date("/signIn/lastWorkedOn") {
        line("  ", format!("last worked {date}{}", days_ago(now.saturating_sub(at))));
    }
    if let Some((date, at)) = date("/signIn/endsUnusedOn") {
        let verb = if at < now { "ended if unused since" } else { "ends if unused until" };
        line("  ", format!("{verb} {date}"));
    }
    text
}

fn days_ago(seconds: i64) -> String {
    match seconds / 86_400 {
        ..=0 => String::new(),
        1 => " (1 day ago)".to_owned(),
        days => format!(" ({days} days ago)"),
    }
}
