//! `account list`.

use serde_json::Value;

use super::{Answer, account_table, is_for_people, rows};
use crate::accounts::{Context, client_account, refresh_subscriptions};
use crate::cli::AccountList;
use crate::error::Result;
use crate::program::Program;
use crate::settings::Profile;
use crate::sys::Screen;

/// Without accounts, prints an empty list and a warning, not an error (az 2.91; tools rely on it).
pub(super) fn run(request: &AccountList, context: &Context<'_>) -> Result<Answer> {
    if request.refresh {
        refresh_subscriptions::refresh_all(context)?;
    }
    let profile = Profile::load(&context.dir)?;
    let mut listing = profile.list_value(&context.cloud().name, request.all);
    // az knows no such accounts.
    if context.system.program == Program::Azt {
        let mut others = client_account::listed(context)?;
        others.retain(|it| request.all || client_account::is_visible(context, it));
        listing.is_empty &= others.is_empty();
        if let Some(entries) = listing.value.as_array_mut() {
            entries.extend(others.iter().map(|it| client_account::entry(context, it)));
        }
    }
    let terminal = &context.system.terminal;
    if listing.is_empty {
        let program = context.system.program;
        terminal.warn(&format!("Please run \"{program} login\" to access your accounts."));
    } else if listing.some_hidden {
        terminal.warn(if is_for_people(&request.global, context) {
            "Some are left out, which are not enabled (--all)."
        } else {
            "A few accounts are skipped as they don't have 'Enabled' state. Use '--all' to display them."
        });
    }
    if is_for_people(&request.global, context) {
        if !listing.is_empty {
            let (columns, _) = Screen::size();
            let ellipsis = terminal.screen(&context.system.env).ellipsis();
            terminal.result(&account_table::text(&listing.value, columns, ellipsis))?;
        }
        return Ok(Answer::none());
    }
    Ok(Answer::with_columns(listing.value, columns))
}

fn columns(list: &Value) -> Value {
    rows(
        list,
        &[
            ("Name", "name"),
            ("CloudName", "cloudName"),
            ("SubscriptionId", "id"),
            ("TenantId", "tenantId"),
            ("State", "state"),
            ("IsDefault", "isDefault"),
        ],
    )
}
