//! The command name `az`: finds every `az` on PATH, runs the next one, and installs this program as
//! `az`.
#![allow(clippy::disallowed_methods, reason = "this module wraps the banned functions")]

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;

#[cfg(unix)]
use super::own_folder;
use super::{System, file};
use crate::error::{Error, Result};

/// Counts how often a call was handed on. Without it, two copies of this program that take each
/// other for the real az would loop forever.
const COUNT: &str = "AZT_HANDED_ON";
/// The limit of [`COUNT`], more than any real nesting of az calls.
const MAX_COUNT: u32 = 10;

/// File names of az.
const NAMES: &[&str] = if cfg!(windows) { &["az.exe", "az.cmd", "az.bat"] } else { &["az"] };

/// Every executable `az` on PATH, in search order.
///
/// Skips entries that are empty or relative: they mean the working directory, which can hold files
/// of other users.
pub(crate) fn every_az(system: &System) -> Vec<PathBuf> {
    let path = system.env.path("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).filter(|folder| folder.is_absolute());
    let folders: Vec<PathBuf> = folders.collect();
    let files = folders.iter().flat_map(|folder| NAMES.iter().map(move |name| folder.join(name)));
    files.filter(|file| is_executable(file)).collect()
}

/// True if `file` is this program: the same file, a link to it, or a copy. On Windows `az` is a
/// copy with a batch file beside it.
pub(crate) fn is_this_program(file: &Path) -> bool {
    let Ok(own) = std::env::current_exe() else { return false };
    let is_same = |file: &Path| is_same(file, &own).unwrap_or(false);
    is_same(file) || (cfg!(windows) && is_same(&file.with_extension("exe")))
}

/// True if both paths name the same file, or files with the same contents. Compares contents only
/// if the sizes are equal.
fn is_same(one: &Path, other: &Path) -> io::Result<bool> {
    let (found, expected) = (fs::metadata(one)?, fs::metadata(other)?);
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if (found.dev(), found.ino()) == (expected.dev(), expected.ino()) {
            return Ok(true);
        }
    }
    if !found.is_file() || found.len() != expected.len() {
        return Ok(false);
    }
    let open =
        |path: &Path| Ok::<_, io::Error>(BufReader::with_capacity(1 << 16, File::open(path)?));
    let (mut one, mut other) = (open(one)?, open(other)?);
    loop {
        let (left, right) = (one.fill_buf()?, other.fill_buf()?);
        let length = left.len().min(right.len());
        if length == 0 || left.get(..length) != right.get(..length) {
            return Ok(left.is_empty() && right.is_empty());
        }
        one.consume(length);
        other.consume(length);
    }
}

/// The path of this program, with links resolved.
pub(crate) fn this_program() -> Result<PathBuf> {
    std::env::current_exe()
        .and_then(|path| path.canonicalize())
        .map_err(|error| Error::failed(format!("This program cannot find itself: {error}.")))
}

/// The next `az` on PATH that is not this program.
pub(crate) fn next_az(system: &System) -> Option<PathBuf> {
    every_az(system).into_iter().find(|file| !is_this_program(file))
}

/// Runs `program` with `args` (without argv\[0\]), all file descriptors and the terminal.
///
/// On Unix `program` replaces this process, so that it gets signals and sets the exit code itself;
/// the call returns only on failure. Elsewhere it returns the exit code.
pub(crate) fn hand_over(system: &System, program: &Path, args: &[OsString]) -> Result<u8> {
    let count = system.env.get(COUNT).and_then(|count| count.parse::<u32>().ok()).unwrap_or(0);
    if count >= MAX_COUNT {
        return Err(Error::failed(format!(
            "The az programs on PATH hand this command to each other; the last is {}.",
            program.display()
        ))
        .remedy("See them with: azt shim status"));
    }
    let mut command = Command::new(program);
    command.args(args).env(COUNT, (count + 1).to_string());
    system.env.restore_path(&mut command);
    // The scripts and extensions of az start this program again.
    system.env.restore_vault_key(&mut command);
    exec(command)
        .map_err(|error| Error::failed(format!("Cannot run {}: {error}.", program.display())))
}

#[cfg(unix)]
pub(super) fn exec(mut command: Command) -> io::Result<u8> {
    Err(std::os::unix::process::CommandExt::exec(&mut command))
}

#[cfg(not(unix))]
pub(super) fn exec(mut command: Command) -> io::Result<u8> {
    let status = command.status()?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

/// True if this user can execute `file`, by the same test as shells (`faccessat` with
/// `AT_EACCESS`).
#[cfg(unix)]
pub(super) fn is_executable(file: &Path) -> bool {
    use rustix::fs::{Access, AtFlags, CWD, accessat};
    file.is_file() && accessat(CWD, file, Access::EXEC_OK, AtFlags::EACCESS).is_ok()
}

#[cfg(not(unix))]
pub(super) fn is_executable(file: &Path) -> bool {
    file.is_file()
}

/// The paths of `az` in `folder`. One on Unix; two on Windows, because some callers run only
/// `az.cmd` and others only `az.exe`.
pub(crate) fn az_names(folder: &Path) -> Vec<PathBuf> {
    let names: &[&str] = if cfg!(windows) { &["az.exe", "az.cmd"] } else { &["az"] };
    names.iter().map(|name| folder.join(name)).collect()
}

/// Fails if another user owns or can write in `folder` or a folder above it. A program planted
/// there would run with this user's secrets.
#[cfg(unix)]
pub(crate) fn check_not_shared(folder: &Path) -> Result<()> {
    own_folder::open(folder).map(drop)
}

/// Windows: access lists are not checked.
#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "the function for Unix can fail")]
pub(crate) fn check_not_shared(_folder: &Path) -> Result<()> {
    Ok(())
}

/// Creates `az` in `folder` as a link to `program`, and replaces an existing one.
///
/// # Errors
/// Those of [`check_not_shared`]; the link cannot be created.
#[cfg(unix)]
pub(crate) fn make_az(folder: &Path, program: &Path) -> Result<()> {
    use rustix::fs::{AtFlags, renameat, symlinkat, unlinkat};
    let cannot = |error: rustix::io::Errno| {
        let error = io::Error::from(error);
        Error::failed(format!("Cannot make az in {}: {error}.", folder.display()))
    };
    let opened =
        own_folder::open_or_create(folder)?.ok_or_else(|| cannot(rustix::io::Errno::NOENT))?;
    // Created under another name and renamed, so that an az exists at any time.
    let new = format!(".az.{}", std::process::id());
    // A killed process of the same id may have left one.
    let _ = unlinkat(&opened, &new, AtFlags::empty());
    symlinkat(program, &opened, &new).map_err(cannot)?;
    renameat(&opened, &new, &opened, "az").map_err(|error| {
        let _ = unlinkat(&opened, &new, AtFlags::empty());
        cannot(error)
    })
}

/// Creates `az.exe`, a copy of `program`, and `az.cmd`, which runs it; replaces existing ones.
#[cfg(not(unix))]
pub(crate) fn make_az(folder: &Path, program: &Path) -> Result<()> {
    let made = || {
        fs::create_dir_all(folder)?;
        fs::copy(program, folder.join("az.exe"))?;
        fs::write(folder.join("az.cmd"), "@\"%~dp0az.exe\" %*\r\n")
    };
    made().map_err(|error: io::Error| {
        Error::failed(format!("Cannot make az in {}: {error}.", folder.display()))
    })
}

/// Removes `name`, one of [`az_names`], from `folder`.
///
/// # Errors
/// Those of [`check_not_shared`]; the file cannot be removed.
#[cfg(unix)]
pub(crate) fn remove_az(folder: &Path, name: &Path) -> Result<()> {
    let (Some(opened), Some(file)) = (own_folder::open(folder)?, name.file_name()) else {
        return Ok(());
    };
    rustix::fs::unlinkat(&opened, file, rustix::fs::AtFlags::empty())
        .map_err(|error| file::cannot("remove", name, error.into()))
}

/// Removes `name`, one of [`az_names`].
#[cfg(not(unix))]
pub(crate) fn remove_az(_folder: &Path, name: &Path) -> Result<()> {
    file::remove(name).map(drop)
}
