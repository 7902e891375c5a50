//! Makes each disk call of a command fail, one per run: the command ends with a documented exit code
//! and nothing stored before is lost.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use crate::faults::copy;
use crate::support::*;

/// System calls and the errors injected by strace.
const CALLS: [(&str, &str); 7] = [
    ("openat", "EIO"),
    ("write", "ENOSPC"),
    ("fsync", "EIO"),
    ("renameat", "EROFS"),
    ("unlink", "EACCES"),
    ("mkdirat", "ENOSPC"),
    ("flock", "ENOLCK"),
];

const RENEWAL: [&str; 6] =
    ["account", "get-access-token", "--account", APP, "--resource", "https://vault.azure.net"];

/// `command` under strace with these options.
pub fn traced(command: &Command, options: &[&str]) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq"]).args(options).arg(command.get_program()).args(command.get_args());
    strace.env_clear();
    strace.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    strace.current_dir(command.get_current_dir().unwrap());
    strace
}

/// The ordinals, from 1, of the first thread's calls of each name that are about `folder`.
fn calls_about(folder: &Path, command: &Command) -> Vec<(&'static str, &'static str, usize)> {
    let log = tempfile::NamedTempFile::new().unwrap();
    let run = Run::of(&mut traced(command, &["-y", "-o", log.path().to_str().unwrap()]));
    assert_eq!(run.code, Some(0), "{run:?}");
    let text = std::fs::read_to_string(log.path()).unwrap();
    let first = text.split_whitespace().next().unwrap().to_owned();
    let (mut counts, mut found) = (BTreeMap::new(), Vec::new());
    for line in text.lines().filter(|line| line.starts_with(&first)) {
        let call = line.split_whitespace().nth(1).unwrap_or_default();
        let named = CALLS.iter().find(|(name, _)| call.starts_with(&format!("{name}(")));
        let Some((name, error)) = named else { continue };
        let count = counts.entry(name).or_insert(0);
        *count += 1;
        if line.contains(folder.to_str().unwrap()) {
            found.push((*name, *error, *count));
        }
    }
    found
}

fn each_call_fails_once(args: &[&str], survivors: &[&str]) {
    let machine = || {
        let mut sandbox = Sandbox::signed_in_as_alice();
        sandbox.login_app().success();
        sandbox.set("RUST_BACKTRACE", "0");
        copy(&sandbox.config_dir(), &sandbox.root().join("original"));
        sandbox
    };
    let reset = |sandbox: &Sandbox| {
        std::fs::remove_dir_all(sandbox.config_dir()).unwrap();
        copy(&sandbox.root().join("original"), &sandbox.config_dir());
    };
    let first = machine();
    let calls = calls_about(&first.config_dir(), &first.command(args));
    assert!(calls.len() > 5, "{calls:?}");
    let queue = Mutex::new(calls.into_iter());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let sandbox = machine();
                let next = || queue.lock().unwrap().next();
                while let Some((name, error, count)) = next() {
                    reset(&sandbox);
                    let trace = format!("trace={name}");
                    let inject = format!("inject={name}:error={error}:when={count}");
                    let options = ["-o", "/dev/null", "-e", &trace, "-e", &inject];
                    let run = Run::of(&mut traced(&sandbox.command(args), &options));
                    let what = format!("{args:?}, {name} {count}: {error}: {run:?}");
                    assert!(run.code.is_some_and(|code| code < 10), "{what}");
                    assert!(run.code == Some(0) || run.stderr.contains("ERROR: "), "{what}");
                    for account in survivors {
                        let token = ["account", "get-access-token", "--account", account];
                        let token = [&token[..], &["--resource", "https://graph.microsoft.com"]];
                        let after = sandbox.azt(token.concat());
                        assert_eq!(after.code, Some(0), "{what}, then {after:?}");
                    }
                }
            });
        }
    });
}

#[test]
fn a_refresh_survives_each_failing_disk_call() {
    each_call_fails_once(&RENEWAL, &[ALICE, APP]);
}

#[test]
fn a_sign_in_survives_each_failing_disk_call() {
    each_call_fails_once(&LOGIN_APP, &[ALICE, APP]);
}

#[test]
fn a_sign_out_survives_each_failing_disk_call() {
    each_call_fails_once(&["logout", "--username", ALICE], &[APP]);
}

#[test]
fn a_rekey_survives_each_failing_disk_call() {
    each_call_fails_once(&["cache", "rekey"], &[ALICE, APP]);
}
