//! `shim install`, `shim remove`, `shim status`: installs azt under the name `az`.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Answer, agree, is_for_people, rows};
use crate::accounts::{self, Context};
use crate::cli::{ShimChange, ShimCommand};
use crate::error::{Error, Result};
use crate::settings::{Config, known};
use crate::sys::{
    Level, az_names, check_not_shared, every_az, is_this_program, make_az, next_az, remove_az,
    this_program,
};

pub(super) fn run(command: &ShimCommand, context: &Context<'_>) -> Result<Answer> {
    match command {
        ShimCommand::Install(request) => install(request, context),
        ShimCommand::Remove(request) => remove(request, context),
        ShimCommand::Status { .. } => Ok(status(context)),
    }
}

fn install(request: &ShimChange, context: &Context<'_>) -> Result<Answer> {
    let program = this_program()?;
    let folder = folder(request, &program)?;
    check_not_shared(&folder)?;
    let names = az_names(&folder);
    for name in &names {
        if name.symlink_metadata().is_ok() && !is_this_program(name) {
            return Err(Error::failed(format!(
                "{} already exists and is not this program. It was not changed.",
                name.display()
            ))
            .remedy("Choose another folder with --dir, one that comes before it on PATH."));
        }
    }
    // A copy would not be updated with azt, so only a link counts; Windows has only copies.
    let leads_here =
        |name: &PathBuf| cfg!(windows) || name.canonicalize().is_ok_and(|target| target == program);
    let is_made = names.iter().all(|name| is_this_program(name) && leads_here(name));
    // The real az needs the sign-ins for the commands that are passed to it.
    let shares = next_az(context.system).is_some() && !accounts::is_shared(context)?;
    let mut plan: Vec<String> = names
        .iter()
        .filter(|_| !is_made)
        .map(|name| format!("  make {} -> {}", name.display(), program.display()))
        .collect();
    if shares {
        plan.push("  set core.share_with_az=true: sign-ins go into the real az's files too (plain text on Linux and macOS)".to_owned());
    }
    if !plan.is_empty() {
        agree(request.yes, context.system, &plan)?;
    }
    if !is_made {
        make_az(&folder, &program)?;
    }
    if shares {
        Config::set(&context.dir, &known::SHARE_WITH_AZ, "true")?;
        terminal_note(context);
    }
    tell_place(&folder, context);
    if is_for_people(&request.global, context) {
        let text = format!("Installed az in {}.\n", folder.display());
        return context.system.terminal.result(&text).map(|()| Answer::none());
    }
    Ok(status(context))
}

fn remove(request: &ShimChange, context: &Context<'_>) -> Result<Answer> {
    let program = this_program()?;
    let folder = folder(request, &program)?;
    check_not_shared(&folder)?;
    // Do not remove the program itself, which may be installed as `az`.
    let is_shim = |name: &PathBuf| is_this_program(name) && *name != program;
    let names: Vec<PathBuf> = az_names(&folder).into_iter().filter(is_shim).collect();
    if names.is_empty() {
        return Err(Error::failed(format!("{} has no az that is this program.", folder.display()))
            .remedy("To find it, run: azt shim status"));
    }
    let mut plan: Vec<String> =
        names.iter().map(|name| format!("  remove {}", name.display())).collect();
    let is_shared = accounts::is_shared(context)?;
    let other = other_shim(&names, context).filter(|_| is_shared);
    let stops = is_shared && other.is_none();
    if stops {
        plan.push("  set core.share_with_az=false: later sign-ins stay here".to_owned());
    }
    if let Some(other) = other {
        plan.push(format!(
            "  keep core.share_with_az=true: {} is this program too",
            other.display()
        ));
    }
    agree(request.yes, context.system, &plan)?;
    if stops {
        Config::set(&context.dir, &known::SHARE_WITH_AZ, "false")?;
    }
    for name in &names {
        remove_az(&folder, name)?;
    }
    if is_for_people(&request.global, context) {
        let text = format!("Removed az from {}.\n", folder.display());
        return context.system.terminal.result(&text).map(|()| Answer::none());
    }
    Ok(status(context))
}

/// Another az on PATH that is this program, not in `names`. It still passes commands to the real
/// az.
fn other_shim(names: &[PathBuf], context: &Context<'_>) -> Option<PathBuf> {
    // Compares canonical paths: PATH may list a folder under several names.
    let place =
        |file: &PathBuf| Some((file.parent()?.canonicalize().ok()?, file.file_name()?.to_owned()));
    let removed: Vec<_> = names.iter().map(place).collect();
    let stays = |file: &PathBuf| is_this_program(file) && !removed.contains(&place(file));
    every_az(context.system).into_iter().find(stays)
}

fn terminal_note(context: &Context<'_>) {
    context.system.terminal.message(
        Level::Notice,
        "New sign-ins are shared with the real az. To share an earlier one, sign in again.",
    );
}

fn folder(request: &ShimChange, program: &Path) -> Result<PathBuf> {
    let folder = request.dir.clone().or_else(|| program.parent().map(Path::to_owned));
    let folder = folder.ok_or_else(|| Error::failed("The folder of this program is unknown."))?;
    std::path::absolute(&folder)
        .map_err(|error| Error::failed(format!("{} is not a folder: {error}.", folder.display())))
}

/// Prints whether PATH finds this az first, and what to change if not.
fn tell_place(folder: &Path, context: &Context<'_>) {
    let terminal = &context.system.terminal;
    match every_az(context.system).first() {
        Some(first) if is_this_program(first) => {
            terminal.message(
                Level::Notice,
                "az is this program now. A shell that ran az before may need: hash -r",
            );
        }
        Some(first) => terminal.warn(&format!(
            "PATH finds {} first: put {} before its folder.",
            first.display(),
            folder.display()
        )),
        None => terminal.warn(&format!("PATH does not have {}: add it.", folder.display())),
    }
}

fn status(context: &Context<'_>) -> Answer {
    let found = every_az(context.system);
    let first = found.first().cloned();
    let entry = |path: &PathBuf| {
        let is_ours = is_this_program(path);
        json!({
            "path": path.display().to_string(),
            "isThisProgram": is_ours,
            "isFirst": first.as_ref() == Some(path),
            "getsOtherCommands": !is_ours && found.iter().find(|path| !is_this_program(path)) == Some(path),
        })
    };
    Answer::with_columns(Value::Array(found.iter().map(entry).collect()), |list| {
        rows(
            list,
            &[
                ("Path", "path"),
                ("IsThisProgram", "isThisProgram"),
                ("IsFirst", "isFirst"),
                ("GetsOtherCommands", "getsOtherCommands"),
            ],
        )
    })
}
