//! Input from servers and commands is limited, per answer and in total.

use std::io::{Read, Write};
use std::net::TcpListener;

use entra_emulator::Fault;
use serde_json::json;

use crate::support::*;

const LIST: [&str; 3] = ["account", "tenant", "list"];

fn login(sandbox: &Sandbox, command: &str) -> Run {
    login_with(sandbox, command, &[])
}

fn login_with(sandbox: &Sandbox, command: &str, more: &[&str]) -> Run {
    let app = ["login", "--service-principal", "-u", APP, "-t", CONTOSO];
    sandbox.azt([&app[..], &["--federated-token-command", command], more].concat())
}

fn page(sandbox: &Sandbox, size: usize) {
    let link = format!("{}/tenants?more", sandbox.emulator.url().trim_end_matches('/'));
    let body = json!({"value": [], "nextLink": link, "more": "x".repeat(size)}).to_string();
    let action = answer(body);
    sandbox.emulator.faults().push(Fault::on("/tenants", action));
}

/// Each page is below the limit of one answer; the pages never end.
#[test]
fn endless_pages_are_cut_off() {
    let sandbox = Sandbox::signed_in_as_app();
    page(&sandbox, 15 << 20);
    sandbox
        .azt(LIST)
        .exits(8)
        .says("ERROR: localhost sends too much: azt received more than 128 MiB");
    let asked = sandbox.requests().len();
    assert!((8..=9).contains(&asked), "{asked}");

    let sandbox = Sandbox::signed_in_as_app();
    page(&sandbox, 0);
    sandbox.azt(LIST).exits(8).says("sent an endless list of tenants.");
    assert_eq!(sandbox.requests().len(), 1000);
}

/// The total covers all hosts, lists and answers of a call: a sign-in asks every tenant.
#[test]
fn the_total_limit_covers_all_lists() {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    let tenants: Vec<_> = (0..40).map(|_| json!({"tenantId": CONTOSO})).collect();
    let answer = |path: &str, body: String| {
        let action = answer(body);
        sandbox.emulator.faults().push(Fault::on(path, action));
    };
    answer("/tenants", json!({"value": tenants}).to_string());
    answer("/subscriptions", json!({"value": [], "more": "x".repeat(8 << 20)}).to_string());
    let run = sandbox.azt(["login", "--use-device-code"]).exits(8);
    run.says("azt received more than 128 MiB");
}

/// A list with more members than a directory can have, each of a few bytes.
#[test]
fn a_list_has_a_maximum_of_members() {
    let sandbox = Sandbox::signed_in_as_app();
    let members = vec![json!({}); 1_000_001];
    let body = json!({"value": members}).to_string();
    let action = answer(body);
    sandbox.emulator.faults().push(Fault::on("/tenants", action));
    sandbox.azt(LIST).exits(8).says("sent an endless list of tenants.");
}

#[test]
fn endless_headers_are_cut_off() {
    let sandbox = Sandbox::signed_in_as_app();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heads = ["HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nx-long: "];
    let lines = ["x-more: yes\r\n", "long"];
    std::thread::spawn(move || {
        for (stream, at) in listener.incoming().zip((0..2).cycle()) {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(heads[at].as_bytes());
            while stream.write_all(lines[at].repeat(1000).as_bytes()).is_ok() {}
        }
    });
    let clouds = sandbox.read("clouds.config");
    let own = sandbox.emulator.url().trim_end_matches('/').to_owned();
    sandbox.write("clouds.config", clouds.replace(&own, &url));
    for _ in heads {
        sandbox.azt(LOGIN_APP).exits(7).says("127.0.0.1");
    }
}

/// The output of a command is read into memory.
#[test]
fn a_commands_output_is_limited() {
    let sandbox = Sandbox::new();
    let line = "x".repeat(79);
    for command in [
        format!("i=0; while [ $i -lt 1000 ]; do echo {line}; i=$((i+1)); done"),
        format!("echo token; i=0; while [ $i -lt 1000 ]; do echo {line}; i=$((i+1)); done >&2"),
        "yes".to_owned(),
        "yes >&2".to_owned(),
        "exec cat /dev/zero".to_owned(),
        "echo token; yes & wait".to_owned(),
        "echo token; (yes >&2) & exit 0".to_owned(),
        "trap '' PIPE TERM INT; yes".to_owned(),
    ] {
        let run = login(&sandbox, &command).exits(1);
        run.says("ERROR: The command that prints the federated token printed more than 64 KiB, and was stopped.");
    }
    assert!(sandbox.requests().iter().all(|request| !request.contains("token")));
    // Output of exactly the limit is sent as the assertion, which Entra rejects.
    let most = "head -c 65536 /dev/zero | tr '\\0' x";
    login(&sandbox, most).exits(1).says("is not an assertion (a JWT).");
    login(&sandbox, &most.replace('6', "7")).exits(1).says("more than 64 KiB");
}

/// A child that the command leaves running must not hold the pipe beyond the command's timeout.
#[test]
fn a_commands_orphan_does_not_delay_the_call() {
    let sandbox = Sandbox::new();
    let run = login(&sandbox, "sleep 600 & echo $! >orphan; echo token");
    // Kills it before any assertion, so that it never outlives the test.
    let orphan = std::fs::read_to_string(sandbox.root().join("orphan")).unwrap_or_default();
    let _ = std::process::Command::new("kill").arg(orphan.trim()).status();
    run.exits(1).says("ERROR: The command that prints the federated token did not end within ");
}

/// The command line may hold a secret, and a shell's error quotes it.
#[test]
fn a_failed_commands_text_is_not_shown() {
    let sandbox = Sandbox::new();
    for (command, says) in [
        ("get-token --secret hunter2", "failed (exit status: 127)."),
        ("hunter2", "failed (exit status: 127)."),
        ("echo 'a JWT of hunter2'", "What the command printed is not an assertion (a JWT)."),
        ("echo hunter2 >&2; exit 3", "failed (exit status: 3)."),
        ("set -x; test hunter2 = x", "failed (exit status: 1)."),
        ("echo hunter2; exit 3", "failed (exit status: 3)."),
        ("true hunter2", "printed no text."),
        ("printf '\\377hunter2'", "printed no text."),
        ("'hunter2", "failed (exit status: 2)."),
        ("kill -9 $$; hunter2", "failed (signal: 9 (SIGKILL))."),
        ("yes hunter2", "printed more than 64 KiB"),
    ] {
        let run = login(&sandbox, command).exits(1);
        assert!(!run.stderr.contains("hunter2"), "{run:?}");
        run.says(says);
        let run = login_with(&sandbox, command, &["--error-format", "json", "--debug"]);
        assert_eq!(run.code, Some(1), "{run:?}");
        assert!(!run.stderr.contains("hunter2"), "{run:?}");
    }
}
