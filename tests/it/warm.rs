//! A warm call opens no socket and starts no thread or runtime. Counted, not timed.

use std::process::Command;

use crate::support::*;

/// Traces the system calls of a run with strace.
fn system_calls(command: &Command) -> Vec<String> {
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut traced = Command::new("strace");
    traced.arg("-f").arg("-o").arg(log.path()).arg(command.get_program()).args(command.get_args());
    traced.env_clear();
    for (name, value) in command.get_envs() {
        traced.env(name, value.unwrap());
    }
    let output = traced.output().expect("strace (apt-get install strace; tests/run does)");
    drop(Run::from(output).quiet());
    let text = std::fs::read_to_string(log.path()).unwrap();
    let calls = text.lines().filter_map(|line| line.split_once(char::is_whitespace));
    calls.map(|(_, call)| call.trim_start().to_owned()).collect()
}

fn count(calls: &[String], name: &str) -> usize {
    calls.iter().filter(|call| call.starts_with(&format!("{name}("))).count()
}

#[test]
fn a_warm_call_needs_no_socket_thread_runtime_or_lock() {
    let sandbox = Sandbox::signed_in_as_alice();
    let warm = sandbox.command(["account", "get-access-token"]);
    let calls = system_calls(&warm);
    assert!(count(&calls, "openat") > 2, "the trace is read: {calls:#?}");
    for name in [
        "socket",
        "connect",
        "clone",
        "clone3",
        "fork",
        "vfork",
        "epoll_create1",
        "flock",
        "fsync",
        "rename",
        "nanosleep",
        "clock_nanosleep",
    ] {
        assert_eq!(count(&calls, name), 0, "{name}");
    }
    // A call that refreshes has them.
    let cold =
        sandbox.command(["account", "get-access-token", "--resource", "https://vault.azure.net"]);
    let calls = system_calls(&cold);
    for name in ["socket", "epoll_create1", "flock"] {
        assert!(count(&calls, name) > 0, "{name}");
    }
}

#[test]
fn a_warm_call_opens_the_vault_once() {
    use crate::own_client::{OWN_TOKEN, TOKEN, signed_in_to_both};
    let sandbox = signed_in_to_both();
    // A list of records, where an own client's account is, looks once more which key is in use.
    for (args, times) in [(&TOKEN[..], 1), (&OWN_TOKEN, 2)] {
        let calls = system_calls(&sandbox.command(args));
        let opens = |call: &&String| call.starts_with("openat") && call.contains("/vault.json\"");
        assert_eq!(calls.iter().filter(opens).count(), times, "{args:?}: {calls:#?}");
    }
}

#[test]
fn a_warm_call_reads_one_record_of_many() {
    let sandbox = Sandbox::signed_in_as_alice();
    let opened = |sandbox: &Sandbox| {
        let calls = system_calls(&sandbox.command(["account", "get-access-token"]));
        count(&calls, "openat")
    };
    let few = opened(&sandbox);
    for resource in
        ["https://vault.azure.net", "https://graph.microsoft.com", "https://storage.azure.com"]
    {
        drop(sandbox.azt(["account", "get-access-token", "--resource", resource]).quiet());
    }
    assert_eq!(opened(&sandbox), few);
}

/// Instructions of a warm call of the test build, counted by callgrind, which is reproducible
/// to the digit. The release build takes a fraction (benches/README.md), but grows for the same
/// causes: clap's tree, a settings file read twice, a runtime.
const RECORDED: u64 = 4_259_900;

#[test]
fn a_warm_call_takes_no_more_instructions_than_recorded() {
    let sandbox = Sandbox::signed_in_as_app();
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", env!("CARGO_BIN_EXE_azt")])
        .args(["account", "get-access-token", "-o", "json"])
        .env_clear()
        .envs(sandbox.env());
    let run = Run::of(&mut command).success();
    let counted = run.stderr.lines().find_map(|line| line.split_once("Collected : "));
    let counted: u64 = counted.unwrap_or_else(|| panic!("{run:?}")).1.trim().parse().unwrap();
    assert!(
        counted <= RECORDED * 11 / 10,
        "{counted} instructions, {RECORDED} were recorded: find out why, or record the new number"
    );
}
