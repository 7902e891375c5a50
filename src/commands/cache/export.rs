//! `cache export`.

use std::path::Path;

use zeroize::Zeroizing;

use super::{Answer, vault};
use crate::accounts::Context;
use crate::broker;
use crate::cli::CacheExport;
use crate::error::{Error, Kind, Result};
use crate::foreign::Typed;
use crate::interop;
use crate::output::Format;
use crate::settings::python_json_indented;
use crate::sys::{file, write_named};

/// Writes the vault as MSAL's unified cache to a private file, or to standard output unless that is
/// a terminal. The format is JSON regardless of `core.output`, so that it can be imported again.
pub(super) fn run(request: &CacheExport, context: &Context<'_>) -> Result<Answer> {
    let terminal = &context.system.terminal;
    let path = request.file.as_deref().filter(|path| *path != Path::new("-"));
    if path.is_none() && request.file.is_none() && terminal.stdout_is_tty() {
        return Err(Error::failed("This would show secrets on the terminal.")
            .remedy("Name a file with --file, or send the output to a program."));
    }
    // This also rejects `--file >(command)`.
    if let Some(path) = path.filter(|path| file::is_special(path)) {
        let message = format!("{} is not a regular file.", path.display());
        return Err(Error::failed(message)
            .remedy("Name another file, or leave --file out and pipe standard output."));
    }
    let vault = vault(context)?;
    // Assigns login hosts to stored applications, so that the export names them.
    broker::applications(context.system, &vault, context.homes())?;
    let (account, with_sources) = (request.account.as_deref(), request.with_sources);
    let (exported, left_out) = interop::export(&vault, account, with_sources)?;
    let left_out = (!left_out.is_empty()).then(|| {
        format!(
            "Left out, because they sign in with a file, a command or a pipeline: {}. To include them, add --with-sources.",
            left_out.join(", ")
        )
    });
    let mut others = broker::client_accounts(&vault)?;
    others.retain(|it| account.is_none_or(|name| it.username.eq_ignore_ascii_case(name)));
    if !others.is_empty() {
        let names: Vec<&str> = others.iter().map(|it| it.username.as_str()).collect();
        terminal.warn(&format!(
            "Left out, because they belong to other clients than az's: {}. After an import, sign them in again with `azt login --client-id`.",
            names.join(", ")
        ));
    }
    // A misspelled name or an empty variable must not overwrite a good file with an empty one.
    if let Some(name) = request.account.as_deref()
        && interop::has_no_accounts(&exported)
    {
        return Err(match left_out {
            Some(left_out) => Error::failed(format!("Nothing is written. {left_out}")),
            None => Error::new(
                Kind::NotSignedIn,
                format!("Nothing is stored for '{name}'.", name = Typed(name)),
            )
            .remedy("List the accounts with: azt cache list"),
        });
    }
    if let Some(left_out) = left_out {
        terminal.warn(&left_out);
    }
    terminal.warn("The output has secrets in plain text: anyone who reads it can sign in as you.");
    let Some(path) = path else {
        return Ok(Answer { is_secret: true, format: Some(Format::Json), ..Answer::of(exported) });
    };
    let mut exported = Answer::of(exported);
    let text = python_json_indented(&exported.value);
    exported.wipe();
    let text = Zeroizing::new(
        text.map_err(|_| Error::failed(format!("{} cannot be written.", path.display())))?,
    );
    write_named(path, &text)?;
    Ok(Answer::none())
}
