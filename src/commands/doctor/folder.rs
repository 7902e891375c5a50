//! The folder: whose it is, who may write there, and whether anything can be kept in it.

use std::path::PathBuf;

use super::super::Context;
use super::check::Check;
use crate::shell;
use crate::sys::{owner, writing_flaw};

pub(super) fn folder(context: &Context<'_>) -> Check {
    const WHAT: &str = "folder";
    let (path, azt) = (context.dir.path(), context.dir.azt().path());
    let inner = [azt.join("records"), azt.join("locks")];
    if context.dir.folder().is_trusted() {
        return Check::ok(WHAT, format!("{}, which AZT_TRUSTED_DIR names", path.display()));
    }
    for at in [path, &azt] {
        if let Some(flaw) = owner::owner_flaw(at) {
            return Check::failure(WHAT, format!("{}: {flaw}", at.display()))
                .remedy(of_owner(owner::way_back(at)));
        }
    }
    // What one call with sudo leaves behind: one command has all of it back.
    let left = owner::owner_flaw_in(&azt);
    if let Some((at, flaw)) = left.or_else(|| inner.iter().find_map(|it| owner::owner_flaw_in(it)))
    {
        return Check::failure(WHAT, format!("{}: {flaw}", at.display()))
            .remedy(of_owner(owner::making_ours(&azt)));
    }
    for at in [path, &azt] {
        if let Some(flaw) = owner::mode_flaw(at) {
            let command = at.to_str().and_then(shell::shown);
            let command = command.map_or_else(
                || "Take the others' rights to write there away (chmod -R go-w)".to_owned(),
                |path| format!("Run: chmod -R go-w {path}"),
            );
            return Check::failure(WHAT, format!("{}: {flaw}", at.display()))
                .remedy(format!("{command}; or use a folder of your own (AZURE_CONFIG_DIR)."));
        }
    }
    let there = azt.ancestors().find(|it| it.exists());
    let places =
        there.into_iter().chain(inner.iter().map(PathBuf::as_path).filter(|it| it.exists()));
    for at in places {
        if let Some(flaw) = writing_flaw(at) {
            return Check::failure(WHAT, format!("{}: {flaw}", at.display())).remedy(
                "Mend that, or use another folder (AZURE_CONFIG_DIR): what is fetched now is not kept.",
            );
        }
    }
    let shown = path.display();
    if path.exists() {
        Check::ok(WHAT, shown.to_string())
    } else {
        Check::ok(WHAT, format!("{shown} will be made at the first sign-in"))
    }
}

/// What to do about another owner; `command` undoes that.
fn of_owner(command: Option<String>) -> String {
    match command {
        Some(command) => format!("Run: {command}"),
        None => "Run as that user, or use a folder of your own (AZURE_CONFIG_DIR).".to_owned(),
    }
}
