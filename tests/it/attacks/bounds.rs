//! What comes in is bounded, one by one and in sum.

use std::io::{Read, Write};
use std::net::TcpListener;

use entra_emulator::{Action, Fault};
use serde_json::json;

use crate::support::*;

const LIST: [&str; 3] = ["account", "tenant", "list"];

fn page(sandbox: &Sandbox, size: usize) {
    let link = format!("{}/tenants?more", sandbox.emulator.url().trim_end_matches('/'));
    let body = json!({"value": [], "nextLink": link, "more": "x".repeat(size)}).to_string();
    let action = Action::Answer { status: 200, headers: Default::default(), body };
    sandbox.emulator.faults().push(Fault::on("/tenants", action));
}

/// L3. Each page is under the limit of one answer; there is no end of them.
#[test]
fn pages_without_an_end_are_read_no_further() {
    let sandbox = Sandbox::signed_in_as_app();
    page(&sandbox, 15 << 20);
    sandbox
        .azt(LIST)
        .exits(8)
        .says("ERROR: localhost goes on sending: more than 128 MiB came in all");
    let asked = sandbox.requests().len();
    assert!((8..=9).contains(&asked), "{asked}");

    let sandbox = Sandbox::signed_in_as_app();
    page(&sandbox, 0);
    sandbox.azt(LIST).exits(8).says("sent a list of tenants without an end.");
    assert_eq!(sandbox.requests().len(), 1000);
}

/// The sum is one of all hosts, lists and answers of a call: a sign-in asks every tenant.
#[test]
fn the_sum_is_of_all_lists() {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    let tenants: Vec<_> = (0..40).map(|_| json!({"tenantId": CONTOSO})).collect();
    let answer = |path: &str, body: String| {
        let action = Action::Answer { status: 200, headers: Default::default(), body };
        sandbox.emulator.faults().push(Fault::on(path, action));
    };
    answer("/tenants", json!({"value": tenants}).to_string());
    answer("/subscriptions", json!({"value": [], "more": "x".repeat(8 << 20)}).to_string());
    let run = sandbox.azt(["login", "--use-device-code"]).exits(8);
    run.says("more than 128 MiB came in all");
}

/// A list with more members than a directory can have, in few bytes each.
#[test]
fn a_list_has_so_many_members() {
    let sandbox = Sandbox::signed_in_as_app();
    let members = vec![json!({}); 1_000_001];
    let body = json!({"value": members}).to_string();
    let action = Action::Answer { status: 200, headers: Default::default(), body };
    sandbox.emulator.faults().push(Fault::on("/tenants", action));
    sandbox.azt(LIST).exits(8).says("sent a list of tenants without an end.");
}

#[test]
fn headers_without_an_end_are_read_no_further() {
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
        let app = ["login", "--service-principal", "-u", APP, "-p", APP_SECRET, "-t", CONTOSO];
        sandbox.azt(app).exits(7).says("127.0.0.1");
    }
}
