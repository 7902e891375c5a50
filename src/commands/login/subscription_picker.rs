//! The choice of a subscription after a sign-in on a terminal (`core.login_experience_v2`).
//!
//! `azt` shows a searchable list. Under the name `az`, prints az's numbered table in az's words on
//! standard output.

use serde_json::{Value, json};

use super::super::{asks_for_data, rows};
use super::is_interactive;
use crate::accounts::{Candidates, Context};
use crate::cli::Login;
use crate::error::{Error, Kind, Result};
use crate::output::{Format, Render};
use crate::program::Program;
use crate::settings::{Clouds, Profile, Subscription, known};

/// Maximum length of a name in az's table, in characters; longer names are cut.
const LONGEST_NAME: usize = 36;

/// az's closing text.
const ANNOUNCEMENTS: &str = "[Announcements]\nWith the new Azure CLI login experience, you can select the subscription you want to use more easily. Learn more about it and its configuration at https://go.microsoft.com/fwlink/?linkid=2271236\n\nIf you encounter any problem, please open an issue at https://aka.ms/azclibug\n";

/// True when the user can choose: az's conditions, and standard error must be a terminal. As `azt`,
/// a call that names a format prints the list instead.
pub(super) fn is_wanted(request: &Login, context: &Context<'_>) -> Result<bool> {
    let (terminal, program) = (&context.system.terminal, context.system.program);
    Ok(is_interactive(request)
        && context.system.can_ask()
        && terminal.stdout_is_tty()
        && terminal.stderr_is_tty()
        && !(program == Program::Azt && asks_for_data(&request.global))
        && context.config.is_on(&known::LOGIN_EXPERIENCE_V2)?)
}

/// Under the name `az`, prints az's progress line. `one_tenant`: only one tenant is searched.
pub(super) fn announce(context: &Context<'_>, one_tenant: bool) -> Result<()> {
    if context.system.program == Program::Azt {
        return Ok(());
    }
    let what = if one_tenant { "subscriptions" } else { "tenants and subscriptions" };
    context.system.terminal.result(&format!("\nRetrieving {what} for the selection...\n"))
}

/// Lets the user choose among `found` and stores the choice as the default. `chosen` is the id of
/// the current default. Returns the id of the default then.
pub(super) fn run(context: &Context<'_>, found: &[Subscription], chosen: &str) -> Result<String> {
    let mut sorted: Vec<&Subscription> = found.iter().collect();
    sorted.sort_by_key(|entry| entry.name().to_lowercase());
    let default = sorted.iter().position(|entry| entry.id() == chosen).unwrap_or_default();
    let entry = match context.system.program {
        Program::Az => {
            pick_by_number(context, &sorted, default)?.and_then(|at| sorted.get(at).copied())
        }
        Program::Azt => pick(context, found, chosen)?,
    };
    if let Some(entry) = entry.filter(|entry| entry.id() != chosen) {
        let cloud = context.cloud();
        Profile::update(&context.dir, |profile| profile.set_default(&cloud.name, entry.id()))?;
        Clouds::set_subscription(&context.dir, &cloud.name, entry.id())?;
    }
    if context.system.program == Program::Az {
        let terminal = &context.system.terminal;
        if let Some(entry) = entry.or_else(|| sorted.get(default).copied()) {
            terminal.result(&format!(
                "Tenant: {}\nSubscription: {} ({})\n\n{ANNOUNCEMENTS}\n",
                tenant_of_az(entry),
                entry.name(),
                entry.id()
            ))?;
        }
        terminal.warn("[Warning] The login output has been updated. Please be aware that it no longer displays the full list of available subscriptions by default.\n");
    }
    Ok(entry.map_or(chosen, Subscription::id).to_owned())
}

/// azt's list.
fn pick<'f>(
    context: &Context<'_>,
    found: &'f [Subscription],
    chosen: &str,
) -> Result<Option<&'f Subscription>> {
    let picked = Candidates::new(context, found.iter()).pick(context).map_err(|error| {
        if error.kind() != Kind::Cancelled {
            return error;
        }
        let default = found.iter().find(|entry| entry.id() == chosen);
        let name = default.map(Subscription::name).unwrap_or_default();
        let text = format!("Cancelled. You are signed in. The default subscription is '{name}'.");
        Error::new(Kind::Cancelled, text)
    })?;
    if picked.is_none() {
        context.system.terminal.plain("Nothing was chosen: the default stays.");
    }
    Ok(picked)
}

fn pick_by_number(
    context: &Context<'_>,
    sorted: &[&Subscription],
    default: usize,
) -> Result<Option<usize>> {
    let terminal = &context.system.terminal;
    let table = numbered(sorted, default);
    let render = Render {
        format: Format::Table,
        table: Some(|table| {
            rows(
                table,
                &["No", "Subscription name", "Subscription ID", "Tenant"].map(|it| (it, it)),
            )
        }),
        ..Render::default()
    };
    let text = render.render(&table)?;
    let text: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(line, text)| {
            // The table starts with two header lines.
            match table.get(default).filter(|_| line == default + 2 && terminal.colour()) {
                Some(row) => highlighted(text, row),
                None => text.to_owned(),
            }
        })
        .collect();
    terminal.coloured_result(&format!(
        "\n[Tenant and subscription selection]\n\n{}\n",
        text.join("\n")
    ))?;
    if let Some(entry) = sorted.get(default) {
        terminal.result(&format!("\nThe default is marked with an *; the default tenant is '{}' and subscription is '{}' ({}).\n\n", tenant_of_az(entry), entry.name(), entry.id()))?;
    }
    loop {
        terminal
            .result("Select a subscription and tenant (Type a number or Enter for no changes): ")?;
        let Some(line) = terminal.read_plain_line()? else { return Ok(None) };
        let line = line.trim();
        if line.is_empty() {
            terminal.result("\n")?;
            return Ok(None);
        }
        if let Some(at) = line
            .parse::<usize>()
            .ok()
            .and_then(|number| number.checked_sub(1))
            .filter(|at| *at < sorted.len())
        {
            terminal.result("\n")?;
            return Ok(Some(at));
        }
        terminal.warn("Invalid selection.");
    }
}

/// What az calls the tenant.
fn tenant_of_az(entry: &Subscription) -> &str {
    entry.tenant_display_name().unwrap_or(entry.tenant_id())
}

/// The rows of az's table.
fn numbered(sorted: &[&Subscription], default: usize) -> Value {
    let row = |(at, entry): (usize, &&Subscription)| {
        let mark = if at == default { " *" } else { "" };
        let name = entry.name();
        let name = if name.chars().count() > LONGEST_NAME {
            name.chars().take(LONGEST_NAME - 3).chain("...".chars()).collect()
        } else {
            name.to_owned()
        };
        json!({"No": format!("[{}]{mark}", at + 1), "Subscription name": name, "Subscription ID": entry.id(), "Tenant": tenant_of_az(entry)})
    };
    Value::Array(sorted.iter().enumerate().map(row).collect())
}

/// `line` with each cell of `row` in bright cyan.
fn highlighted(line: &str, row: &Value) -> String {
    let cells = row.as_object().into_iter().flat_map(|row| row.values()).filter_map(Value::as_str);
    let (mut done, mut rest) = (String::new(), line);
    for cell in cells {
        let cell = cell.trim();
        if let Some((before, after)) = rest.split_once(cell) {
            done += &[before, "\x1b[96m", cell, "\x1b[0m"].concat();
            rest = after;
        }
    }
    done + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_of_the_default_is_coloured_cell_by_cell() {
        let row = json!({"No": "[1] *", "Name": "a", "Id": "b"});
        assert_eq!(
            highlighted("[1] *  a   b", &row),
            "\x1b[96m[1] *\x1b[0m  \x1b[96ma\x1b[0m   \x1b[96mb\x1b[0m"
        );
    }
}
