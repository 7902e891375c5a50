//! The commands, one file each: each turns a request into an [`Answer`].

mod account_clear;
mod account_list;
mod account_list_locations;
mod account_set;
mod account_show;
mod account_table;
mod account_tenant_list;
mod agree;
mod cache;
mod ci;
mod claims_challenge;
mod cloud;
mod completion;
mod config;
mod consumer;
mod doctor;
#[cfg_attr(not(unix), allow(dead_code, reason = "only Unix has sockets with an owner"))]
mod endpoint;
mod exec;
mod get_access_token;
mod help;
mod host_account;
mod hosts;
mod identity_broker;
mod login;
mod logout;
mod man;
mod pass_through;
mod rest;
mod serve;
mod shim;
mod switch;
mod token;
mod vault;
mod version;
mod whoami;

use serde_json::Value;
use zeroize::Zeroize;

use agree::agree;

pub(crate) use completion::complete;
pub(crate) use config::default_format;
#[cfg(fuzzing)]
pub use endpoint::fuzz_endpoint;
pub(crate) use help::help;
pub(crate) use man::man;
pub(crate) use pass_through::pass_through;
pub(crate) use version::version_text;

use crate::accounts::{Context, DamagedSettings};
use crate::cli::{AccountCommand, Command, Global, TenantCommand};
use crate::error::Result;
use crate::exit::SUCCESS;
use crate::foreign::{Typed, as_one_line};
use crate::output::Format;
use crate::program::Program;
use crate::settings::{Profile, known};

/// The result of a command.
pub(crate) struct Answer {
    /// The result; null prints nothing.
    pub(crate) value: Value,
    /// Picks the columns of `-o table`; `None` uses the members of the value.
    pub(crate) table: Option<fn(&Value) -> Value>,
    /// True when `value` holds a token: no part of it may be quoted in a message.
    pub(crate) is_secret: bool,
    /// The default format of this result, overriding `core.output`, for results that programs read.
    pub(crate) format: Option<Format>,
    /// The exit code, or the failure that is reported after the result.
    pub(crate) outcome: Result<u8>,
}

impl Answer {
    /// Nothing to print.
    pub(crate) fn none() -> Self {
        Self::of(Value::Null)
    }

    /// An answer with `value`; its members are the columns of a table.
    pub(crate) fn of(value: Value) -> Self {
        Self { value, table: None, is_secret: false, format: None, outcome: Ok(SUCCESS) }
    }

    /// An answer with `value`; `table` picks the columns.
    pub(crate) fn with_columns(value: Value, table: fn(&Value) -> Value) -> Self {
        Self { table: Some(table), ..Self::of(value) }
    }

    /// Puts each text on one line without control characters, for the formats that do not escape
    /// them: rows of a table or of tsv, which a program or a terminal reads.
    pub(crate) fn put_on_lines(&mut self) {
        put_on_lines(&mut self.value);
    }

    /// Zeroizes all text, because the answer may hold a token.
    pub(crate) fn wipe(&mut self) {
        wipe(&mut self.value);
    }
}

/// True if the call names a format or a part of the result.
fn asks_for_data(global: &Global) -> bool {
    global.output.is_some() || global.query.is_some()
}

/// True if the call asks for data, or the settings name a format.
fn wants_data(global: &Global, context: &Context<'_>) -> bool {
    asks_for_data(global) || matches!(context.config.text(&known::OUTPUT), Ok(Some(_)))
}

/// True if a person reads the result: azt on a terminal, and nothing asks for data. Elsewhere the
/// commands of az print az's JSON; those of azt alone print data only if [`wants_data`].
fn is_for_people(global: &Global, context: &Context<'_>) -> bool {
    context.system.program == Program::Azt
        && context.system.terminal.stdout_is_tty()
        && !wants_data(global, context)
}

/// The id of the subscription `wanted`, a name or an id. As in az, one that is not there is taken as it
/// is, with a warning.
fn recognised(wanted: &str, context: &Context<'_>) -> Result<String> {
    let profile = Profile::load(&context.dir)?;
    let lower = wanted.to_lowercase();
    let mut visible = profile.visible(&context.cloud().name);
    if let Some(entry) = visible.find(|entry| entry.is_called(&lower)) {
        return Ok(entry.id().to_owned());
    }
    let text = format!("Subscription '{}' not recognized.", Typed(wanted));
    context.system.terminal.warn(&text);
    Ok(wanted.to_owned())
}

/// `count` and the noun, with its plural in `s`.
fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// The rows of `list` for `-o table`, with `columns` as pairs of header and member name.
fn rows(list: &Value, columns: &[(&str, &str)]) -> Value {
    let row = |entry: &Value| {
        let cell = |(header, member): &(&str, &str)| {
            ((*header).to_owned(), entry.get(member).cloned().unwrap_or_default())
        };
        Value::Object(columns.iter().map(cell).collect())
    };
    Value::Array(list.as_array().map(|list| list.iter().map(row).collect()).unwrap_or_default())
}

fn put_on_lines(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(clean) = as_one_line(text) {
                text.zeroize();
                *text = clean;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(put_on_lines),
        Value::Object(members) => members.values_mut().for_each(put_on_lines),
        _ => {}
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        _ => {}
    }
}

/// How `command` handles settings that cannot be parsed.
pub(crate) fn damaged_settings(command: &Command) -> DamagedSettings {
    match command {
        Command::Completion(_) | Command::Config(_) | Command::Doctor(_) => DamagedSettings::Ignore,
        Command::Account(AccountCommand::Clear { .. }) => DamagedSettings::UseAzureCloud,
        Command::Logout(request) if request.username.is_some() => DamagedSettings::UseAzureCloud,
        Command::Login(_) | Command::Logout(_) => DamagedSettings::UseBuiltInCloud,
        _ => DamagedSettings::Refuse,
    }
}

/// Fails for a command that concerns sign-ins where those of another azt are used.
#[cfg(unix)]
fn check_sign_ins_are_here(command: &Command, context: &Context<'_>) -> Result<()> {
    let needs_own = matches!(
        command,
        Command::Login(_)
            | Command::Logout(_)
            | Command::Account(AccountCommand::Clear { .. } | AccountCommand::Set(_))
            | Command::Switch(_)
            | Command::Cache(_)
            | Command::Vault(_)
    );
    if context.remote.is_some() && needs_own { context.dir.ensure() } else { Ok(()) }
}

/// Runs `command`.
pub(crate) fn run(command: &Command, context: &Context<'_>) -> Result<Answer> {
    #[cfg(unix)]
    check_sign_ins_are_here(command, context)?;
    match command {
        Command::Login(request) => login::run(request, context),
        Command::Logout(request) => logout::run(request, context),
        Command::Account(command) => match command {
            AccountCommand::Clear { .. } => account_clear::run(context),
            AccountCommand::GetAccessToken(request) => get_access_token::run(request, context),
            AccountCommand::List(request) => account_list::run(request, context),
            AccountCommand::ListLocations(request) => account_list_locations::run(request, context),
            AccountCommand::Set(request) => account_set::run(request, context),
            AccountCommand::Show(request) => account_show::run(request, context),
            AccountCommand::Tenant(TenantCommand::List { .. }) => account_tenant_list::run(context),
        },
        Command::Cache(command) => cache::run(command, context),
        Command::Ci(request) => ci::run(request, context),
        Command::Cloud(command) => cloud::run(command, context),
        Command::Completion(request) => completion::run(request, context),
        Command::Config(command) => config::run(command, context),
        Command::Doctor(request) => doctor::run(request, context),
        Command::Exec(request) => exec::run(request, context),
        Command::Hosts(request) => hosts::run(request, context),
        Command::IdentityBroker { .. } => identity_broker::run(context),
        Command::Rest(request) => rest::run(request, context),
        Command::Serve(request) => serve::run(request, context),
        Command::Shim(command) => shim::run(command, context),
        Command::Switch(request) => switch::run(request, context),
        Command::Token(request) => token::run(request, context),
        Command::Vault(command) => vault::run(command, context),
        Command::Version { subscription, .. } => version::run(subscription.as_deref(), context),
        Command::Whoami(request) => whoami::run(request, context),
    }
}
