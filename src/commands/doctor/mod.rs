//! `doctor`: checks the installation and suggests repairs.

mod accounts;
mod check;
mod fix;
mod folder;
mod network;
mod page;
mod settings;
mod sign_in;

use serde_json::Value;

use self::accounts::accounts;
use super::{Answer, agree, asks_for_data, cache, counted, rows};
use crate::accounts::{Context, DamagedSettings, is_shared};
use crate::broker;
use crate::cli::Doctor;
use crate::error::{Error, Result};
use crate::sys::{PLAIN, System, every_az, is_this_program, next_az};
use crate::vault::Vault;
use check::{Check, State, Topic, to_value};
use fix::Fix;
use folder::{file_system, folder};
use network::network;
use page::{Look, Page};
use settings::settings;
use sign_in::sign_in;

/// Prints the checks as text, or with `--output` or `--query` as a list. Fails if a check fails.
/// Without `--fix` it changes nothing; requests one token per account.
pub(super) fn run(request: &Doctor, context: &Context<'_>) -> Result<Answer> {
    if !request.fix {
        return told(request, context);
    }
    let system = context.system;
    let fixes = checked(true, context).into_fixes();
    if fixes.is_empty() {
        system.tell("There is nothing that --fix repairs.");
        return told(request, context);
    }
    let plan: Vec<String> =
        fixes.iter().flat_map(Fix::lines).map(|line| format!("  {line}")).collect();
    agree(request.yes, system, &plan)?;
    let done = fixes.iter().flat_map(|fix| fix.make(&request.global, system));
    let failed = done.filter(|(line, result)| !tell_done(system, line, result)).count();
    fixes.iter().filter_map(Fix::afterwards).for_each(|it| system.terminal.plain(it));
    // The settings and the folder may differ now.
    let mut answer = told(request, &Context::load(system, DamagedSettings::Ignore)?)?;
    if failed > 0 {
        let text = format!("{} failed: see above.", counted(failed, "repair"));
        answer.outcome = Err(Error::failed(text));
    }
    Ok(answer)
}

/// Says what became of a repair; true if it worked.
fn tell_done(system: &System, line: &str, result: &Result<()>) -> bool {
    let terminal = &system.terminal;
    let state = if result.is_ok() { State::Ok } else { State::Failure };
    let marks = terminal.stderr_is_tty() && terminal.screen(&system.env).unicode;
    let (mark, style) =
        Look { colour: terminal.has_styles(), marks, columns: usize::MAX }.mark(state);
    let said = match result {
        Ok(()) => format!(" {line}"),
        Err(error) => format!(" {line}: {}", error.message()),
    };
    terminal.line(&[(style, mark), (PLAIN, &said)]);
    for remedy in result.as_ref().err().into_iter().flat_map(Error::remedy_lines) {
        terminal.plain(&format!("  {remedy}"));
    }
    result.is_ok()
}

/// Checks everything.
fn checked(is_offline: bool, context: &Context<'_>) -> Page {
    let mut page = Page::default();
    #[cfg(unix)]
    if let Some(remote) = &context.remote {
        // Everything else is checked where that azt runs.
        let text =
            format!("settings and tokens come from the azt at {}", remote.socket().display());
        page.look(Topic::Folder, || Ok(vec![Check::ok(Topic::Folder, text)]));
        return page;
    }
    page.look(Topic::Folder, || Ok(folder(context)));
    let vault = broker::open_vault(context.system, &context.dir, &context.config);
    page.look(Topic::FileSystem, || Ok(file_system(context)));
    page.look_in_folder(Topic::Vault, || key(context, &vault).map(|key| vec![key]));
    page.look(Topic::Keyring, || Ok(keyring(context)));
    page.look_in_folder(Topic::Settings, || Ok(settings(context, &vault)));
    page.look(Topic::Network, || Ok(network(is_offline, context)));
    let is_online = page.has(Topic::Network);
    page.look_in_folder(Topic::Accounts, || accounts(context, &vault, is_online));
    page.look(Topic::SignIn, || Ok(sign_in(context.system)));
    page.look(Topic::Az, || Ok(vec![az(context)]));
    page.look(Topic::Path, || Ok(Vec::from_iter(path(context))));
    page.look(Topic::PlainText, || Ok(plain_text(context)));
    page
}

/// Checks everything and prints the checks.
fn told(request: &Doctor, context: &Context<'_>) -> Result<Answer> {
    let terminal = &context.system.terminal;
    let page = checked(request.offline, context);
    let mut answer = if asks_for_data(&request.global) {
        let all = page.checks.iter().map(to_value).collect();
        Answer::with_columns(Value::Array(all), |list| {
            rows(
                list,
                &[("Check", "check"), ("State", "state"), ("Text", "text"), ("Remedy", "remedy")],
            )
        })
    } else {
        let marks = terminal.stdout_is_tty() && terminal.screen(&context.system.env).unicode;
        let text = page.text(Look {
            colour: terminal.colour(),
            marks,
            columns: terminal.columns_of_text(),
        });
        if terminal.colour() {
            terminal.coloured_result(&text)?;
        } else {
            terminal.result(&text)?;
        }
        Answer::none()
    };
    if page.fixable() > 0 {
        context.system.tell("To repair what loses nothing, run: azt doctor --fix");
    }
    if let Err(error) = page.outcome() {
        answer.outcome = Err(error);
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
        Check::warning(Topic::Keyring, text).cured_by(command).fixed_by(Fix::MoveKey)
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
    // Without its files the real az is signed out, so it needs more than a repair.
    let is_in_use = next_az(context.system).is_some() || is_shared(context).unwrap_or(true);
    let check = |it: cache::PlainText| {
        let fix = (it.is_movable && !is_in_use).then_some(Fix::MoveSignInsOfAz);
        let check = Check::warning(Topic::PlainText, format!("{}: {}", it.path, it.what));
        check.remedies(it.remedy.iter().copied()).fixed_by(fix)
    };
    cache::plain_text(context).into_iter().map(check).collect()
}
