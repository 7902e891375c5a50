//! `doctor`: checks the installation and suggests repairs.

mod accounts;
mod check;
mod folder;
mod network;
mod settings;
mod sign_in;

use serde_json::Value;

use super::{Answer, cache, rows};
use crate::accounts::Context;
use crate::broker;
use crate::cli::Doctor;
use crate::error::{Error, Result};
use crate::sys::{every_az, is_this_program};
use crate::vault::Vault;
use accounts::accounts;
use check::{Check, Page, State, Topic, shown, to_value};
use folder::{file_system, folder};
use network::network;
use settings::settings;
use sign_in::sign_in;

/// Prints the checks as text, or with `--output` or `--query` as a list. Fails if a check fails.
/// Changes nothing; requests one token per account.
pub(super) fn run(request: &Doctor, context: &Context<'_>) -> Result<Answer> {
    let mut page = Page::default();
    page.look(Topic::Folder, || Ok(vec![folder(context)]));
    let vault = broker::open_vault(context.system, &context.dir, &context.config);
    page.look(Topic::FileSystem, || Ok(file_system(context)));
    page.look_in_folder(Topic::Vault, || key(context, &vault).map(|key| vec![key]));
    page.look(Topic::Keyring, || Ok(keyring(context)));
    page.look_in_folder(Topic::Settings, || Ok(settings(context, &vault)));
    page.look(Topic::Network, || Ok(network(request, context)));
    let is_online = page.has(Topic::Network);
    page.look_in_folder(Topic::Accounts, || accounts(context, &vault, is_online));
    page.look(Topic::SignIn, || Ok(sign_in(context.system)));
    page.look(Topic::Az, || Ok(vec![az(context)]));
    page.look(Topic::Path, || Ok(Vec::from_iter(path(context))));
    page.look(Topic::PlainText, || Ok(plain_text(context)));
    let checks = page.checks;
    let mut answer = if request.global.output.is_none() && request.global.query.is_none() {
        context.system.terminal.result(&shown(&checks))?;
        Answer::none()
    } else {
        let all = checks.iter().map(to_value).collect();
        Answer::with_columns(Value::Array(all), |list| {
            rows(
                list,
                &[("Check", "check"), ("State", "state"), ("Text", "text"), ("Remedy", "remedy")],
            )
        })
    };
    match checks.iter().filter(|check| check.state == State::Failure).count() {
        0 => {}
        1 => answer.outcome = Err(Error::failed("One thing is wrong: see above.")),
        more => {
            answer.outcome = Err(Error::failed(format!("{more} things are wrong: see above.")));
        }
    }
    Ok(answer)
}

fn key(context: &Context<'_>, vault: &Result<Option<Vault<'_>>>) -> Result<Check> {
    if let Err(error) = vault {
        return Ok(Check::of_error(Topic::Vault, error));
    }
    let found = broker::inventory(context.system, &context.dir)?;
    let Some((source, id)) = found.key else {
        return Ok(Check::ok(Topic::Vault, "nothing is stored yet"));
    };
    let records: usize = found.records.values().sum();
    if found.unreadable > 0 {
        let text = format!("{} files could not be opened and were set aside", found.unreadable);
        return Ok(Check::warning(Topic::Vault, text).remedy(format!(
            "Sign in again; then remove *.unreadable in {}/records.",
            context.dir.azt().path().display()
        )));
    }
    Ok(Check::ok(Topic::Vault, format!("{records} records, opened by the key {id} ({source})")))
}

/// If the key is in a file because no keyring was available: the reason, or a warning that the
/// keyring is available now.
fn keyring(context: &Context<'_>) -> Vec<Check> {
    // The vault check has already reported errors.
    let found = broker::keyring_flaw(context.system, &context.dir, &context.config).ok().flatten();
    let check = |flaw: Option<Error>| {
        if let Some(flaw) = flaw {
            return Check::ok(Topic::Keyring, format!("the key is in a file. {}", flaw.message()));
        }
        let text = "it is available, but the key is still in a file";
        let command = format!("{} vault move --to keyring", context.system.program);
        Check::warning(Topic::Keyring, text).cured_by(command)
    };
    Vec::from_iter(found.map(check))
}

fn az(context: &Context<'_>) -> Check {
    let found = every_az(context.system);
    match found.first() {
        None => Check::ok(Topic::Az, "there is no az on PATH"),
        Some(first) if is_this_program(first) => {
            let behind = found.iter().find(|path| !is_this_program(path));
            let behind = behind.map_or("no other az is on PATH".to_owned(), |path| {
                format!("other commands go to {}", path.display())
            });
            Check::ok(Topic::Az, format!("{} is this program; {behind}", first.display()))
        }
        Some(first) => Check::ok(Topic::Az, format!("{} is the real one", first.display())),
    }
}

/// Warns about relative entries of PATH: azt skips them, but shells and other programs do not.
fn path(context: &Context<'_>) -> Option<Check> {
    let text = "it has an empty or relative entry, so a file in the working directory can run in place of a command";
    let is_so = context.system.env.has_relative_path();
    is_so.then(|| Check::warning(Topic::Path, text).remedy("Remove that entry from PATH."))
}

fn plain_text(context: &Context<'_>) -> Vec<Check> {
    let check = |it: cache::PlainText| {
        Check::warning(Topic::PlainText, format!("{}: {}", it.path, it.what)).remedy(it.remedy)
    };
    cache::plain_text(context).into_iter().map(check).collect()
}
