//! Faults and the log of requests, from Rust and over HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

mod support;

use entra_emulator::{Action, Directory, EntraEmulator, Fault};
use serde_json::{Value, json};
use std::net::TcpStream;
use support::*;

const CONFIGURATION: &str = "/common/v2.0/.well-known/openid-configuration";

#[test]
fn a_fault_applies_to_its_path_and_number_of_requests_only() {
    let site = start();
    let headers = [("Retry-After".to_owned(), "7".to_owned())].into();
    let busy = Action::Answer { status: 429, headers, body: "busy".into() };
    let grant = Fault::on("/oauth2/v2.0/token", busy).grant_type("password").times(1);
    site.faults().push(grant);
    let ask = |grant_type: &str| {
        site.token(CONTOSO, &[("grant_type", grant_type), ("client_id", AZURE_CLI)])
    };
    assert_eq!(ask("refresh_token").status, 400);
    let hit = ask("password");
    assert_eq!((hit.status, hit.body.as_str()), (429, "busy"));
    assert_eq!(hit.header("retry-after"), "7");
    assert_eq!(ask("password").status, 400);
    assert!(site.faults().list().is_empty());
}

#[test]
fn an_ordered_entra_error_has_entras_form() {
    let site = start();
    let action = Action::EntraError {
        status: 400,
        error: "interaction_required".into(),
        code: 50_079,
        description: "Set up a second factor.".into(),
        suberror: Some("basic_action".into()),
        claims: Some("{\"access_token\":{}}".into()),
    };
    site.faults().push(Fault::on("/token", action));
    let reply = site.token(CONTOSO, &[]);
    assert_eq!(reply.refusal(), ("interaction_required".into(), 50_079));
    let body = reply.json();
    assert_eq!(body["suberror"], "basic_action");
    assert_eq!(body["claims"], "{\"access_token\":{}}");
    assert!(
        body["error_description"]
            .as_str()
            .unwrap()
            .starts_with("AADSTS50079: Set up a second factor. Trace ID: ")
    );
    site.faults().clear();
    assert_eq!(site.token(CONTOSO, &[]).refusal().1, 900_144);
}

#[test]
fn connections_drop_and_bodies_end_early() {
    let site = start();
    site.faults().push(Fault::on("", Action::Drop).times(1));
    let request = || site.client.get(format!("{}{CONFIGURATION}", site.url()));
    assert!(site.try_send(request()).is_err());
    assert_eq!(site.requests()[0].status, None);

    let cut = Fault::on("", Action::Truncate { keep: 10 }).times(1);
    site.faults().push(cut);
    let error = site.try_send(request()).err().unwrap();
    // The headers arrive, but the body fails.
    assert!(error.is_body() || error.is_decode(), "{error:?}");
    assert_eq!(site.requests()[1].status, Some(200));
    site.get(CONFIGURATION).ok();
}

#[test]
fn a_delay_applies_in_addition_to_another_fault() {
    let site = start();
    let delay = Action::Delay { milliseconds: 5 };
    site.faults().push(Fault::on("", delay));
    let teapot = Action::Answer { status: 418, headers: [].into(), body: String::new() };
    site.faults().push(Fault::on("", teapot).times(1));
    assert_eq!(site.get(CONFIGURATION).status, 418);
    site.get(CONFIGURATION).ok();
}

#[test]
fn the_log_has_all_requests_in_order() {
    let site = start();
    site.get("/common/userrealm/a%40b?api-version=1.0");
    let request = site
        .client
        .post(format!("{}/common/oauth2/v2.0/token?slice=1", site.url()))
        .header("X-AnchorMailbox", "Oid:1@2")
        .form(&[("grant_type", "refresh_token"), ("scope", "a b")]);
    site.send(request);
    let metadata = site.client.get(format!("{}/metadata/x", site.http_url()));
    site.send(metadata);

    let log = site.requests();
    assert_eq!(log.len(), 3);
    assert_eq!(log[0].path, "/common/userrealm/a%40b");
    assert_eq!(log[0].query["api-version"], "1.0");
    assert_eq!((log[0].https, log[0].status), (true, Some(200)));
    assert_eq!(log[1].method, "POST");
    assert_eq!(log[1].query["slice"], "1");
    assert_eq!(log[1].form["scope"], "a b");
    assert_eq!(log[1].grant_type(), Some("refresh_token"));
    assert_eq!(log[1].header("x-anchormailbox"), Some("Oid:1@2"));
    assert_eq!(log[1].status, Some(400));
    assert_eq!((log[2].https, log[2].status), (false, Some(404)));
    site.clear_requests();
    assert!(site.requests().is_empty());
}

/// Sends JSON to `/_emulator/<path>` and returns the response.
fn control(site: &Site, path: &str, body: &Value) -> Reply {
    let request = site.client.post(format!("{}/_emulator/{path}", site.url()));
    site.send(request.body(body.to_string()))
}

#[test]
fn everything_can_be_controlled_over_http() {
    let site = start();
    let fault = json!({"path": "/token", "times": 1, "action": {"entraError": {"error": "invalid_grant", "code": 7}}});
    control(&site, "faults", &fault).ok();
    assert_eq!(site.token(CONTOSO, &[]).refusal(), ("invalid_grant".into(), 7));
    control(&site, "faults", &json!({"action": "drop"})).ok();
    assert_eq!(site.get("/_emulator/faults").ok()[0]["action"], "drop");
    let delete = |path: &str| {
        let request = site.client.delete(format!("{}/_emulator/{path}", site.url()));
        site.send(request).ok();
    };
    delete("faults");

    assert_eq!(
        site.get("/_emulator/requests").ok()[0]["path"],
        format!("/{CONTOSO}/oauth2/v2.0/token")
    );
    delete("requests");
    assert!(site.requests().is_empty());

    control(&site, "settings", &json!({"tokenLifetime": 60})).ok();
    assert_eq!(site.settings().token_lifetime, 60);
    assert_eq!(site.settings().device_code_interval, 5);

    let code = site.device_code(CONTOSO);
    let waiting = site.get("/_emulator/devicecode").ok();
    assert_eq!(waiting[0]["userCode"], code["user_code"]);
    let order = json!({"userCode": code["user_code"], "username": ALICE});
    control(&site, "devicecode/approve", &order).ok();
    let token = site.poll(CONTOSO, &code).ok();

    control(&site, "revoke", &json!({"username": ALICE})).ok();
    let refusal = site.refresh(CONTOSO, AZURE_CLI, &token["refresh_token"], USER_SCOPE);
    assert_eq!(refusal.refusal().1, 50_173);

    let mut directory = site.get("/_emulator/directory").ok();
    directory["tenants"][0]["displayName"] = json!("Renamed");
    control(&site, "directory", &directory).ok();
    assert_eq!(site.directory().tenants[0].display_name, "Renamed");
}

#[test]
fn an_invalid_control_request_is_refused_and_changes_nothing() {
    let site = start();
    for (path, body) in [
        ("settings", json!({"tokenLifetimes": 60})),
        ("faults", json!({"path": "/"})),
        ("devicecode/approve", json!({"userCode": "NOPE", "username": ALICE})),
        ("devicecode/eat", json!({"userCode": "NOPE"})),
    ] {
        let reply = control(&site, path, &body);
        assert_eq!(reply.status, 400, "{path}");
        assert!(reply.json()["error"].is_string());
    }
    assert_eq!(site.settings(), entra_emulator::Settings::default());
}

#[test]
fn emulators_are_independent_and_dropping_one_frees_its_port() {
    let (first, second) = (start(), start());
    let token = first.sign_in(CONTOSO)["refresh_token"].clone();
    let refusal = second.refresh(CONTOSO, AZURE_CLI, &token, USER_SCOPE);
    assert_eq!(refusal.refusal().1, 9_002_313);

    let address = first.http_url().strip_prefix("http://").unwrap().to_owned();
    assert!(TcpStream::connect(&address).is_ok());
    drop(first);
    assert!(TcpStream::connect(&address).is_err());
}

#[test]
fn a_custom_directory_works_and_a_taken_port_is_an_error() {
    let directory = Directory::from_json(
        r#"{"tenants": [{"id": "11111111-1111-4111-8111-111111111111", "defaultDomain": "own.example", "displayName": "Own"}]}"#,
    )
    .unwrap();
    let site = Site::of(EntraEmulator::builder().directory(directory).start().unwrap());
    let path = "/own.example/v2.0/.well-known/openid-configuration";
    site.get(path).ok();
    let port = site.http_url().rsplit_once(':').unwrap().1.parse().unwrap();
    let error = EntraEmulator::builder().port(port).start().err().unwrap();
    assert!(error.to_string().contains(&port.to_string()), "{error}");
}
