//! The folder: whose it is, who may write there, and whether anything can be kept in it.

use std::path::PathBuf;

use super::check::{Check, Topic};
use crate::accounts::Context;
use crate::broker;
use crate::shell;
use crate::sys::{Concession, file, owner, writing_flaw};

pub(super) fn folder(context: &Context<'_>) -> Check {
    let (path, azt) = (context.dir.path(), context.dir.azt().path());
    if context.dir.folder().is_nowhere() {
        return match broker::keeps_nothing(&context.config) {
            Ok(true) => Check::ok(Topic::Folder, "there is no home folder, and nothing is to be kept"),
            _ => Check::warning(Topic::Folder, "there is no home folder: nobody can sign in, and tokens are kept in memory only")
                .remedy("Set AZURE_CONFIG_DIR to a folder that you can write to, or AZURE_CORE_PERSIST=false."),
        };
    }
    let inner = [azt.join("records"), azt.join("locks")];
    let folders = [path, &azt].into_iter().chain(inner.iter().map(PathBuf::as_path));
    for at in folders {
        if at.exists() && !at.is_dir() {
            let error = file::cannot("read", at, std::io::ErrorKind::NotADirectory.into());
            return Check::of_error(Topic::Folder, &error);
        }
    }
    if context.dir.folder().is_trusted() {
        return Check::ok(
            Topic::Folder,
            format!("{}, which AZT_TRUSTED_DIR names", path.display()),
        );
    }
    for at in [path, &azt] {
        if let Some(flaw) = owner::owner_flaw(at) {
            return Check::failure(Topic::Folder, format!("{}: {flaw}", at.display()))
                .remedy(of_owner(owner::way_back(at)));
        }
    }
    // What one call with sudo leaves behind: one command has all of it back.
    let left = owner::owner_flaw_in(&azt);
    if let Some((at, flaw)) = left.or_else(|| inner.iter().find_map(|it| owner::owner_flaw_in(it)))
    {
        return Check::failure(Topic::Folder, format!("{}: {flaw}", at.display()))
            .remedy(of_owner(owner::making_ours(&azt)));
    }
    for at in [path, &azt] {
        if let Some(flaw) = owner::mode_flaw(at) {
            let command = at.to_str().and_then(shell::shown);
            let command = command.map_or_else(
                || "Take the others' rights to write there away (chmod -R go-w)".to_owned(),
                |path| format!("Run: chmod -R go-w {path}"),
            );
            return Check::failure(Topic::Folder, format!("{}: {flaw}", at.display()))
                .remedy(format!("{command}; or use a folder of your own (AZURE_CONFIG_DIR). Where the file system keeps no modes, AZT_TRUSTED_DIR names the folder to trust."));
        }
    }
    let there = azt.ancestors().find(|it| it.exists());
    let places =
        there.into_iter().chain(inner.iter().map(PathBuf::as_path).filter(|it| it.exists()));
    for at in places {
        if let Some(flaw) = writing_flaw(at) {
            return Check::failure(Topic::Folder, format!("{}: {flaw}", at.display())).remedy(
                "Mend that, or use another folder (AZURE_CONFIG_DIR): what is fetched now is not kept.",
            );
        }
    }
    let shown = path.display();
    if path.exists() {
        Check::ok(Topic::Folder, shown.to_string())
    } else {
        Check::ok(Topic::Folder, format!("{shown} will be made at the first sign-in"))
    }
}

/// What its file system does not do; where something is wrong with the folder itself, that was said.
pub(super) fn file_system(context: &Context<'_>) -> Vec<Check> {
    let (own, azts) = (context.dir.folder(), context.dir.azt());
    let found = own.probe(&["azureProfile.json", "clouds.config", "config"]);
    let mut found = found.unwrap_or_default();
    // Where one mount holds both, it is said once.
    for (concession, path) in azts.probe(&[]).unwrap_or_default() {
        if found.iter().all(|(other, _)| *other != concession) {
            found.push((concession, path));
        }
    }
    let check = |(concession, path): &(Concession, PathBuf)| {
        Check::warning(Topic::FileSystem, concession.about(path))
            .remedy("A folder on a local disk does all of that (AZURE_CONFIG_DIR names the one that azt works in).")
    };
    found.iter().map(check).collect()
}

/// What to do about another owner; `command` undoes that.
fn of_owner(command: Option<String>) -> String {
    match command {
        Some(command) => format!("Run: {command}"),
        None => "Run as that user, or use a folder of your own (AZURE_CONFIG_DIR).".to_owned(),
    }
}
