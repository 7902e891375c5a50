//! `account list`.

use serde_json::{Map, Value};

use super::{Answer, Context};
use crate::cli::AccountList;
use crate::error::Result;
use crate::settings::Profile;

/// Nobody signed in is an empty list and a warning, not an error (az 2.91; tools rely on it).
pub(super) fn run(request: &AccountList, context: &Context<'_>) -> Result<Answer> {
    let profile = Profile::load(&context.dir)?;
    let listing = profile.list_value(&context.cloud().name, request.all);
    let terminal = &context.system.terminal;
    if listing.is_empty {
        let program = context.system.program;
        terminal.warn(&format!("Please run \"{program} login\" to access your accounts."));
    } else if listing.some_hidden {
        terminal.warn("A few accounts are skipped as they don't have 'Enabled' state. Use '--all' to display them.");
    }
    Ok(Answer::with_columns(listing.value, columns))
}

/// az's columns for `-o table`.
fn columns(list: &Value) -> Value {
    let names = [
        ("Name", "name"),
        ("CloudName", "cloudName"),
        ("SubscriptionId", "id"),
        ("TenantId", "tenantId"),
        ("State", "state"),
        ("IsDefault", "isDefault"),
    ];
    let row = |entry: &Value| {
        let cell = |(header, member): (&str, &str)| {
            (header.to_owned(), entry.get(member).cloned().unwrap_or_default())
        };
        Value::Object(names.into_iter().map(cell).collect::<Map<_, _>>())
    };
    Value::Array(list.as_array().map(|rows| rows.iter().map(row).collect()).unwrap_or_default())
}
