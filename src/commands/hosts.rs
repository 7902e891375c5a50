//! `hosts`: which hosts get tokens, of which resource and account.

use serde_json::{Value, json};

use super::consumer::Target;
use super::get_access_token::chosen;
use super::host_account::{choices, opened};
use super::{Answer, asks_for_data, rows};
use crate::accounts::Context;
use crate::cli::Hosts;
use crate::error::Result;
use crate::foreign::Typed;
use crate::hosts::{OwnHost, rows as rows_of_table};

/// The source of a row that the settings have no part in.
const BUILT_IN: &str = "built in";

pub(super) fn run(request: &Hosts, context: &Context<'_>) -> Result<Answer> {
    match &request.url {
        Some(url) => explain(url, request, context),
        None => list(request, context),
    }
}

fn list(request: &Hosts, context: &Context<'_>) -> Result<Answer> {
    let own = OwnHost::all(&context.config)?.into_iter().map(|host| {
        json!({
            "pattern": host.pattern,
            "audience": host.audience,
            "service": null,
            "account": host.account,
            "tenant": host.tenant,
            "source": "settings",
        })
    });
    let table = rows_of_table(context.cloud()).into_iter().map(|row| {
        json!({
            "pattern": row.pattern,
            "audience": row.audience.unwrap_or_else(|| format!("https://{}", row.pattern)),
            "service": row.service,
            "account": null,
            "tenant": null,
            "source": BUILT_IN,
        })
    });
    let all = Value::Array(own.chain(table).collect());
    let answer = Answer::with_columns(all, columns);
    if asks_for_data(&request.global) {
        return Ok(answer);
    }
    Ok(Answer { format: Some(crate::output::Format::Table), ..answer })
}

fn columns(list: &Value) -> Value {
    rows(
        list,
        &[
            ("Host", "pattern"),
            ("Audience", "audience"),
            ("Service", "service"),
            ("Source", "source"),
        ],
    )
}

fn explain(url: &str, request: &Hosts, context: &Context<'_>) -> Result<Answer> {
    let target = Target::of(url, context)?;
    let Some(destination) = &target.destination else {
        let audience = target.audience();
        if asks_for_data(&request.global) {
            return Ok(Answer::of(json!({ "audience": audience })));
        }
        let shown = format!("The service {} gets a token for {audience}.\n", Typed(url));
        return context.system.terminal.result(&shown).map(|()| Answer::none());
    };
    let mut options = request.account.request(&request.global);
    let vault = opened(context);
    let choices = choices(destination, &options, None, vault.as_ref(), context)?;
    let first = choices.first();
    if let Some(first) = first {
        first.apply(&mut options);
    }
    // Without a sign-in the host is explained all the same.
    let chosen = chosen(&options, context).ok();
    let chosen = chosen.as_ref();
    let reason = first.map_or("", |first| first.reason);
    let explained = json!({
        "host": destination.host,
        "pattern": destination.pattern,
        "source": if destination.is_own { "settings" } else { BUILT_IN },
        "audience": destination.audience,
        "service": destination.service,
        "account": chosen.map(|it| &it.account),
        "accountReason": reason,
        "tenant": chosen.map(|it| &it.tenant),
    });
    if asks_for_data(&request.global) {
        return Ok(Answer::of(explained));
    }
    let text =
        |name: &str| explained.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let shown = format!(
        "{host} gets a token for {audience},\n  because it is {pattern} ({source}).\nAccount: {account} ({reason})\nTenant: {tenant}\n",
        host = text("host"),
        audience = text("audience"),
        pattern = text("pattern"),
        source = text("source"),
        account = text("account"),
        reason = text("accountReason"),
        tenant = text("tenant"),
    );
    context.system.terminal.result(&shown).map(|()| Answer::none())
}
