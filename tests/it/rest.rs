//! `azt rest`: requests of the user's own. `/echo` of the emulator repeats them.
//!
//! `tests/cases/az/rest.txt` compares `az rest` with az's.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use entra_emulator::{Action, Fault};
use serde_json::Value;

use crate::support::*;

fn rest(sandbox: &Sandbox, words: &[&str]) -> Run {
    sandbox.azt([&["rest"], words].concat())
}

/// The emulator's URL under another name: an origin that nothing knows.
fn elsewhere(sandbox: &Sandbox) -> String {
    sandbox.emulator.url().replace("localhost", "127.0.0.1")
}

/// Whose token `/echo` got.
fn authorization(sandbox: &Sandbox, words: &[&str]) -> Value {
    rest(sandbox, &[words, &["--query", "authorization"]].concat()).quiet().json()
}

#[test]
fn a_token_goes_to_known_hosts_and_where_a_resource_is_named() {
    let sandbox = Sandbox::signed_in_as_alice();
    let url = format!("{}/echo", elsewhere(&sandbox));
    let unknown = rest(&sandbox, &["--url", &url, "-o", "json"]).says("--resource").success();
    assert_eq!(unknown.json()["authorization"], Value::Null);
    let sent = authorization(&sandbox, &["--url", &url, "--resource", "https://vault.azure.net"]);
    assert_eq!(sent["user"], ALICE);
    sandbox.emulator.clear_requests();
    for (url, code) in [
        ("https://a.vault.azure.net:8443/x", 6),
        ("https://a.vault.azure.cn/x", 2),
        ("https://management.azure.com@evil.example/x", 1),
        ("http://management.azure.com/x", 1),
        ("http://a.vault.azure.net/x", 1),
    ] {
        drop(rest(&sandbox, &["--url", url]).exits(code));
    }
    assert_eq!(sandbox.requests(), [] as [String; 0]);
}

#[test]
fn an_account_can_be_chosen() {
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.login_app().success();
    let user = |options: &[&str]| {
        authorization(&sandbox, &[&["--url", "/echo"], options].concat())["user"].clone()
    };
    assert_eq!(user(&["--account", ALICE]), ALICE);
    assert_eq!(user(&["--account", APP]), APP);
    assert_eq!(user(&["--account", ALICE, "--resource", "https://vault.azure.net"]), ALICE);
}

#[test]
fn a_subscription_in_the_url_chooses_the_account() {
    let sandbox = Sandbox::signed_in_as_alice();
    let list = sandbox.azt(["account", "list"]).success().json();
    let other = list.as_array().unwrap().iter().find(|it| it["tenantId"] == FABRIKAM).unwrap();
    let id = other["id"].as_str().unwrap();
    let url = format!("/echo/subscriptions/{id}/x");
    assert_eq!(authorization(&sandbox, &["--url", &url])["tid"], FABRIKAM);
    assert_eq!(authorization(&sandbox, &["--url", &url, "--tenant", CONTOSO])["tid"], CONTOSO);
    assert_eq!(authorization(&sandbox, &["--url", "/echo"])["tid"], CONTOSO);
    assert_eq!(authorization(&sandbox, &["--url", "/echo", "--subscription", id])["tid"], FABRIKAM);
    let path = rest(
        &sandbox,
        &["--url", "/echo/{subscriptionId}", "--subscription", id, "--query", "path"],
    );
    assert_eq!(path.quiet().json(), format!("/echo/{id}"));
}

#[test]
fn no_token_goes_out_without_encryption() {
    let sandbox = Sandbox::signed_in_as_alice();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/x", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        stream.write_all(b"HTTP/1.1 200 Fine\r\nContent-Length: 2\r\n\r\n{}").unwrap();
        String::from_utf8(request).unwrap().to_lowercase()
    });
    drop(
        rest(&sandbox, &["--url", &url, "--resource", "https://vault.azure.net"])
            .quiet()
            .prints("{}\n"),
    );
    let request = served.join().unwrap();
    assert!(!request.contains("authorization"), "{request}");
    assert!(request.contains("x-ms-client-request-id: "), "{request}");
}

#[test]
fn redirects_are_followed_on_the_same_host_only() {
    let sandbox = Sandbox::signed_in_as_alice();
    let there = format!("{}/echo/there", elsewhere(&sandbox));
    sandbox.emulator.clear_requests();
    for place in
        [&there, "//127.0.0.1:1/x", "http://localhost:1/x", "https://localhost:1/x", "ftp://x"]
    {
        let url = format!("/echo?status=302&location={place}");
        drop(rest(&sandbox, &["--url", &url]).exits(6).says("redirects to"));
    }
    let asked = sandbox.requests();
    assert!(asked.iter().all(|it| it != "GET /echo/there"), "{asked:?}");
    let same = "/echo/here?status=302&location=there%23x";
    assert_eq!(rest(&sandbox, &["--url", same, "--query", "path"]).quiet().json(), "/echo/there");
    drop(
        rest(&sandbox, &["--url", "/echo?status=302&location=/echo?status=302%26location=/echo"])
            .quiet(),
    );
    let fault = Action::Answer {
        status: 302,
        headers: [("Location".to_owned(), "/loop".to_owned())].into(),
        body: String::new(),
    };
    sandbox.emulator.faults().push(Fault::on("/loop", fault));
    drop(rest(&sandbox, &["--url", "/loop"]).exits(8).says("without end"));
}

#[test]
fn a_failure_has_the_exit_code_of_its_kind() {
    let sandbox = Sandbox::signed_in_as_app();
    for (status, code) in [("400", 1), ("401", 6), ("403", 6), ("404", 3), ("429", 8), ("503", 8)] {
        let url = format!("/echo?status={status}&text=why");
        let run = rest(&sandbox, &["--url", &url]).exits(code).says("(why)");
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn an_answer_is_saved_whole_or_not_at_all() {
    let sandbox = Sandbox::signed_in_as_app();
    let path = sandbox.root().join("answer");
    let file = path.to_str().unwrap();
    let read = || std::fs::read(&path).unwrap();
    drop(rest(&sandbox, &["--url", "/echo?text=one", "--output-file", file]).quiet().prints(""));
    assert_eq!(read(), b"one");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    drop(
        rest(&sandbox, &["--url", "/echo?text=two&status=500", "--output-file", file])
            .exits(8)
            .says("two"),
    );
    assert_eq!(read(), b"one", "an error is not the file");
    let large = "x".repeat(20 << 20);
    sandbox.emulator.faults().push(Fault::on("/large", answer(&large)));
    drop(rest(&sandbox, &["--url", "/large"]).exits(8).says("--output-file"));
    drop(rest(&sandbox, &["--url", "/large", "--output-file", file]).quiet());
    assert!(read() == large.as_bytes());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    sandbox.emulator.faults().clear();
    sandbox.emulator.faults().push(Fault::on("/echo", Action::Truncate { keep: 5 }));
    drop(rest(&sandbox, &["--url", "/echo", "--output-file", file]).exits(7));
    assert!(read() == large.as_bytes(), "half an answer is not the file");
    let left: Vec<_> =
        std::fs::read_dir(sandbox.root()).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_str().unwrap().ends_with(".tmp")), "{left:?}");
    sandbox.emulator.faults().clear();
    let run = rest(&sandbox, &["--url", "/echo?text=three", "--output-file", "/dev/stdout"]);
    drop(run.quiet().prints("three"));
}

#[test]
fn a_challenge_of_the_service_gets_a_new_token() {
    let sandbox = Sandbox::signed_in_as_alice();
    let url = "/subscriptions?api-version=2022-12-01";
    drop(rest(&sandbox, &["--url", url]).quiet());
    sandbox.emulator.challenge_access_tokens();
    let list = rest(&sandbox, &["--url", url]).quiet().json();
    assert!(list["value"].is_array());
}

#[test]
fn no_secret_is_shown() {
    let sandbox = Sandbox::signed_in_as_alice();
    let token = sandbox.azt(["token"]).quiet().stdout;
    let run = rest(&sandbox, &["--url", "/echo", "--debug"]).success();
    assert!(run.stderr.contains("GET "), "{}", run.stderr);
    assert!(!run.stderr.contains(token.trim()) && !run.stdout.contains(token.trim()));
    let own = [
        "--url",
        "/echo",
        "--debug",
        "--headers",
        "Authorization=Own s3cr3t-s3cr3t",
        "x-api-key=k3y-k3y",
    ];
    let run = rest(&sandbox, &own).success();
    assert!(!run.stderr.contains("s3cr3t") && !run.stderr.contains("k3y"), "{}", run.stderr);
    let body = "{authorization}".to_owned();
    let echo = Action::Echo { status: 400, content_type: "text/plain".to_owned(), body };
    sandbox.emulator.faults().push(Fault::on("/echo", echo));
    let run = rest(&sandbox, &["--url", "/echo"]).exits(1).says("***");
    assert!(!run.stderr.contains(token.trim()), "{}", run.stderr);
    let run = rest(&sandbox, &["--url", "/echo", "--headerz", "Authorization=s3cr3t"]).exits(2);
    assert!(!run.stderr.contains("s3cr3t"), "{}", run.stderr);
}

#[test]
fn what_is_sent_is_what_was_typed() {
    let sandbox = Sandbox::signed_in_as_app();
    sandbox.write("body.json", "{\"long\": 12345678901234567890123, \"u\": \"\u{fc}\"}\n");
    let file = format!("@{}", sandbox.file("body.json").display());
    let words = ["-m", "put", "--url", "/echo", "--body", &file, "--query", "body"];
    let body = rest(&sandbox, &words).quiet().json();
    assert_eq!(body, "{\"long\": 12345678901234567890123, \"u\": \"\u{fc}\"}");
    let words =
        ["--url", "/echo", "--headers", "Content-Length=3", "Transfer-Encoding=chunked", "a=1"];
    assert_eq!(rest(&sandbox, &words).quiet().json()["headers"]["a"], "1");
    for header in ["a b=1", "=1", "a=1\n2"] {
        drop(rest(&sandbox, &["--url", "/echo", "--headers", header]).exits(2).says("header"));
    }
}

fn refused_once(sandbox: &Sandbox, challenge: &str) {
    let headers = [("WWW-Authenticate".to_owned(), challenge.to_owned())];
    let refusal = Action::Answer { status: 401, headers: headers.into(), body: String::new() };
    sandbox.emulator.faults().push(Fault::on("/echo", refusal).times(1));
}

#[test]
fn a_host_that_names_its_tenant_gets_a_token_of_it() {
    let sandbox = Sandbox::signed_in_as_alice();
    assert_eq!(authorization(&sandbox, &["--url", "/echo"])["tid"], CONTOSO);
    let challenge = format!("Bearer authorization_uri=https://login.example/{FABRIKAM}/oauth2");
    refused_once(&sandbox, &challenge);
    let sent = authorization(&sandbox, &["--url", "/echo"]);
    assert_eq!((sent["user"].as_str(), sent["tid"].as_str()), (Some(ALICE), Some(FABRIKAM)));
    assert_eq!(authorization(&sandbox, &["--url", "/echo"])["tid"], FABRIKAM, "remembered");
}

#[test]
fn an_account_that_a_host_accepted_after_a_refusal_is_remembered_there() {
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.login_app().success();
    let user = |options: &[&str]| {
        let words = [&["--url", "/echo"], options].concat();
        authorization(&sandbox, &words)["user"].as_str().unwrap_or_default().to_owned()
    };
    let default = user(&[]);
    let other = if default == ALICE { APP } else { ALICE };
    refused_once(&sandbox, "Bearer");
    assert_eq!(user(&[]), other);
    assert_eq!(user(&[]), other, "it comes first the next time");
    assert_eq!(user(&["--account", &default]), default, "an option overrides it");
    sandbox.azt(["logout", "--username", other, "--yes"]).success();
    assert_eq!(user(&[]), default);
    // Nobody else: the refusal is told.
    refused_once(&sandbox, "Bearer");
    drop(rest(&sandbox, &["--url", "/echo"]).exits(6));
    // As az has one account for all hosts.
    refused_once(&sandbox, &format!("Bearer authorization_uri=https://login.example/{FABRIKAM}"));
    drop(sandbox.az(["rest", "--url", "/echo"]).exits(1));
}
