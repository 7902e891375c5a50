//! Checks the owner, the permissions and the file system of the folder.

use std::path::PathBuf;

use super::check::{Check, State, Topic};
use super::fix::Fix;
use crate::accounts::Context;
use crate::broker;
use crate::shell;
use crate::sys::{Concession, Others, TooOpen, file, owner, writing_flaw};

/// What others may do in azt's folder is checked only if azt may use it.
pub(super) fn folder(context: &Context<'_>) -> Vec<Check> {
    let usable = usable(context);
    let open = if usable.state == State::Ok { too_open(context) } else { Vec::new() };
    let mut checks = vec![usable];
    if !open.is_empty() {
        let azt = context.dir.azt().path().display().to_string();
        let text = match open.as_slice() {
            [one] => format!("others can use {}", one.path().display()),
            more => format!("others can use {} of azt's folders and files in {azt}", more.len()),
        };
        let fix = format!("Run: {} doctor --fix", context.system.program);
        checks.push(
            Check::warning(Topic::Folder, text)
                .remedies([
                    "If you did not make this folder, do not use it: it may hold the sign-ins of somebody else.".to_owned(),
                    fix,
                ])
                .fixed_by(Fix::Close(open)),
        );
    }
    checks
}

/// What others may use or write in the folder, as far as azt is concerned.
fn too_open(context: &Context<'_>) -> Vec<TooOpen> {
    let (own, azt) = (context.dir.folder(), context.dir.azt());
    let mut found =
        own.too_open(Some(&["azureProfile.json", "clouds.config", "config"]), Others::Read);
    for folder in [azt.clone(), azt.sub("records"), azt.sub("locks")] {
        found.extend(folder.too_open(None, Others::Nothing));
    }
    // The mode of a copied vault keeps its service principals from naming a command to run
    // (`broker::assertion_source`). A repair must not lift that; the user may, by chmod.
    let records = broker::inventory(context.system, &context.dir).map(|it| it.records);
    if records.map_or(true, |it| it.contains_key("sp")) {
        found.retain(|it| it.path() != azt.path());
    }
    found
}

fn usable(context: &Context<'_>) -> Check {
    let (path, azt) = (context.dir.path(), context.dir.azt().path());
    if context.dir.folder().is_nowhere() {
        return match broker::is_memory_only(&context.config) {
            Ok(true) => Check::ok(Topic::Folder, "there is no home folder, and core.persist is off"),
            _ => Check::warning(Topic::Folder, "there is no home folder: sign-in is impossible, and tokens are kept in memory only")
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
                .remedy(of_owner(owner::chown_topmost(at)));
        }
    }
    // A call with sudo leaves files of root; one command repairs all of them.
    let left = owner::owner_flaw_in(&azt);
    if let Some((at, flaw)) = left.or_else(|| inner.iter().find_map(|it| owner::owner_flaw_in(it)))
    {
        return Check::failure(Topic::Folder, format!("{}: {flaw}", at.display()))
            .remedy(of_owner(owner::chown_command(&azt)));
    }
    for at in [path, &azt] {
        if let Some(flaw) = owner::mode_flaw(at) {
            let command = at.to_str().and_then(shell::shown);
            let command = command.map_or_else(
                || "Remove the write permission of other users (chmod -R go-w)".to_owned(),
                |path| format!("Run: chmod -R go-w {path}"),
            );
            return Check::failure(Topic::Folder, format!("{}: {flaw}", at.display()))
                .remedies([
                    &*command,
                    "Or use a folder of your own (AZURE_CONFIG_DIR).",
                    "If the file system has no permissions, set AZT_TRUSTED_DIR to the folder.",
                ])
                .fixed_by(Some(too_open(context)).filter(|it| !it.is_empty()).map(Fix::Close));
        }
    }
    let there = azt.ancestors().find(|it| it.exists());
    let places =
        there.into_iter().chain(inner.iter().map(PathBuf::as_path).filter(|it| it.exists()));
    for at in places {
        if let Some(flaw) = writing_flaw(at) {
            return Check::failure(Topic::Folder, format!("{}: {flaw}", at.display())).remedy(
                "Fix that, or use another folder (AZURE_CONFIG_DIR). Until then, tokens are not stored.",
            );
        }
    }
    let shown = path.display();
    if path.exists() {
        Check::ok(Topic::Folder, shown.to_string())
    } else {
        Check::ok(Topic::Folder, format!("{shown} will be created at the first sign-in"))
    }
}

/// Warns about missing features of the file system. Errors are ignored: [`folder`] reports them.
pub(super) fn file_system(context: &Context<'_>) -> Vec<Check> {
    let (own, azts) = (context.dir.folder(), context.dir.azt());
    let found = own.probe(&["azureProfile.json", "clouds.config", "config"]);
    let mut found = found.unwrap_or_default();
    // Both folders are usually on one mount, so each warning is given once.
    for (concession, path) in azts.probe(&[]).unwrap_or_default() {
        if found.iter().all(|(other, _)| *other != concession) {
            found.push((concession, path));
        }
    }
    let check = |(concession, path): &(Concession, PathBuf)| {
        Check::warning(Topic::FileSystem, concession.about(path))
            .remedy("Use a folder on a local disk (AZURE_CONFIG_DIR).")
    };
    found.iter().map(check).collect()
}

/// The remedy for a wrong owner; `command` repairs it.
fn of_owner(command: Option<String>) -> String {
    match command {
        Some(command) => format!("Run: {command}"),
        None => "Run as that user, or use a folder of your own (AZURE_CONFIG_DIR).".to_owned(),
    }
}
