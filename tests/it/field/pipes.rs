//! Pipes that the caller left non-blocking (Node, tokio, ssh), and readers that close early.

use std::io::{Read, Write, pipe};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use serde_json::{Value, json};

use crate::support::*;

/// Enough entries that their listing exceeds what a pipe or a socket buffers.
const ENTRIES: usize = 4000;

/// A profile with that many entries.
fn crowded() -> Sandbox {
    let sandbox = Sandbox::new();
    let entry = |number: usize| {
        json!({"id": format!("50000000-0000-4000-8000-{number:012}"), "name": format!("Number {number}"),
            "state": "Enabled", "user": {"name": ALICE, "type": "user"}, "isDefault": number == 0,
            "tenantId": CONTOSO, "environmentName": "Emulator"})
    };
    let entries: Vec<Value> = (0..ENTRIES).map(entry).collect();
    sandbox.write("azureProfile.json", json!({"subscriptions": entries}).to_string());
    sandbox
}

fn is_waiting(child: &mut Child) {
    let stat = format!("/proc/{}/stat", child.id());
    let begin = Instant::now();
    // Waits until it sleeps on the full pipe, or has ended.
    while child.try_wait().unwrap().is_none() {
        let state = std::fs::read_to_string(&stat).unwrap_or_default();
        if state.rsplit(')').next().is_some_and(|it| it.trim_start().starts_with('S')) {
            return;
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "{state}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Runs `command` with `written` as a non-blocking end that fills before it is read; returns output and status.
fn through(
    command: &mut Command,
    written: OwnedFd,
    mut read: impl Read,
    to: fn(&mut Command, Stdio),
) -> (String, Option<i32>) {
    fcntl_setfl(&written, fcntl_getfl(&written).unwrap() | OFlags::NONBLOCK).unwrap();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    to(command, written.into());
    let mut child = command.spawn().unwrap();
    // Closes our copy, so that only the child holds the write end.
    to(command, Stdio::null());
    is_waiting(&mut child);
    let mut text = String::new();
    read.read_to_string(&mut text).unwrap();
    (text, child.wait().unwrap().code())
}

fn to_stdout(command: &mut Command, stream: Stdio) {
    command.stdout(stream);
}

fn to_stderr(command: &mut Command, stream: Stdio) {
    command.stderr(stream);
}

#[test]
fn a_large_result_arrives_whole() {
    let sandbox = crowded();
    for format in ["json", "jsonc", "tsv", "table", "yaml"] {
        let list = ["account", "list", "-o", format];
        let whole = sandbox.azt(list).success().stdout;
        assert!(whole.len() > 250_000, "{format}: {}", whole.len());
        let (read, written) = pipe().unwrap();
        let (text, code) = through(&mut sandbox.command(list), written.into(), read, to_stdout);
        assert_eq!((text.len(), code), (whole.len(), Some(0)), "{format}");
        assert!(text == whole);
        // Node's pipes are sockets.
        let (read, written) = UnixStream::pair().unwrap();
        let (text, code) = through(&mut sandbox.az_command(list), written.into(), read, to_stdout);
        assert_eq!((text.len(), code), (whole.len(), Some(0)), "{format}");
    }
    let help = ["login", "--help"];
    let (read, written) = pipe().unwrap();
    rustix::pipe::fcntl_setpipe_size(&written, 4096).unwrap();
    let (text, code) = through(&mut sandbox.command(help), written.into(), read, to_stdout);
    assert_eq!((text, code), (sandbox.azt(help).success().stdout, Some(0)));
}

#[test]
fn a_large_failure_arrives_whole() {
    let sandbox = Sandbox::new();
    let name = "n".repeat(100_000);
    for more in [&[][..], &["--error-format", "json"]] {
        let set = [&["account", "list", "-o", &name], more].concat();
        let whole = sandbox.azt(&set).stderr;
        assert!(whole.len() > 100_000);
        let (read, written) = pipe().unwrap();
        let (text, code) = through(&mut sandbox.command(&set), written.into(), read, to_stderr);
        assert_eq!((text.len(), code), (whole.len(), Some(2)));
    }
}

#[test]
fn a_reader_that_closes_early_is_no_failure() {
    let sandbox = crowded();
    let list = ["account", "list", "-o", "json"];
    for is_waited_for in [true, false] {
        let (mut read, written) = pipe().unwrap();
        fcntl_setfl(&written, OFlags::NONBLOCK).unwrap();
        let mut command = sandbox.command(list);
        command.stdout(written).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(command);
        if is_waited_for {
            is_waiting(&mut child);
            read.read_exact(&mut [0; 100]).unwrap();
        }
        drop(read);
        let run = Run::from(child.wait_with_output().unwrap());
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    }
    // A socket closed with unread data is reset.
    let (read, written) = UnixStream::pair().unwrap();
    let mut command = sandbox.command(list);
    command.stdout(OwnedFd::from(written)).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(command);
    is_waiting(&mut child);
    drop(read);
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    // Standard error too.
    let (read, written) = pipe().unwrap();
    drop(read);
    let mut command = sandbox.command(["account", "set", "-s", "nobody"]);
    let status = command.stderr(written).status().unwrap();
    assert_eq!(status.code(), Some(1));
}

/// Standard input may be non-blocking and still empty.
#[test]
fn a_secret_that_arrives_late_is_read() {
    let sandbox = Sandbox::new();
    let login = ["login", "--service-principal", "-u", APP, "-p", "@-", "-t", CONTOSO];
    for is_socket in [false, true] {
        let (read, mut write): (OwnedFd, Box<dyn Write>) = if is_socket {
            let (read, write) = UnixStream::pair().unwrap();
            (read.into(), Box::new(write))
        } else {
            let (read, write) = pipe().unwrap();
            (read.into(), Box::new(write))
        };
        fcntl_setfl(&read, fcntl_getfl(&read).unwrap() | OFlags::NONBLOCK).unwrap();
        let mut command = sandbox.command(login);
        command.stdin(read).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(command);
        for part in [&APP_SECRET[..5], &APP_SECRET[5..]] {
            is_waiting(&mut child);
            write.write_all(part.as_bytes()).unwrap_or_default();
        }
        drop(write);
        let run = Run::from(child.wait_with_output().unwrap());
        assert_eq!(run.code, Some(0), "{run:?}");
    }
    // A pasted redirect URL: one line.
    let (read, mut write) = pipe().unwrap();
    fcntl_setfl(&read, OFlags::NONBLOCK).unwrap();
    let mut command = sandbox.command(["login", "--no-browser"]);
    command.stdin(read).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(command);
    is_waiting(&mut child);
    write.write_all(b"no address\n").unwrap_or_default();
    drop(write);
    let run = Run::from(child.wait_with_output().unwrap());
    assert!(!run.stderr.contains("standard input"), "{run:?}");
}
